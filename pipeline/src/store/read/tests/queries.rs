//! Tests of edges, lists, timelines, commits and scanned resources.

use crate::component::UnixNanos;
use crate::graph_store::{AsOf, Directions, GraphStore, NodeFilter};

use super::batches::{ScanMember, change, edge_snapshot, fact, observed_edge, scan};
use super::{StoreFixture, at};

const ALL: UnixNanos = UnixNanos(i64::MAX as u64);

pub(super) fn uids(uids: &[&str]) -> Vec<String> {
    uids.iter().map(|uid| (*uid).to_owned()).collect()
}

pub(super) async fn small_vpc() -> StoreFixture {
    let fixture = StoreFixture::new().await;
    let seen = ["sg", "i-1", "i-2"].map(|uid| ScanMember { uid, state: 7 });
    fixture.write(scan("s", 10, &seen)).await;
    fixture
        .write(edge_snapshot(
            "i-1",
            "aws",
            10,
            &[("SECURED_BY", "sg"), ("PART_OF", "subnet")],
        ))
        .await;
    fixture
        .write(edge_snapshot("i-2", "aws", 10, &[("SECURED_BY", "sg")]))
        .await;
    fixture
}

pub(super) async fn ends(
    fixture: &StoreFixture,
    uid: &str,
    directions: Directions,
    kinds: &[&str],
    at: AsOf,
) -> Vec<String> {
    let found = fixture
        .store()
        .edges(&uids(&[uid]), directions, &uids(kinds), 100, at)
        .await
        .unwrap();
    found
        .iter()
        .map(|edge| format!("{} {} {}", edge.from, edge.kind, edge.to))
        .collect()
}

#[tokio::test]
async fn edges_are_read_from_both_ends_and_by_kind() {
    let fixture = small_vpc().await;
    assert_eq!(
        ends(&fixture, "sg", Directions::In, &[], AsOf::Now).await,
        ["i-1 SECURED_BY sg", "i-2 SECURED_BY sg"]
    );
    assert_eq!(
        ends(&fixture, "i-1", Directions::Out, &["PART_OF"], AsOf::Now).await,
        ["i-1 PART_OF subnet"]
    );
    assert_eq!(
        ends(&fixture, "sg", Directions::Out, &[], AsOf::Now).await,
        [""; 0]
    );
    assert_eq!(
        ends(&fixture, "i-1", Directions::Both, &[], AsOf::Now)
            .await
            .len(),
        2
    );
    let limited = fixture
        .store()
        .edges(&uids(&["sg"]), Directions::In, &[], 1, AsOf::Now)
        .await
        .unwrap();
    assert_eq!(limited.len(), 1);
}

#[tokio::test]
async fn edge_that_is_no_longer_reported_ends_but_stays_in_the_past() {
    let fixture = small_vpc().await;
    fixture.write(edge_snapshot("i-1", "aws", 20, &[])).await;
    assert_eq!(
        ends(&fixture, "i-1", Directions::Out, &[], AsOf::Now).await,
        [""; 0]
    );
    assert_eq!(
        ends(&fixture, "i-1", Directions::Out, &[], at(15))
            .await
            .len(),
        2
    );
    assert_eq!(
        ends(&fixture, "i-1", Directions::Out, &[], at(5)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn edge_to_an_ended_node_is_not_current() {
    let fixture = small_vpc().await;
    fixture
        .write(scan(
            "s",
            20,
            &["i-1", "i-2"].map(|uid| ScanMember { uid, state: 7 }),
        ))
        .await;
    assert_eq!(
        ends(&fixture, "i-2", Directions::Out, &[], AsOf::Now).await,
        [""; 0]
    );
    assert_eq!(
        ends(&fixture, "i-2", Directions::Out, &[], at(15)).await,
        ["i-2 SECURED_BY sg"]
    );
}

#[tokio::test]
async fn observed_edge_expires() {
    let fixture = StoreFixture::new().await;
    let now = UnixNanos::now();
    fixture.write(observed_edge("a", "CALLS", "b", now)).await;
    fixture
        .write(observed_edge("a", "CALLS", "old", UnixNanos(60)))
        .await;
    assert_eq!(
        ends(&fixture, "a", Directions::Out, &[], AsOf::Now).await,
        ["a CALLS b"]
    );
    assert_eq!(
        ends(&fixture, "a", Directions::Out, &[], at(61)).await,
        ["a CALLS old"]
    );
}

#[tokio::test]
async fn node_that_only_an_edge_refers_to_has_a_placeholder() {
    let fixture = small_vpc().await;
    assert_eq!(
        fixture.node("subnet", AsOf::Now).await.unwrap().kind,
        "unknown"
    );
    assert_eq!(fixture.node("nowhere", AsOf::Now).await, None);
}

#[tokio::test]
async fn lists_are_filtered_and_paged_in_the_order_of_writing() {
    let fixture = small_vpc().await;
    fixture
        .write(fact(
            "svc:////käse",
            "telemetry",
            "observed",
            "otlp",
            "Käse",
            UnixNanos::now().0,
        ))
        .await;
    fixture
        .write(fact(
            "svc:////gone",
            "telemetry",
            "observed",
            "otlp",
            "Gone",
            10,
        ))
        .await;
    fixture
        .write(fact("i-2", "lifecycle", "deleted", "trail", "i-2", 20))
        .await;
    let list = async |filter: NodeFilter, after: Option<&str>, limit| {
        let nodes = fixture
            .store()
            .list(&filter, after, limit, AsOf::Now)
            .await
            .unwrap();
        nodes.into_iter().map(|node| node.uid).collect::<Vec<_>>()
    };
    let all = NodeFilter::default();
    assert_eq!(
        list(all.clone(), None, 10).await,
        ["sg", "i-1", "svc:////käse"]
    );
    assert_eq!(list(all.clone(), Some("sg"), 1).await, ["i-1"]);
    assert_eq!(list(all.clone(), Some("never"), 1).await, [""; 0]);
    let ended = NodeFilter {
        include_ended: true,
        ..all.clone()
    };
    assert_eq!(list(ended, None, 10).await.len(), 5);
    let text = |text: &str| NodeFilter {
        text: Some(text.to_owned()),
        ..NodeFilter::default()
    };
    assert_eq!(list(text("KÄSE"), None, 10).await, ["svc:////käse"]);
    assert_eq!(list(text("I-1"), None, 10).await, ["i-1"]);
    let kind = NodeFilter {
        kinds: uids(&["nothing"]),
        ..all
    };
    assert_eq!(list(kind, None, 10).await, [""; 0]);
}

#[tokio::test]
async fn timeline_shows_changes_and_their_actors() {
    let fixture = small_vpc().await;
    fixture.write(change("e1", "sg", 15)).await;
    fixture.write(change("e1", "sg", 15)).await;
    fixture
        .write(scan(
            "s",
            20,
            &[ScanMember {
                uid: "sg",
                state: 8,
            }],
        ))
        .await;
    let entries = fixture
        .store()
        .timeline("sg", UnixNanos(0), ALL, 10)
        .await
        .unwrap();
    let reported: Vec<(u64, &str, &str)> = entries
        .iter()
        .map(|entry| (entry.time.0, entry.kind.as_str(), entry.summary.as_str()))
        .collect();
    assert_eq!(
        reported,
        [
            (20, "node_changed", "actual changed: state"),
            (15, "change", "AuthorizeSecurityGroupIngress by eve"),
            (10, "node_appeared", "reported to exist"),
            (10, "node_appeared", "actual reported"),
        ]
    );
    assert_eq!(
        entries[0].details["state"],
        serde_json::json!({"before": 7, "after": 8})
    );
    fixture
        .write(edge_snapshot(
            "i-2",
            "aws",
            12,
            &[("SECURED_BY", "sg"), ("PART_OF", "vpc")],
        ))
        .await;
    fixture
        .write(edge_snapshot("i-2", "aws", 14, &[("PART_OF", "vpc")]))
        .await;
    let entries = fixture
        .store()
        .timeline("i-2", UnixNanos(11), UnixNanos(15), 10)
        .await
        .unwrap();
    let reported: Vec<&str> = entries.iter().map(|entry| entry.summary.as_str()).collect();
    assert_eq!(reported, ["no longer SECURED_BY sg", "now PART_OF vpc"]);
    let ended = fixture
        .store()
        .timeline("i-1", UnixNanos(0), ALL, 1)
        .await
        .unwrap();
    assert_eq!(
        (ended[0].kind.as_str(), ended[0].time.0),
        ("node_ended", 20)
    );
}

#[tokio::test]
async fn node_that_comes_back_appears_again_in_the_timeline() {
    let fixture = StoreFixture::new().await;
    for (began, state) in [
        (10, Some(7)),
        (20, Some(8)),
        (30, Some(7)),
        (40, None),
        (50, Some(7)),
    ] {
        let seen: Vec<ScanMember> = state
            .iter()
            .map(|state| ScanMember {
                uid: "sg",
                state: *state,
            })
            .collect();
        fixture.write(scan("s", began, &seen)).await;
        fixture.write(scan("s", began + 5, &seen)).await;
    }
    let entries = fixture
        .store()
        .timeline("sg", UnixNanos(0), ALL, 20)
        .await
        .unwrap();
    let reported: Vec<(u64, &str)> = entries
        .iter()
        .map(|entry| (entry.time.0, entry.kind.as_str()))
        .collect();
    assert_eq!(
        reported,
        [
            (50, "node_appeared"),
            (40, "node_ended"),
            (30, "node_changed"),
            (20, "node_changed"),
            (10, "node_appeared"),
            (10, "node_appeared"),
        ]
    );
}

#[tokio::test]
async fn commits_name_new_edges_records_and_nodes() {
    let fixture = small_vpc().await;
    let mut commits = fixture.store().commits();
    fixture
        .write(edge_snapshot(
            "i-2",
            "aws",
            20,
            &[("SECURED_BY", "sg"), ("PART_OF", "subnet")],
        ))
        .await;
    fixture.write(change("e1", "sg", 25)).await;
    fixture
        .write(scan(
            "s",
            30,
            &["sg", "i-1"].map(|uid| ScanMember { uid, state: 7 }),
        ))
        .await;
    let first = commits.recv().await.unwrap();
    assert_eq!(
        first.edges,
        [("i-2".into(), "PART_OF".into(), "subnet".into())]
    );
    let second = commits.recv().await.unwrap();
    let change = &second.records[0];
    assert_eq!(
        (change.id.as_str(), change.uid.as_deref()),
        ("e1", Some("sg"))
    );
    assert_eq!(change.names, ["eve", "other", "sg"]);
    let third = commits.recv().await.unwrap();
    assert_eq!(
        (third.sequence, &third.nodes),
        (first.sequence + 2, &uids(&["i-2"]))
    );
}

#[tokio::test]
async fn node_without_edges_is_resolved_by_its_uid() {
    let fixture = StoreFixture::new().await;
    fixture
        .write(fact("lonely", "telemetry", "observed", "otlp", "l", 10))
        .await;
    let found = fixture
        .store()
        .resolve(&uids(&["lonely"]), AsOf::Now)
        .await
        .unwrap();
    assert_eq!(found, [uids(&["lonely"])]);
}

#[tokio::test]
async fn edge_that_was_reported_many_times_is_still_current() {
    let fixture = StoreFixture::new().await;
    for time in 1..=20 {
        let end = format!("sg-{time}");
        fixture
            .write(edge_snapshot(
                "i",
                "aws",
                time,
                &[("SECURED_BY", "sg"), ("SECURED_BY", &end)],
            ))
            .await;
    }
    assert_eq!(
        ends(&fixture, "i", Directions::Out, &[], AsOf::Now).await,
        ["i SECURED_BY sg", "i SECURED_BY sg-20"]
    );
    assert_eq!(
        ends(&fixture, "sg", Directions::In, &[], AsOf::Now).await,
        ["i SECURED_BY sg"]
    );
}

#[tokio::test]
async fn node_stays_ended_after_the_scan_that_ended_it_was_dropped() {
    let fixture = StoreFixture::new().await;
    let scans = |began, uids: &[&'static str]| {
        let seen: Vec<ScanMember> = uids
            .iter()
            .map(|uid| ScanMember { uid, state: 7 })
            .collect();
        scan("s", began, &seen)
    };
    fixture.write(scans(10, &["a", "b"])).await;
    for round in 0..40 {
        let others: &[&str] = if round % 2 == 0 { &["a"] } else { &["a", "c"] };
        fixture.write(scans(20 + round, others)).await;
    }
    let b = fixture.node("b", AsOf::Now).await.unwrap();
    assert_eq!(b.ended, Some(UnixNanos(20)));
    assert_eq!(fixture.node("a", AsOf::Now).await.unwrap().ended, None);
}

#[tokio::test]
async fn node_that_is_no_longer_desired_ends() {
    let fixture = StoreFixture::new().await;
    fixture
        .write(fact("planned", "desired", "observed", "terraform", "p", 10))
        .await;
    assert_eq!(
        fixture.node("planned", AsOf::Now).await.unwrap().ended,
        None
    );
    fixture
        .write(fact("planned", "desired", "deleted", "terraform", "p", 20))
        .await;
    assert_eq!(
        fixture.node("planned", AsOf::Now).await.unwrap().ended,
        Some(UnixNanos(20))
    );
}

#[tokio::test]
async fn scanned_resources_are_paged_without_ended_ones() {
    let fixture = StoreFixture::new().await;
    let reported = [("a", 7), ("b", 8), ("c", 9)].map(|(uid, state)| ScanMember { uid, state });
    fixture.write(scan("s", 10, &reported)).await;
    let changed = [("a", 7), ("c", 10)].map(|(uid, state)| ScanMember { uid, state });
    fixture.write(scan("s", 20, &changed)).await;
    fixture
        .write(fact("a", "actual", "observed", "other", "x", 30))
        .await;
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = fixture.store().scanned("aws", after.as_deref(), 2).await;
        let page = page.unwrap();
        found.extend(
            page.scanned
                .into_iter()
                .map(|it| (it.uid, it.scope, it.state)),
        );
        after = page.last;
        if after.is_none() {
            break;
        }
    }
    let s = || "s".to_owned();
    assert_eq!(found, [("a".to_owned(), s(), 7), ("c".to_owned(), s(), 10)]);
    let nothing = fixture.store().scanned("gcp", None, 10).await.unwrap();
    assert_eq!(nothing.scanned, []);
}
