//! Properties of old edge statistics.

use super::fixture::{
    DAY, HOUR, MINUTE, id_of, retention_of, run_housekeeping, seen, store, write,
};
use crate::claims::ClaimClass;
use crate::component::UnixNanos;
use crate::graph_store::{EdgeStats, GraphStore as _};
use crate::reports::{EdgeStatsReport, ReportBatch};
use crate::store::Store;
use crate::store::rows::{Backend, ReadRows as _, StatsResolution};

/// The statistics of an edge from `from` to `b` in one minute.
fn stats<'a>(
    from: &'a str,
    minute: u64,
    writer: &'a str,
    chunk: u32,
    calls: u64,
) -> EdgeStatsReport<'a> {
    EdgeStatsReport {
        from,
        kind: "CALLS",
        to: "b",
        connection_type: "",
        minute: UnixNanos(minute),
        writer,
        chunk,
        calls,
        errors: calls / 3,
        duration_sum: calls as f64,
        duration_max: minute as f64,
        // Scale 0 or 1.
        scale: (calls % 2) as i32,
        offset: (calls % 5) as i32 - 2,
        counts: vec![calls / 2, 0, calls / 3],
    }
}

/// Reads the statistics of all edges in the minutes that begin in `from..to`.
async fn read_stats<B: Backend>(store: &Store<B>, from: u64, to: u64) -> Vec<EdgeStats> {
    let stats = store.edge_stats(UnixNanos(from), UnixNanos(to)).await;
    let mut stats = stats.unwrap();
    for edge in &mut stats {
        // Of merged minutes, the store keeps only the hour of the first minute.
        edge.since = UnixNanos(edge.since.0 / HOUR * HOUR);
    }
    stats
}

pub(super) async fn expired_minutes_are_summed_to_hours<B: Backend>(one: B, _: B) {
    let store = store(one);
    let base = 20 * DAY;
    let mut all = Vec::new();
    for minute in 0..300 {
        for from in ["a", "c", "d"] {
            for (writer, chunk) in [("one", 0), ("one", 1), ("two", 0)] {
                let calls = 2 + minute % 7 + u64::from(chunk);
                all.push(stats(from, base + minute * MINUTE, writer, chunk, calls));
            }
        }
    }
    let report = ReportBatch {
        edge_stats: all,
        ..ReportBatch::default()
    };
    write(&store, base, report).await;
    let ranges = [
        (0, u64::MAX / 4),
        (base + HOUR, base + 2 * HOUR),
        (base, base + 3 * HOUR),
    ];
    let mut before = Vec::new();
    for (from, to) in ranges {
        before.push(read_stats(&store, from, to).await);
    }
    // Two of the five hours end an hour or more before the horizon.
    let now = base + 3 * HOUR + 30 * MINUTE + 10 * DAY;
    run_housekeeping(&store, now, &retention_of(10 * DAY)).await;
    for ((from, to), before) in ranges.into_iter().zip(before) {
        assert_eq!(read_stats(&store, from, to).await, before, "{from} to {to}");
    }
    let mut rows = store.backend().read().await.unwrap();
    let hours = rows
        .edge_stats(StatsResolution::Hour, UnixNanos(0), UnixNanos(u64::MAX))
        .await
        .unwrap();
    assert_eq!(hours.len(), 2 * 3);
    let oldest = rows
        .oldest_edge_stats(StatsResolution::Minute)
        .await
        .unwrap();
    assert_eq!(oldest, Some(UnixNanos(base + 2 * HOUR)));
    drop(rows);
    let late = ReportBatch {
        edge_stats: vec![
            stats("a", base + 3 * HOUR - MINUTE, "three", 0, 5),
            stats("a", base + 3 * HOUR, "three", 0, 5),
        ],
        ..ReportBatch::default()
    };
    assert_eq!(write(&store, now, late).await.too_old, 1);

    run_housekeeping(&store, base + 40 * DAY, &retention_of(10 * DAY)).await;
    let mut rows = store.backend().read().await.unwrap();
    for resolution in [StatsResolution::Minute, StatsResolution::Hour] {
        assert_eq!(rows.oldest_edge_stats(resolution).await.unwrap(), None);
    }
}

pub(super) async fn node_is_kept_while_edge_statistics_name_it<B: Backend>(one: B, _: B) {
    let store = store(one);
    let base = 20 * DAY;
    let report = ReportBatch {
        sightings: vec![seen("a", ClaimClass::Telemetry, "", base, 1)],
        edge_stats: vec![stats("a", base, "one", 0, 5)],
        ..ReportBatch::default()
    };
    write(&store, base, report).await;
    let before = read_stats(&store, base, base + HOUR).await;
    run_housekeeping(&store, base + 12 * DAY, &retention_of(5 * DAY)).await;
    assert!(id_of(&store, "a").await.is_some());
    assert_eq!(read_stats(&store, base, base + HOUR).await, before);
    run_housekeeping(&store, base + 19 * DAY, &retention_of(5 * DAY)).await;
    assert_eq!(id_of(&store, "a").await, None);
    assert_eq!(
        id_of(&store, "b").await,
        None,
        "only the removed statistics named it"
    );
}
