//! What several sources and scopes report of one uid.

use super::batches::{Seen, alias_set, edge_set, fact, scan, seen_edge};
use super::{Open, at};
use crate::claims::{Class, Ending, Removal};
use crate::component::UnixNanos;
use crate::graph_store::{At, Direction, GraphStore};

const U: [Seen; 1] = [Seen { uid: "u", state: 7 }];

#[tokio::test]
async fn every_claim_of_a_uid_is_told_with_how_it_ended() {
    let open = Open::new().await;
    open.write(scan("a", 10, &U)).await;
    open.write(scan("b", 15, &U)).await;
    open.write(scan("b", 25, &U)).await;
    open.write(scan("a", 20, &[])).await;
    let claims = open.store().claims_of("u").await.unwrap();
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
    let deleted = Some((UnixNanos(20), Ending::Removed(Removal::Deleted)));
    assert_eq!(
        reported,
        [
            (Class::Actual, Some("a"), 10, deleted, 10),
            (Class::Actual, Some("b"), 15, None, 25),
        ]
    );
    assert_eq!(open.store().claims_of("never").await.unwrap(), []);
}

#[tokio::test]
async fn a_node_that_two_scopes_saw_lives_while_one_does() {
    let open = Open::new().await;
    open.write(scan("a", 10, &U)).await;
    open.write(scan("b", 15, &U)).await;
    open.write(scan("a", 20, &[])).await;
    open.write(scan("b", 25, &U)).await;
    let node = open.node("u", At::Now).await.unwrap();
    assert_eq!((node.ended, node.last_seen), (None, UnixNanos(25)));
    assert_eq!(node.facts["actual"].last_seen, UnixNanos(25));
    assert_eq!(node.facts["lifecycle"].value["exists"], true);
    open.write(scan("b", 30, &[])).await;
    let ended = open.node("u", At::Now).await.unwrap();
    assert_eq!(ended.ended, Some(UnixNanos(30)));
    assert!(!ended.facts.contains_key("lifecycle"));
    assert!(ended.facts.contains_key("actual"));
    assert_eq!(open.node("u", at(27)).await.unwrap().ended, None);
    assert_eq!(open.node("u", at(9)).await, None);
    let entries = open.store().timeline("u", UnixNanos(0), UnixNanos(99), 9);
    let ends = entries.await.unwrap().into_iter();
    let ends: Vec<u64> = ends
        .filter(|entry| entry.kind == "node_ended")
        .map(|entry| entry.time.0)
        .collect();
    assert_eq!(ends, [30]);
}

#[tokio::test]
async fn equal_edges_of_several_sources_are_one_and_pages_hold_as_many_as_asked_for() {
    let open = Open::new().await;
    let ends: Vec<String> = (0..20).map(|end| format!("sg-{end:02}")).collect();
    let edges: Vec<(&str, &str)> = ends
        .iter()
        .map(|end| ("SECURED_BY", end.as_str()))
        .collect();
    open.write(edge_set("i", "aws", 10, &edges)).await;
    open.write(edge_set("i", "other", 20, &edges)).await;
    for end in &ends[..8] {
        open.write(fact(end, "lifecycle", "observed", "aws", end, 10))
            .await;
        open.write(fact(end, "lifecycle", "deleted", "trail", end, 20))
            .await;
    }
    let uids = ["i".to_owned()];
    let page = async |limit| {
        let edges = open
            .store()
            .edges(&uids, Direction::Out, &[], limit, At::Now);
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
    let found = open
        .store()
        .edges(&into, Direction::In, &[], 9, at(15))
        .await;
    assert_eq!(found.unwrap()[0].source, "aws");
}

#[tokio::test]
async fn names_of_the_past_lead_to_who_had_them_then() {
    let open = Open::new().await;
    let now = UnixNanos::now();
    open.write(scan("s", 10, &U)).await;
    open.write(seen_edge(
        "svc:////cart",
        "CALLS",
        "ext://db:1",
        UnixNanos(12),
    ))
    .await;
    open.write(alias_set("u", 10, &[("same_as", "ext://db:1")]))
        .await;
    open.write(alias_set("u", 20, &[("name", "x")])).await;
    let resolve = async |moment| {
        let names = ["ext://db:1".to_owned()];
        open.store()
            .resolve(&names, moment)
            .await
            .unwrap()
            .remove(0)
    };
    assert_eq!(resolve(at(15)).await, ["u"]);
    assert_eq!(resolve(At::Now).await, ["ext://db:1"]);
    let called = async |uid: &str, moment| {
        let uids = [uid.to_owned()];
        let edges = open.store().edges(&uids, Direction::In, &[], 9, moment);
        let edges = edges.await.unwrap().into_iter();
        edges.map(|edge| edge.to).collect::<Vec<_>>()
    };
    assert_eq!(called("u", at(15)).await, ["u"]);
    assert_eq!(called("ext://db:1", at(25)).await, ["ext://db:1"]);
    assert_eq!(called("u", at(25)).await, [""; 0]);
    // Long after it was seen the call does not hold any more.
    assert_eq!(called("ext://db:1", At::Time(now)).await, [""; 0]);
}
