//! Properties of housekeeping: which history it removes, and which it keeps.

use std::time::Duration;

use super::fixture::{
    DAY, HOUR, edges, id_of, retention_of, run_housekeeping, seen, seen_alias, seen_edge, store,
    tags, write,
};
use crate::claims::{ClaimClass, Existence, Removal};
use crate::component::UnixNanos;
use crate::error_cause::ErrorChain;
use crate::graph_store::{AsOf, Directions, GraphStore as _, NodeFilter, SearchQuery};
use crate::reports::{RemovalReport, ReportBatch};
use crate::store::Store;
use crate::store::rows::{Backend, ReadRows as _};

fn at(time: u64) -> AsOf {
    AsOf::Time(UnixNanos(time))
}

/// The edges of a uid, each as `from to`.
async fn edges_of<B: Backend>(
    store: &Store<B>,
    uid: &str,
    directions: Directions,
    at: AsOf,
) -> Vec<String> {
    let edges = store
        .edges(&[uid.to_owned()], directions, &[], 100, at)
        .await;
    let edges = edges.unwrap().into_iter();
    edges
        .map(|edge| format!("{} {}", edge.from, edge.to))
        .collect()
}

fn removed<'a>(uid: &'a str, scope: &'a str, time: u64, how: Removal) -> RemovalReport<'a> {
    RemovalReport {
        uid,
        class: ClaimClass::Actual,
        source: "aws",
        scope,
        time: UnixNanos(time),
        how,
    }
}

pub(super) async fn reads_before_the_horizon_fail_and_reports_before_it_are_dropped<B: Backend>(
    one: B,
    _: B,
) {
    let store = store(one);
    let report = |time| ReportBatch {
        sightings: vec![seen("a", ClaimClass::Actual, "s", time, 1)],
        edges: vec![seen_edge("a", "b", time)],
        ..ReportBatch::default()
    };
    assert_eq!(write(&store, DAY, report(DAY)).await.too_old, 0);
    run_housekeeping(&store, 12 * DAY, &retention_of(2 * DAY)).await;
    let horizon = store.horizon().await.unwrap();
    assert_eq!(horizon.history(), UnixNanos(10 * DAY));

    let late = report(10 * DAY - 1);
    assert_eq!(write(&store, 12 * DAY, late).await.too_old, 2);
    assert_eq!(write(&store, 12 * DAY, report(10 * DAY)).await.too_old, 0);
    let node = async |at| store.nodes(&["a".to_owned()], at).await;
    let error = node(at(10 * DAY - 1)).await.unwrap_err();
    assert_eq!(error.too_old().unwrap().oldest, UnixNanos(10 * DAY));
    let error = ErrorChain(&error).to_string();
    assert!(
        error.contains("the store keeps history from 1970-01-11T00:00:00Z"),
        "{error}"
    );
    assert!(node(at(10 * DAY)).await.is_ok());
    assert!(node(AsOf::Now).await.is_ok());
    // A longer retention does not lower the horizon.
    run_housekeeping(&store, 12 * DAY, &retention_of(5 * DAY)).await;
    assert_eq!(store.horizon().await.unwrap(), horizon);
    // The interval that contains the horizon keeps its start.
    let node = node(AsOf::Now).await.unwrap().remove(0).unwrap();
    assert_eq!(node.first_seen, UnixNanos(DAY));
    let two_days = retention_of(2 * DAY);
    let metrics = store.metrics(UnixNanos(12 * DAY), &two_days);
    let metrics = metrics.await.unwrap();
    assert_eq!(metrics.oldest_history, Some(UnixNanos(10 * DAY)));
    assert!(metrics.housekeeping_lag.is_zero(), "{metrics:?}");
    let later = store.metrics(UnixNanos(13 * DAY), &two_days);
    let lag = later.await.unwrap().housekeeping_lag;
    assert_eq!(lag, Duration::from_nanos(DAY));
    assert!(metrics.rows.contains(&("claims", 1)), "{metrics:?}");
}

pub(super) async fn removed_node_leaves_no_rows<B: Backend>(one: B, _: B) {
    let store = store(one);
    let tags = tags();
    let mut pod = seen("pod", ClaimClass::Telemetry, "", DAY, 1);
    pod.content.as_mut().unwrap().tags = Some(&tags);
    let ended = |uid| seen(uid, ClaimClass::Actual, "s", DAY, 1);
    let report = ReportBatch {
        sightings: vec![
            pod,
            ended("deleted"),
            ended("released"),
            ended("far"),
            seen("living", ClaimClass::Actual, "s", DAY, 1),
            // Two nodes that end and that have an edge to each other.
            ended("left"),
            ended("right"),
        ],
        snapshots: vec![
            edges("living", "s", DAY, 1, &["far"]),
            edges("left", "s", DAY, 1, &["right"]),
            edges("right", "s", DAY, 1, &["left"]),
        ],
        edges: vec![
            seen_edge("pod", "deleted", DAY),
            seen_edge("pod", "lonely", DAY),
        ],
        aliases: vec![seen_alias("pod", "ip", "10.0.0.1", DAY)],
        ..ReportBatch::default()
    };
    write(&store, DAY, report).await;
    let gone = ["deleted", "far", "left", "right"];
    let mut removals: Vec<RemovalReport<'_>> = gone
        .iter()
        .map(|uid| removed(uid, "s", 2 * DAY, Removal::Deleted))
        .collect();
    removals.push(removed("released", "s", 2 * DAY, Removal::Released));
    let report = ReportBatch {
        removals,
        ..ReportBatch::default()
    };
    write(&store, 2 * DAY, report).await;
    run_housekeeping(&store, 3 * DAY, &retention_of(2 * DAY)).await;
    assert!(
        id_of(&store, "pod").await.is_some(),
        "its last report is not old enough"
    );
    let ids = [
        id_of(&store, "pod").await.unwrap(),
        id_of(&store, "left").await.unwrap(),
    ];

    for round in 0..4 {
        run_housekeeping(&store, (9 + round) * DAY, &retention_of(2 * DAY)).await;
    }
    for uid in ["pod", "deleted", "released", "lonely", "left", "right"] {
        assert_eq!(id_of(&store, uid).await, None, "{uid} stays");
    }
    let mut rows = store.backend().read().await.unwrap();
    assert_eq!(rows.claims(&ids).await.unwrap(), []);
    assert_eq!(rows.versions_of(&ids).await.unwrap(), []);
    assert_eq!(rows.aliases(&ids).await.unwrap(), []);
    assert_eq!(rows.past_edges_in(&ids, &[], None, 9).await.unwrap(), []);
    let owners = rows.past_owners(&["10.0.0.1".to_owned()]).await.unwrap();
    assert_eq!(owners, []);
    drop(rows);
    let names = ["10.0.0.1".to_owned(), "pod".to_owned()];
    assert_eq!(
        store.resolve(&names, AsOf::Now).await.unwrap(),
        [vec![], Vec::<String>::new()]
    );
    for text in ["pod", "shop", "deleted"] {
        let search = SearchQuery {
            text: text.to_owned(),
            ..SearchQuery::default()
        };
        let found = store.search(&search, 9, AsOf::Now).await.unwrap();
        assert!(found.hits.is_empty(), "{text}: {found:?}");
    }
    let counts = store.count_kinds(AsOf::Now).await.unwrap();
    let counts: Vec<u64> = counts.iter().map(|count| count.count).collect();
    assert_eq!(counts, [1], "only `living` is current");
    let filter = NodeFilter {
        include_ended: true,
        ..NodeFilter::default()
    };
    let listed = store.list(&filter, None, 9, AsOf::Now).await.unwrap();
    let listed: Vec<&str> = listed.iter().map(|node| node.uid.as_str()).collect();
    assert_eq!(listed, ["far", "living"]);
    // `far` stays, since an edge leads to it. If it were removed, the edge would become current again.
    assert!(
        edges_of(&store, "living", Directions::Out, AsOf::Now)
            .await
            .is_empty()
    );

    // A removed uid that is seen again becomes a new node.
    let again = ReportBatch {
        sightings: vec![seen("deleted", ClaimClass::Actual, "s", 12 * DAY, 1)],
        ..ReportBatch::default()
    };
    write(&store, 12 * DAY, again).await;
    let node = store
        .nodes(&["deleted".to_owned()], AsOf::Now)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(node.unwrap().first_seen, UnixNanos(12 * DAY));
}

pub(super) async fn past_edges_are_removed_with_the_last_version_that_has_them<B: Backend>(
    one: B,
    _: B,
) {
    let store = store(one);
    let ends = ["e0", "e1", "e2", "e3", "e4", "e5", "e6", "e7"];
    for (day, _) in (1_u64..).zip(&ends) {
        // An edge that all states have, an edge that only this state has, and an edge that two consecutive states have.
        let to = [
            "all",
            ends[day as usize - 1],
            ["x", "y", "z", "w"][day as usize / 2 % 4],
        ];
        let report = ReportBatch {
            sightings: vec![seen("a", ClaimClass::Actual, "s", day * DAY, day)],
            snapshots: vec![edges("a", "s", day * DAY, day, &to)],
            ..ReportBatch::default()
        };
        write(&store, day * DAY, report).await;
    }
    let answers = async || {
        let mut answers = Vec::new();
        for time in 5..9 {
            for end in ends.iter().chain(&["all", "x", "y", "z", "w"]) {
                let at = at(time * DAY + HOUR);
                answers.push(edges_of(&store, end, Directions::In, at).await);
            }
            answers.push(edges_of(&store, "a", Directions::Out, at(time * DAY + HOUR)).await);
        }
        answers
    };
    let before = answers().await;
    run_housekeeping(&store, 9 * DAY, &retention_of(4 * DAY)).await;
    assert_eq!(answers().await, before);
    let id = id_of(&store, "a").await.unwrap();
    let mut rows = store.backend().read().await.unwrap();
    let past = rows.past_claims(&[id], UnixNanos(0)).await.unwrap();
    let since: Vec<u64> = past.iter().map(|row| row.interval.since.0 / DAY).collect();
    assert_eq!(
        since.len(),
        4,
        "the interval of day 4 contains the cut: {since:?}"
    );
    let versions = rows.versions_of(&[id]).await.unwrap();
    assert_eq!(versions.len(), 5);
    drop(rows);
    for (end, stays) in [
        ("e0", false),
        ("e2", false),
        ("e3", true),
        ("e6", true),
        ("y", false),
    ] {
        let id = id_of(&store, end).await;
        let mut rows = store.backend().read().await.unwrap();
        let found = match id {
            Some(id) => rows.past_edges_in(&[id], &[], None, 9).await.unwrap(),
            None => Vec::new(),
        };
        assert_eq!(!found.is_empty(), stays, "{end}");
    }
}

pub(super) async fn expired_observations_are_removed<B: Backend>(one: B, _: B) {
    let store = store(one);
    let report = ReportBatch {
        sightings: vec![
            seen("a", ClaimClass::Actual, "s", DAY, 1),
            seen("name", ClaimClass::Actual, "s", DAY, 1),
        ],
        edges: vec![seen_edge("a", "old", DAY), seen_edge("a", "new", 9 * DAY)],
        aliases: vec![
            seen_alias("a", "same_as", "name", DAY),
            seen_alias("a", "ip", "10.0.0.1", DAY),
            seen_alias("a", "ip", "10.0.0.2", 9 * DAY),
        ],
        ..ReportBatch::default()
    };
    write(&store, 9 * DAY, report).await;
    let listed = async || {
        let nodes = store.list(&NodeFilter::default(), None, 9, AsOf::Now).await;
        let nodes = nodes.unwrap().into_iter();
        nodes.map(|node| node.uid).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, ["a"]);
    run_housekeeping(&store, 10 * DAY, &retention_of(3 * DAY)).await;
    assert_eq!(
        listed().await,
        ["a", "name"],
        "the alias same_as that merged it has expired"
    );
    let id = id_of(&store, "a").await.unwrap();
    let mut rows = store.backend().read().await.unwrap();
    let aliases = rows.aliases(&[id]).await.unwrap();
    assert_eq!(aliases.len(), 1);
    drop(rows);
    let search = |text: &str| SearchQuery {
        text: text.to_owned(),
        ..SearchQuery::default()
    };
    for (text, count) in [("10.0.0.1", 0), ("10.0.0.2", 1)] {
        let found = store.search(&search(text), 9, AsOf::Now).await.unwrap();
        assert_eq!(found.hits.len(), count, "{text}");
    }
    let edges = edges_of(&store, "a", Directions::Out, at(9 * DAY)).await;
    assert_eq!(edges, ["a new"]);
}

pub(super) async fn snapshot_whose_report_is_in_flight_stays<B: Backend>(one: B, _: B) {
    let store = store(one);
    for (day, state) in [(1, 1), (2, 2), (3, 2)] {
        let report = ReportBatch {
            sightings: vec![seen("a", ClaimClass::Actual, "s", day * DAY, state)],
            snapshots: vec![edges(
                "a",
                "s",
                day * DAY,
                state,
                &["one", "two"][..state as usize],
            )],
            ..ReportBatch::default()
        };
        write(&store, day * DAY, report).await;
    }
    // The edges of an old state arrive before housekeeping, and the row with that state arrives after it.
    let now = 9 * DAY;
    let first = ReportBatch {
        snapshots: vec![edges("a", "s", now, 1, &["one"])],
        ..ReportBatch::default()
    };
    write(&store, now, first).await;
    run_housekeeping(&store, now, &retention_of(2 * DAY)).await;
    let second = ReportBatch {
        sightings: vec![seen("a", ClaimClass::Actual, "s", now, 1)],
        ..ReportBatch::default()
    };
    write(&store, now, second).await;
    assert_eq!(
        edges_of(&store, "a", Directions::Out, AsOf::Now).await,
        ["a one"]
    );
}

pub(super) async fn deletion_that_made_a_claim_stale_stays<B: Backend>(one: B, _: B) {
    let store = store(one);
    let in_scope = |scope, time| ReportBatch {
        sightings: vec![seen("a", ClaimClass::Actual, scope, time, 1)],
        ..ReportBatch::default()
    };
    let gone = |time, how| ReportBatch {
        removals: vec![removed("a", "other", time, how)],
        ..ReportBatch::default()
    };
    // The scope `silent` makes no more scans. The scope `other` deletes the node, sees it again and releases it.
    write(&store, DAY, in_scope("silent", DAY)).await;
    write(&store, DAY, in_scope("other", DAY)).await;
    write(&store, 3 * DAY, gone(3 * DAY, Removal::Deleted)).await;
    write(&store, 4 * DAY, in_scope("other", 4 * DAY)).await;
    write(&store, 5 * DAY, gone(5 * DAY, Removal::Released)).await;
    let unobserved = Existence::Unobserved(UnixNanos(5 * DAY));
    for _ in 0..2 {
        let inspected = store.inspect("a").await.unwrap().unwrap();
        for at in [AsOf::Now, at(8 * DAY)] {
            assert_eq!(inspected.existence(at), unobserved, "{at:?}");
        }
        run_housekeeping(&store, 10 * DAY, &retention_of(3 * DAY)).await;
    }
}
