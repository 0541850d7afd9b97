//! Statistics of edges.

use super::fixture::{DAY, HOUR, MINUTE, id_of, keep_house, kept, seen, store, write};
use crate::claims::Class;
use crate::component::UnixNanos;
use crate::graph_store::{self, GraphStore as _};
use crate::reports::{EdgeStats, ReportBatch};
use crate::store::Store;
use crate::store::rows::{Backend, ReadRows as _, Resolution};

fn stats<'a>(from: &'a str, minute: u64, writer: &'a str, chunk: u32, calls: u64) -> EdgeStats<'a> {
    EdgeStats {
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
        // Of two scales.
        scale: (calls % 2) as i32,
        offset: (calls % 5) as i32 - 2,
        counts: vec![calls / 2, 0, calls / 3],
    }
}

async fn figures<B: Backend>(store: &Store<B>, from: u64, to: u64) -> Vec<graph_store::EdgeStats> {
    let figures = store.edge_stats(UnixNanos(from), UnixNanos(to)).await;
    let mut figures = figures.unwrap();
    for edge in &mut figures {
        // The hour in which the first minute is.
        edge.since = UnixNanos(edge.since.0 / HOUR * HOUR);
    }
    figures
}

pub(super) async fn old_minutes_become_hours<B: Backend>(one: B, _: B) {
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
    let spans = [
        (0, u64::MAX / 4),
        (base + HOUR, base + 2 * HOUR),
        (base, base + 3 * HOUR),
    ];
    let mut before = Vec::new();
    for (from, to) in spans {
        before.push(figures(&store, from, to).await);
    }
    // Of the five hours two are an hour and more before the horizon.
    let now = base + 3 * HOUR + 30 * MINUTE + 10 * DAY;
    keep_house(&store, now, &kept(10 * DAY)).await;
    for ((from, to), before) in spans.into_iter().zip(before) {
        assert_eq!(figures(&store, from, to).await, before, "{from} to {to}");
    }
    let mut rows = store.backend().read().await.unwrap();
    let ever = (UnixNanos(0), UnixNanos(u64::MAX));
    let hours = rows
        .edge_stats(Resolution::Hour, ever.0, ever.1)
        .await
        .unwrap();
    assert_eq!(hours.len(), 2 * 3);
    let oldest = rows.oldest_edge_stats(Resolution::Minute).await.unwrap();
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

    keep_house(&store, base + 40 * DAY, &kept(10 * DAY)).await;
    let mut rows = store.backend().read().await.unwrap();
    for resolution in [Resolution::Minute, Resolution::Hour] {
        assert_eq!(rows.oldest_edge_stats(resolution).await.unwrap(), None);
    }
}

pub(super) async fn node_of_statistics_stays<B: Backend>(one: B, _: B) {
    let store = store(one);
    let base = 20 * DAY;
    let report = ReportBatch {
        sightings: vec![seen("a", Class::Telemetry, "", base, 1)],
        edge_stats: vec![stats("a", base, "one", 0, 5)],
        ..ReportBatch::default()
    };
    write(&store, base, report).await;
    let before = figures(&store, base, base + HOUR).await;
    keep_house(&store, base + 12 * DAY, &kept(5 * DAY)).await;
    assert!(id_of(&store, "a").await.is_some());
    assert_eq!(figures(&store, base, base + HOUR).await, before);
    keep_house(&store, base + 19 * DAY, &kept(5 * DAY)).await;
    assert_eq!(id_of(&store, "a").await, None);
    assert_eq!(id_of(&store, "b").await, None, "only statistics named it");
}
