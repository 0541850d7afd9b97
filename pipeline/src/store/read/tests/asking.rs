//! What the graph answers.

use crate::component::UnixNanos;
use crate::graph_store::{At, Direction, GraphStore, NodeFilter};

use super::batches::{Seen, change, edge_set, fact, scan, seen_edge};
use super::{Open, at};

const ALL: UnixNanos = UnixNanos(i64::MAX as u64);

pub(super) fn uids(uids: &[&str]) -> Vec<String> {
    uids.iter().map(|uid| (*uid).to_owned()).collect()
}

pub(super) async fn small_vpc() -> Open {
    let open = Open::new().await;
    let seen = ["sg", "i-1", "i-2"].map(|uid| Seen { uid, state: 7 });
    open.write(scan("s", 10, &seen)).await;
    open.write(edge_set(
        "i-1",
        "aws",
        10,
        &[("SECURED_BY", "sg"), ("PART_OF", "subnet")],
    ))
    .await;
    open.write(edge_set("i-2", "aws", 10, &[("SECURED_BY", "sg")]))
        .await;
    open
}

pub(super) async fn ends(
    open: &Open,
    uid: &str,
    direction: Direction,
    kinds: &[&str],
    at: At,
) -> Vec<String> {
    let found = open
        .store()
        .edges(&uids(&[uid]), direction, &uids(kinds), 100, at)
        .await
        .unwrap();
    found
        .iter()
        .map(|edge| format!("{} {} {}", edge.from, edge.kind, edge.to))
        .collect()
}

#[tokio::test]
async fn edges_are_found_from_both_ends_and_by_kind() {
    let open = small_vpc().await;
    assert_eq!(
        ends(&open, "sg", Direction::In, &[], At::Now).await,
        ["i-1 SECURED_BY sg", "i-2 SECURED_BY sg"]
    );
    assert_eq!(
        ends(&open, "i-1", Direction::Out, &["PART_OF"], At::Now).await,
        ["i-1 PART_OF subnet"]
    );
    assert_eq!(
        ends(&open, "sg", Direction::Out, &[], At::Now).await,
        [""; 0]
    );
    assert_eq!(
        ends(&open, "i-1", Direction::Both, &[], At::Now)
            .await
            .len(),
        2
    );
    let limited = open
        .store()
        .edges(&uids(&["sg"]), Direction::In, &[], 1, At::Now)
        .await
        .unwrap();
    assert_eq!(limited.len(), 1);
}

#[tokio::test]
async fn what_is_no_longer_told_ends_and_is_still_known_of_the_past() {
    let open = small_vpc().await;
    open.write(edge_set("i-1", "aws", 20, &[])).await;
    assert_eq!(
        ends(&open, "i-1", Direction::Out, &[], At::Now).await,
        [""; 0]
    );
    assert_eq!(
        ends(&open, "i-1", Direction::Out, &[], at(15)).await.len(),
        2
    );
    assert_eq!(
        ends(&open, "i-1", Direction::Out, &[], at(5)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn an_edge_to_what_has_ended_does_not_hold() {
    let open = small_vpc().await;
    open.write(scan(
        "s",
        20,
        &["i-1", "i-2"].map(|uid| Seen { uid, state: 7 }),
    ))
    .await;
    assert_eq!(
        ends(&open, "i-2", Direction::Out, &[], At::Now).await,
        [""; 0]
    );
    assert_eq!(
        ends(&open, "i-2", Direction::Out, &[], at(15)).await,
        ["i-2 SECURED_BY sg"]
    );
}

#[tokio::test]
async fn what_is_seen_by_itself_holds_for_a_time() {
    let open = Open::new().await;
    let now = UnixNanos::now();
    open.write(seen_edge("a", "CALLS", "b", now)).await;
    open.write(seen_edge("a", "CALLS", "old", UnixNanos(60)))
        .await;
    assert_eq!(
        ends(&open, "a", Direction::Out, &[], At::Now).await,
        ["a CALLS b"]
    );
    assert_eq!(
        ends(&open, "a", Direction::Out, &[], at(61)).await,
        ["a CALLS old"]
    );
}

#[tokio::test]
async fn a_node_that_only_an_edge_leads_to_has_a_placeholder() {
    let open = small_vpc().await;
    assert_eq!(open.node("subnet", At::Now).await.unwrap().kind, "unknown");
    assert_eq!(open.node("nowhere", At::Now).await, None);
}

#[tokio::test]
async fn lists_are_filtered_and_paged_in_the_order_of_writing() {
    let open = small_vpc().await;
    open.write(fact(
        "svc:////käse",
        "telemetry",
        "observed",
        "otlp",
        "Käse",
        UnixNanos::now().0,
    ))
    .await;
    open.write(fact(
        "svc:////gone",
        "telemetry",
        "observed",
        "otlp",
        "Gone",
        10,
    ))
    .await;
    open.write(fact("i-2", "lifecycle", "deleted", "trail", "i-2", 20))
        .await;
    let list = async |filter: NodeFilter, after: Option<&str>, limit| {
        let nodes = open
            .store()
            .list(&filter, after, limit, At::Now)
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
        with_ended: true,
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
async fn a_timeline_tells_what_changed_and_who_did_it() {
    let open = small_vpc().await;
    open.write(change("e1", "sg", 15)).await;
    open.write(change("e1", "sg", 15)).await;
    open.write(scan(
        "s",
        20,
        &[Seen {
            uid: "sg",
            state: 8,
        }],
    ))
    .await;
    let entries = open
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
            (10, "node_appeared", "it exists"),
            (10, "node_appeared", "actual is known"),
        ]
    );
    assert_eq!(
        entries[0].details["state"],
        serde_json::json!({"before": 7, "after": 8})
    );
    open.write(edge_set(
        "i-2",
        "aws",
        12,
        &[("SECURED_BY", "sg"), ("PART_OF", "vpc")],
    ))
    .await;
    open.write(edge_set("i-2", "aws", 14, &[("PART_OF", "vpc")]))
        .await;
    let entries = open
        .store()
        .timeline("i-2", UnixNanos(11), UnixNanos(15), 10)
        .await
        .unwrap();
    let reported: Vec<&str> = entries.iter().map(|entry| entry.summary.as_str()).collect();
    assert_eq!(reported, ["no longer SECURED_BY sg", "now PART_OF vpc"]);
    let ended = open
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
async fn what_comes_back_is_told_again() {
    let open = Open::new().await;
    for (began, state) in [
        (10, Some(7)),
        (20, Some(8)),
        (30, Some(7)),
        (40, None),
        (50, Some(7)),
    ] {
        let seen: Vec<Seen> = state
            .iter()
            .map(|state| Seen {
                uid: "sg",
                state: *state,
            })
            .collect();
        open.write(scan("s", began, &seen)).await;
        open.write(scan("s", began + 5, &seen)).await;
    }
    let entries = open
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
async fn commits_tell_what_is_new() {
    let open = small_vpc().await;
    let mut commits = open.store().commits();
    open.write(edge_set(
        "i-2",
        "aws",
        20,
        &[("SECURED_BY", "sg"), ("PART_OF", "subnet")],
    ))
    .await;
    open.write(change("e1", "sg", 25)).await;
    open.write(scan(
        "s",
        30,
        &["sg", "i-1"].map(|uid| Seen { uid, state: 7 }),
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
async fn a_node_without_edges_is_found_by_its_own_uid() {
    let open = Open::new().await;
    open.write(fact("lonely", "telemetry", "observed", "otlp", "l", 10))
        .await;
    let found = open
        .store()
        .resolve(&uids(&["lonely"]), At::Now)
        .await
        .unwrap();
    assert_eq!(found, [uids(&["lonely"])]);
}

#[tokio::test]
async fn an_edge_that_was_told_many_times_is_still_found() {
    let open = Open::new().await;
    for time in 1..=20 {
        let end = format!("sg-{time}");
        open.write(edge_set(
            "i",
            "aws",
            time,
            &[("SECURED_BY", "sg"), ("SECURED_BY", &end)],
        ))
        .await;
    }
    assert_eq!(
        ends(&open, "i", Direction::Out, &[], At::Now).await,
        ["i SECURED_BY sg", "i SECURED_BY sg-20"]
    );
    assert_eq!(
        ends(&open, "sg", Direction::In, &[], At::Now).await,
        ["i SECURED_BY sg"]
    );
}

#[tokio::test]
async fn an_end_is_known_when_its_scan_is_long_past() {
    let open = Open::new().await;
    let scans = |began, uids: &[&'static str]| {
        let seen: Vec<Seen> = uids.iter().map(|uid| Seen { uid, state: 7 }).collect();
        scan("s", began, &seen)
    };
    open.write(scans(10, &["a", "b"])).await;
    for round in 0..40 {
        let others: &[&str] = if round % 2 == 0 { &["a"] } else { &["a", "c"] };
        open.write(scans(20 + round, others)).await;
    }
    let b = open.node("b", At::Now).await.unwrap();
    assert_eq!(b.ended, Some(UnixNanos(20)));
    assert_eq!(open.node("a", At::Now).await.unwrap().ended, None);
}

#[tokio::test]
async fn what_is_no_longer_desired_ends() {
    let open = Open::new().await;
    open.write(fact("planned", "desired", "observed", "terraform", "p", 10))
        .await;
    assert_eq!(open.node("planned", At::Now).await.unwrap().ended, None);
    open.write(fact("planned", "desired", "deleted", "terraform", "p", 20))
        .await;
    assert_eq!(
        open.node("planned", At::Now).await.unwrap().ended,
        Some(UnixNanos(20))
    );
}

#[tokio::test]
async fn what_a_source_has_scanned_is_told_in_pages_without_what_has_ended() {
    let open = Open::new().await;
    let reported = [("a", 7), ("b", 8), ("c", 9)].map(|(uid, state)| Seen { uid, state });
    open.write(scan("s", 10, &reported)).await;
    let changed = [("a", 7), ("c", 10)].map(|(uid, state)| Seen { uid, state });
    open.write(scan("s", 20, &changed)).await;
    open.write(fact("a", "actual", "observed", "other", "x", 30))
        .await;
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = open.store().scanned("aws", after.as_deref(), 2).await;
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
    let nothing = open.store().scanned("gcp", None, 10).await.unwrap();
    assert_eq!(nothing.scanned, []);
}
