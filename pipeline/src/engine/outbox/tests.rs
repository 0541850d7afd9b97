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

/// All that is in it.
async fn taken(outbox: &Outbox) -> Vec<Batch> {
    outbox.close();
    let mut taken = Vec::new();
    while let Some(batch) = outbox.take().await {
        outbox.done();
        taken.push(batch);
    }
    taken
}

/// Of each edge and minute the calls that were counted so far.
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
    stats.finish(Delivery::nobody())
}

/// A point of each of 20 series.
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
    rows.finish(Delivery::nobody())
}

#[tokio::test]
async fn rows_stay_in_their_order_until_the_exporter_has_them() {
    let outbox = outbox(1 << 20);
    for uid in ["a", "b", "c"] {
        outbox.put(batch(Signal::Logs, &[uid]));
    }
    assert_eq!(uids(&outbox.take().await.unwrap()), ["a"]);
    assert_eq!(outbox.held(), (3, 3), "it has not been done with");
    outbox.done();
    assert_eq!(outbox.held(), (2, 2));
    let rest: Vec<_> = taken(&outbox).await.iter().flat_map(uids).collect();
    assert_eq!(rest, ["b", "c"]);
    assert_eq!((outbox.held(), outbox.bytes()), ((0, 0), 0));
}

#[tokio::test]
async fn at_the_bound_the_oldest_leave_and_are_counted() {
    let one = batch(Signal::Logs, &["a"]);
    let outbox = outbox(one.memory() * 5 / 2);
    for uid in ["a", "b", "c", "d"] {
        outbox.put(batch(Signal::Logs, &[uid]));
    }
    assert_eq!(outbox.dropped(), 2);
    let rest: Vec<_> = taken(&outbox).await.iter().flat_map(uids).collect();
    assert_eq!(rest, ["c", "d"]);
}

#[tokio::test]
async fn a_batch_above_the_bound_passes_alone() {
    let outbox = outbox(1);
    outbox.put(batch(Signal::Logs, &["a", "b"]));
    assert_eq!(outbox.dropped(), 0);
    assert_eq!(taken(&outbox).await.len(), 1);
}

#[tokio::test]
async fn statistics_of_an_outage_take_no_more_room_than_their_edges_and_minutes() {
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
    let mut last = BTreeMap::new();
    for batch in taken(&outbox).await {
        let calls = batch.numbers::<UInt64Type>(edge_stats::CALLS);
        for (row, uid) in uids(&batch).into_iter().enumerate() {
            let minute = batch.numbers::<TimestampNanosecondType>("time");
            let before = last.insert((uid, minute.value(row)), calls.value(row));
            assert!(
                before < Some(calls.value(row)),
                "an older value after a newer one"
            );
        }
    }
    assert_eq!(last.len(), 200);
    for ((_, minute), calls) in last {
        assert_eq!(calls, if minute == 0 { 500 } else { 1000 });
    }
    assert_eq!(
        outbox.dropped(),
        0,
        "nothing is lost that no newer row replaces"
    );
}

#[tokio::test]
async fn of_a_cumulative_series_the_newest_point_stays_and_all_of_a_delta_series() {
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
