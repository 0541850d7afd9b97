//! Tests of claims of several sources and scopes about one uid.

use super::batches::{ScanMember, alias_snapshot, edge_snapshot, fact, observed_edge, scan};
use super::{StoreFixture, at};
use crate::claims::{ClaimClass, IntervalEnd, Removal};
use crate::component::UnixNanos;
use crate::graph_store::{AsOf, Directions, GraphStore};

const U: [ScanMember; 1] = [ScanMember { uid: "u", state: 7 }];

#[tokio::test]
async fn claims_of_a_uid_show_how_they_ended() {
    let fixture = StoreFixture::new().await;
    fixture.write(scan("a", 10, &U)).await;
    fixture.write(scan("b", 15, &U)).await;
    fixture.write(scan("b", 25, &U)).await;
    fixture.write(scan("a", 20, &[])).await;
    let claims = fixture.store().claims_of("u").await.unwrap();
    let reported: Vec<_> = claims
        .iter()
        .map(|it| {
            (
                it.class,
                it.scope.as_deref(),
                it.since.0,
                it.until,
                it.last_seen.0,
            )
        })
        .collect();
    let deleted = Some((UnixNanos(20), IntervalEnd::Removed(Removal::Deleted)));
    assert_eq!(
        reported,
        [
            (ClaimClass::Actual, Some("a"), 10, deleted, 10),
            (ClaimClass::Actual, Some("b"), 15, None, 25),
        ]
    );
    assert_eq!(fixture.store().claims_of("never").await.unwrap(), []);
}

#[tokio::test]
async fn node_exists_while_one_of_two_scopes_reports_it() {
    let fixture = StoreFixture::new().await;
    fixture.write(scan("a", 10, &U)).await;
    fixture.write(scan("b", 15, &U)).await;
    fixture.write(scan("a", 20, &[])).await;
    fixture.write(scan("b", 25, &U)).await;
    let node = fixture.node("u", AsOf::Now).await.unwrap();
    assert_eq!((node.ended, node.last_seen), (None, UnixNanos(25)));
    assert_eq!(node.facts["actual"].last_seen, UnixNanos(25));
    assert_eq!(node.facts["lifecycle"].value["exists"], true);
    fixture.write(scan("b", 30, &[])).await;
    let ended = fixture.node("u", AsOf::Now).await.unwrap();
    assert_eq!(ended.ended, Some(UnixNanos(30)));
    assert!(!ended.facts.contains_key("lifecycle"));
    assert!(ended.facts.contains_key("actual"));
    assert_eq!(fixture.node("u", at(27)).await.unwrap().ended, None);
    assert_eq!(fixture.node("u", at(9)).await, None);
    let entries = fixture
        .store()
        .timeline("u", UnixNanos(0), UnixNanos(99), 9);
    let ends = entries.await.unwrap().into_iter();
    let ends: Vec<u64> = ends
        .filter(|entry| entry.kind == "node_ended")
        .map(|entry| entry.time.0)
        .collect();
    assert_eq!(ends, [30]);
}

#[tokio::test]
async fn equal_edges_of_several_sources_are_merged_and_pages_are_full() {
    let fixture = StoreFixture::new().await;
    let ends: Vec<String> = (0..20).map(|end| format!("sg-{end:02}")).collect();
    let edges: Vec<(&str, &str)> = ends
        .iter()
        .map(|end| ("SECURED_BY", end.as_str()))
        .collect();
    fixture.write(edge_snapshot("i", "aws", 10, &edges)).await;
    fixture.write(edge_snapshot("i", "other", 20, &edges)).await;
    for end in &ends[..8] {
        fixture
            .write(fact(end, "lifecycle", "observed", "aws", end, 10))
            .await;
        fixture
            .write(fact(end, "lifecycle", "deleted", "trail", end, 20))
            .await;
    }
    let uids = ["i".to_owned()];
    let page = async |limit| {
        let edges = fixture
            .store()
            .edges(&uids, Directions::Out, &[], limit, AsOf::Now);
        edges.await.unwrap()
    };
    let all = page(100).await;
    assert_eq!(all.len(), 12);
    let first = &all[0];
    assert_eq!(
        (first.to.as_str(), first.source.as_str()),
        ("sg-08", "other")
    );
    assert_eq!((first.first_seen.0, first.last_seen.0), (10, 20));
    assert_eq!(page(5).await, all[..5]);
    let into = ["sg-08".to_owned()];
    let found = fixture
        .store()
        .edges(&into, Directions::In, &[], 9, at(15))
        .await;
    assert_eq!(found.unwrap()[0].source, "aws");
}

#[tokio::test]
async fn name_as_of_a_past_time_leads_to_its_owner_at_that_time() {
    let fixture = StoreFixture::new().await;
    let now = UnixNanos::now();
    fixture.write(scan("s", 10, &U)).await;
    fixture
        .write(observed_edge(
            "svc:////cart",
            "CALLS",
            "ext://db:1",
            UnixNanos(12),
        ))
        .await;
    fixture
        .write(alias_snapshot("u", 10, &[("same_as", "ext://db:1")]))
        .await;
    fixture
        .write(alias_snapshot("u", 20, &[("name", "x")]))
        .await;
    let resolve = async |as_of| {
        let names = ["ext://db:1".to_owned()];
        fixture
            .store()
            .resolve(&names, as_of)
            .await
            .unwrap()
            .remove(0)
    };
    assert_eq!(resolve(at(15)).await, ["u"]);
    assert_eq!(resolve(AsOf::Now).await, ["ext://db:1"]);
    let called = async |uid: &str, as_of| {
        let uids = [uid.to_owned()];
        let edges = fixture.store().edges(&uids, Directions::In, &[], 9, as_of);
        let edges = edges.await.unwrap().into_iter();
        edges.map(|edge| edge.to).collect::<Vec<_>>()
    };
    assert_eq!(called("u", at(15)).await, ["u"]);
    assert_eq!(called("ext://db:1", at(25)).await, ["ext://db:1"]);
    assert_eq!(called("u", at(25)).await, [""; 0]);
    // Long after its last sighting, the call has expired.
    assert_eq!(called("ext://db:1", AsOf::Time(now)).await, [""; 0]);
}
