//! The current state does not depend on the order in which reports arrive.

use pipeline::Batch;
use pipeline::component::UnixNanos;
use pipeline::graph_store::{AsOf, Directions, GraphStore};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::seq::SliceRandom;

use super::batches::{ScannedNode, edge_snapshot_batch, edge_stats_batch, node_batch, scan_batch};
use super::{TestStore, at};

const UIDS: [&str; 3] = ["sg", "i-1", "i-2"];

fn history() -> impl Strategy<Value = Vec<Batch>> {
    let states = proptest::collection::vec(proptest::option::of(2..4u64), UIDS.len());
    let scans = proptest::collection::btree_map(1..20u64, states, 0..5);
    let event = (0..UIDS.len(), 0..4usize, 1..20u64);
    let events = proptest::collection::vec(event, 0..6);
    (scans, events).prop_map(|(scans, events)| {
        let mut batches = Vec::new();
        for (began, states) in scans {
            let scanned = UIDS.iter().zip(states);
            let scanned: Vec<ScannedNode> = scanned
                .filter_map(|(uid, state)| Some(ScannedNode { uid, state: state? }))
                .collect();
            batches.push(scan_batch("scope", began, &scanned));
        }
        for (uid, event, time) in events {
            let uid = UIDS[uid];
            batches.push(match event {
                0 => node_batch(uid, "lifecycle", "deleted", "trail", uid, time),
                1 => node_batch(uid, "telemetry", "observed", "otlp", "late", time),
                2 => edge_snapshot_batch(
                    uid,
                    "aws",
                    time,
                    &[("SECURED_BY", UIDS[time as usize % 3])],
                ),
                _ => edge_stats_batch(60, "w", time, 1 + time, 0),
            });
        }
        batches
    })
}

async fn state_after(batches: &[Batch]) -> String {
    let test_store = TestStore::new().await;
    for batch in batches {
        test_store.export(batch.clone()).await;
    }
    let uids = UIDS.map(str::to_owned);
    let store = test_store.store();
    let checked = store.check(false).await.unwrap();
    assert!(checked.is_clean(), "{checked:?}");
    let mut nodes = store.nodes(&uids, AsOf::Now).await.unwrap();
    let mut edges = store
        .edges(&uids, Directions::Both, &[], 100, AsOf::Now)
        .await
        .unwrap();
    // In two cases `first_seen` depends on the order of arrival: for an edge of a snapshot, since another state with
    // the same edge does not rewrite it, and for a node to which only edges refer.
    for edge in &mut edges {
        edge.first_seen = UnixNanos(0);
    }
    let known_nodes = nodes.iter_mut().flatten();
    for node in known_nodes.filter(|node| node.kind == "unknown") {
        node.first_seen = UnixNanos(0);
    }
    let stats = store
        .edge_stats(UnixNanos(0), UnixNanos(100))
        .await
        .unwrap();
    format!("{nodes:#?} {edges:#?} {stats:#?}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn files_written_in_any_order_return_the_same_results(batches in history(), seed in any::<u64>()) {
        let mut shuffled = batches.clone();
        shuffled.extend(batches.iter().take(2).cloned());
        shuffled.shuffle(&mut rand::rngs::StdRng::seed_from_u64(seed));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (one, two) = runtime.block_on(async { (state_after(&batches).await, state_after(&shuffled).await) });
        prop_assert_eq!(one, two);
    }
}

#[tokio::test]
async fn an_unchanged_scan_of_thousands_of_nodes_writes_one_row() {
    let test_store = TestStore::new().await;
    let uids: Vec<&'static str> = (0..2_000)
        .map(|index| -> &'static str {
            Box::leak(format!("arn:aws:ec2:eu-west-1:1:instance/i-{index:08x}").into_boxed_str())
        })
        .collect();
    let scanned: Vec<ScannedNode> = uids
        .iter()
        .map(|uid| ScannedNode { uid, state: 9 })
        .collect();
    test_store.export(scan_batch("s", 10, &scanned)).await;
    let before = test_store.rows_written().await;
    test_store.export(scan_batch("s", 20, &scanned)).await;
    assert_eq!(test_store.rows_written().await - before, 1);
    assert_eq!(
        test_store.node(uids[5], AsOf::Now).await.unwrap().last_seen,
        UnixNanos(20)
    );
    test_store.export(scan_batch("s", 30, &scanned[1..])).await;
    assert_eq!(
        test_store.node(uids[0], AsOf::Now).await.unwrap().ended,
        Some(UnixNanos(30))
    );
    assert_eq!(test_store.node(uids[0], at(29)).await.unwrap().ended, None);
}

#[tokio::test]
async fn edge_stats_replace_those_of_their_chunk_and_sum_over_writers() {
    let test_store = TestStore::new().await;
    for batch in [
        edge_stats_batch(60, "one", 0, 5, 1),
        edge_stats_batch(60, "one", 0, 3, 1),
        edge_stats_batch(60, "one", 1, 2, 0),
        edge_stats_batch(60, "two", 0, 10, 4),
        edge_stats_batch(120, "two", 0, 7, 0),
    ] {
        test_store.export(batch).await;
    }
    let sum = test_store
        .store()
        .edge_stats(UnixNanos(60), UnixNanos(120))
        .await
        .unwrap();
    assert_eq!(sum.len(), 1);
    assert_eq!((sum[0].calls, sum[0].errors), (17, 5));
    assert_eq!(sum[0].durations.counts.values().sum::<u64>(), 17);
}
