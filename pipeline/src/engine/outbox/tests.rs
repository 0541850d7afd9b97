//! Tests of the order, the bound and the coalescing of an outbox.

use std::collections::BTreeMap;

use arrow_array::types::{Int64Type, TimestampNanosecondType, UInt64Type};

use super::*;
use crate::Delivery;
use crate::component::UnixNanos;
use crate::rows::{Cell, Rows};
use crate::schema::{edge_stats, metrics};
use crate::testing::{batch, uids};

fn outbox(bound: usize) -> Outbox {
    Outbox::new("exporters/x".to_owned(), bound)
}

/// Closes the outbox and takes all its batches.
async fn taken(outbox: &Outbox) -> Vec<Batch> {
    outbox.close();
    let mut taken = Vec::new();
    while let Some(batches) = outbox.take(|_, _, _| false).await {
        for batch in batches {
            outbox.complete_oldest();
            taken.push(batch);
        }
    }
    taken
}

/// The calls of each edge and minute in the outbox.
async fn taken_calls(outbox: &Outbox) -> BTreeMap<(String, i64), u64> {
    let mut last = BTreeMap::new();
    let batches = taken(outbox).await.into_iter();
    for batch in batches.filter(|batch| batch.signal() == Signal::EdgeStats) {
        let calls = batch.numbers::<UInt64Type>(edge_stats::CALLS);
        for (row, uid) in uids(&batch).into_iter().enumerate() {
            let minute = batch.numbers::<TimestampNanosecondType>("time");
            let key = (uid, minute.value(row) / 60_000_000_000);
            let before = last.insert(key, calls.value(row));
            assert!(
                before < Some(calls.value(row)),
                "an older value after a newer one"
            );
        }
    }
    last
}

/// Edge stats: the calls so far of each edge and minute.
fn stats(rows: &[(&str, u64, u64)]) -> Batch {
    let mut stats = Rows::new(Signal::EdgeStats);
    for (from, minute, calls) in rows {
        let cells = [
            (edge_stats::KIND, Cell::Text("CALLS")),
            (edge_stats::TO, Cell::Text("to")),
            (edge_stats::CALLS, Cell::UInt(*calls)),
        ];
        let minute = UnixNanos(minute * 60_000_000_000);
        stats.push(Some(minute), Some(from), "service_graph", &cells);
    }
    stats.finish(Delivery::untracked())
}

/// One point of each of 20 series.
fn sums(name: &str, temporality: i64, time: u64) -> Batch {
    let mut rows = Rows::new(Signal::Metrics);
    for series in 0..20 {
        let name = format!("{name}-{series}");
        let cells = [
            (metrics::NAME, Cell::Text(&name)),
            (metrics::TYPE, Cell::Text("sum")),
            (metrics::AGGREGATION_TEMPORALITY, Cell::Int(temporality)),
            (metrics::TIME_UNIX_NANO, Cell::UInt(time)),
            (metrics::VALUE_INT, Cell::Int(time.cast_signed())),
        ];
        rows.push(None, None, "service_graph", &cells);
    }
    rows.finish(Delivery::untracked())
}

#[tokio::test]
async fn rows_keep_their_order_until_the_exporter_has_them() {
    let outbox = outbox(1 << 20);
    for uid in ["a", "b", "c"] {
        outbox.put(batch(Signal::Logs, &[uid]));
    }
    let first = outbox.take(|_, _, _| false).await.unwrap();
    assert_eq!(uids(&first[0]), ["a"]);
    assert_eq!(outbox.held(), (3, 3), "the first batch is still in flight");
    outbox.complete_oldest();
    assert_eq!(outbox.held(), (2, 2));
    let rest: Vec<_> = taken(&outbox).await.iter().flat_map(uids).collect();
    assert_eq!(rest, ["b", "c"]);
    assert_eq!((outbox.held(), outbox.bytes()), ((0, 0), 0));
}

#[tokio::test]
async fn full_outbox_drops_and_counts_the_oldest_rows() {
    let one = outbox(1 << 20);
    one.put(batch(Signal::Logs, &["a"]));
    let outbox = outbox(one.bytes() * 5 / 2);
    for uid in ["a", "b", "c", "d"] {
        outbox.put(batch(Signal::Logs, &[uid]));
    }
    assert_eq!(outbox.dropped(), 2);
    let rest: Vec<_> = taken(&outbox).await.iter().flat_map(uids).collect();
    assert_eq!(rest, ["c", "d"]);
}

#[tokio::test]
async fn batch_that_is_larger_than_the_outbox_is_kept() {
    let outbox = outbox(1);
    outbox.put(batch(Signal::Logs, &["a", "b"]));
    assert_eq!(outbox.dropped(), 0);
    assert_eq!(taken(&outbox).await.len(), 1);
}

#[tokio::test]
async fn edge_stats_of_an_outage_take_no_more_memory_than_their_edges_and_minutes() {
    let outbox = outbox(64 << 20);
    // 100 edges in two minutes, flushed 1,000 times.
    let edges: Vec<String> = (0..100).map(|edge| format!("edge-{edge}")).collect();
    for flush in 1..=1000 {
        let minute = flush / 501;
        let rows: Vec<_> = edges
            .iter()
            .map(|edge| (edge.as_str(), minute, flush))
            .collect();
        outbox.put(stats(&rows));
    }
    let (batches, rows) = outbox.held();
    assert!(batches < 40 && rows < 4000, "{batches} {rows}");
    assert!(outbox.bytes() < 4 << 20, "{}", outbox.bytes());
    let last = taken_calls(&outbox).await;
    assert_eq!(last.len(), 200);
    for ((_, minute), calls) in last {
        assert_eq!(calls, if minute == 0 { 500 } else { 1000 });
    }
    assert_eq!(outbox.dropped(), 0, "only replaced rows were removed");
}

#[tokio::test]
async fn cumulative_series_keeps_its_newest_point_and_delta_series_keeps_all() {
    let outbox = outbox(64 << 20);
    for time in 1..=200 {
        outbox.put(sums("total", 2, time));
        outbox.put(sums("delta", 1, time));
    }
    assert_eq!(outbox.dropped(), 0);
    let (mut totals, mut deltas) = (Vec::new(), 0);
    for batch in taken(&outbox).await {
        let values = batch.numbers::<Int64Type>(metrics::VALUE_INT);
        for row in 0..batch.num_rows() {
            match batch.text(metrics::NAME).value(row) {
                "total-7" => totals.push(values.value(row)),
                name => deltas += usize::from(name.starts_with("delta")),
            }
        }
    }
    assert_eq!(deltas, 4000);
    assert_eq!(totals.last(), Some(&200));
    assert!(totals.is_sorted() && totals.len() < 100, "{}", totals.len());
}

/// Statistics of each edge of a range in one minute, with `calls` calls.
fn flush(edges: std::ops::Range<u64>, minute: u64, calls: u64) -> Batch {
    let names: Vec<String> = edges.map(|edge| format!("edge-{edge}")).collect();
    let rows: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), minute, calls))
        .collect();
    stats(&rows)
}

#[tokio::test]
async fn full_outbox_removes_replaced_rows_before_it_drops_any() {
    // All rows together are fewer than `COALESCE_ROWS`, so only a full outbox coalesces them.
    let one = outbox(1 << 20);
    one.put(flush(0..60, 0, 1));
    let outbox = outbox(8 * one.bytes());
    for calls in 1..=16 {
        outbox.put(flush(0..60, 0, calls));
    }
    assert_eq!(outbox.dropped(), 0);
    let last = taken_calls(&outbox).await;
    assert!(last.len() == 60 && last.values().all(|calls| *calls == 16));
}

#[tokio::test]
async fn rows_that_a_full_outbox_drops_are_counted_exactly() {
    let outbox = outbox(128 << 10);
    let mut all = BTreeMap::new();
    for minute in 0..40 {
        for calls in 1..=5 {
            let edges = minute..minute + 50;
            outbox.put(flush(edges.clone(), minute, calls));
            for edge in edges {
                all.insert((format!("edge-{edge}"), minute.cast_signed()), calls);
            }
            assert!(outbox.bytes() <= 128 << 10);
        }
    }
    let left = taken_calls(&outbox).await;
    assert!(!left.is_empty() && left.len() < all.len());
    assert_eq!((all.len() - left.len()) as u64, outbox.dropped());
    assert!(left.iter().all(|(key, calls)| all[key] == *calls));
}

#[tokio::test]
async fn small_batches_that_remain_are_merged() {
    let outbox = outbox(64 << 20);
    // In each step, one edge is flushed for the last time.
    for minute in 0..200 {
        outbox.put(batch(Signal::Logs, &["between"]));
        outbox.put(flush(minute..minute + 30, 0, minute + 1));
    }
    let (batches, _) = outbox.held();
    assert!(batches < 200 + 40, "{batches}");
    assert_eq!(taken_calls(&outbox).await.len(), 229);
    assert_eq!((outbox.held(), outbox.bytes()), ((0, 0), 0));
}

#[tokio::test]
async fn batches_are_taken_together_while_goes_with_returns_true() {
    let outbox = outbox(1 << 20);
    for uid in ["a", "b", "c", "d"] {
        outbox.put(batch(Signal::Logs, &[uid]));
    }
    let two = |before: &RowCounts, _: &Batch, _: &Batch| before.total() < 2;
    let taken = outbox.take(two).await.unwrap();
    assert_eq!(taken.len(), 2);
    outbox.complete_oldest();
    assert_eq!(outbox.held(), (3, 3), "one of them is still in flight");
    outbox.complete_oldest();
    assert_eq!(outbox.held(), (2, 2));
}
