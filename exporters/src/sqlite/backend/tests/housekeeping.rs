//! What housekeeping does to a file: it stops growing. `benches/graph` says how long writers wait.

use std::path::Path;
use std::time::Duration;

use pipeline::attributes::MapBuilder;
use pipeline::claims::{By, Class};
use pipeline::component::UnixNanos;
use pipeline::reports::{Content, EdgeStats, ReportBatch, Sighting};
use pipeline::store::rows::Backend as _;
use pipeline::store::{Retention, Settings, Store};

use super::{SqliteBackend, open};

const HOUR: u64 = 3_600_000_000_000;
const DAY: u64 = 24 * HOUR;

/// As the exporter makes a file: free pages can be given back step by step.
async fn incremental(path: &Path) -> Store<SqliteBackend> {
    let seen_for = Duration::from_secs(3600);
    Store::new(open(path).await, Settings { seen_for })
}

fn days(history: u64) -> Retention {
    let kept = Duration::from_secs(history * 24 * 3600);
    Retention {
        history: kept,
        edge_stats: kept,
        edge_stats_hourly: kept,
        records: kept,
    }
}

/// Each node in a state of its own, with a value of some hundred bytes.
async fn report(store: &Store<SqliteBackend>, time: u64, uids: &[String], state: u64) {
    let text = format!("{state:0500}");
    let value = MapBuilder::new().text("configuration", &text).finish();
    let sightings = uids.iter().map(|uid| Sighting {
        uid,
        class: Class::Actual,
        source: "aws",
        scope: "s",
        time: UnixNanos(time),
        state,
        by: By::Scan,
        content: Some(Content {
            kind: Some("thing"),
            name: Some(uid),
            value: Some(&value),
            ..Content::default()
        }),
    });
    let report = ReportBatch {
        sightings: sightings.collect(),
        ..ReportBatch::default()
    };
    store.write_at(&report, UnixNanos(time)).await.unwrap();
}

/// A minute of calls on edges between neighbours.
async fn count(store: &Store<SqliteBackend>, minute: u64, uids: &[String]) {
    let ends = uids.iter().zip(uids.iter().skip(1));
    let stats = ends.map(|(from, to)| EdgeStats {
        from,
        kind: "CALLS",
        to,
        connection_type: "",
        minute: UnixNanos(minute),
        writer: "one",
        chunk: 0,
        calls: 60,
        errors: 1,
        duration_sum: 1.0,
        duration_max: 0.5,
        scale: 3,
        offset: -20,
        counts: vec![1; 20],
    });
    let report = ReportBatch {
        edge_stats: stats.collect(),
        ..ReportBatch::default()
    };
    store.write_at(&report, UnixNanos(minute)).await.unwrap();
}

async fn keep_house(store: &Store<SqliteBackend>, now: u64, retention: &Retention) -> usize {
    for step in 0..100_000 {
        let progress = store.housekeep(UnixNanos(now), retention).await.unwrap();
        if progress.is_done {
            return step;
        }
    }
    panic!("housekeeping never ends");
}

fn uids(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("node-{number:06}"))
        .collect()
}

#[tokio::test]
async fn a_file_that_is_kept_stops_growing() {
    let folder = tempfile::tempdir().unwrap();
    let store = incremental(&folder.path().join("graph.db")).await;
    let uids = uids(120);
    let mut sizes = Vec::new();
    for day in 1..=14 {
        // Half of them live for a day, the others change.
        let (live, dying) = uids.split_at(60);
        report(&store, day * DAY, live, day).await;
        let dying: Vec<String> = dying.iter().map(|uid| format!("{uid}-{day}")).collect();
        let gone: Vec<String> = dying.clone();
        report(&store, day * DAY, &dying, day).await;
        remove(&store, day * DAY + HOUR, &gone).await;
        for minute in 0..20 {
            count(&store, day * DAY + minute * HOUR / 60, live).await;
        }
        keep_house(&store, day * DAY + 2 * HOUR, &days(2)).await;
        let size = store.backend().sizes().await.unwrap();
        assert_eq!(size.free_bytes, 0, "day {day}");
        sizes.push(size.bytes);
    }
    let (early, late) = (sizes[5], sizes[13]);
    assert!(late < early + early / 5, "{sizes:?}");
    let two_days = days(2);
    let figures = store.figures(UnixNanos(15 * DAY), &two_days);
    let figures = figures.await.unwrap();
    let rows = |table| figures.rows.iter().find(|(name, _)| *name == table);
    assert!(rows("claims").unwrap().1 < 400, "{figures:?}");
    assert_eq!(figures.bytes, late);
}

async fn remove(store: &Store<SqliteBackend>, time: u64, uids: &[String]) {
    let removals = uids.iter().map(|uid| pipeline::reports::Removed {
        uid,
        class: Class::Actual,
        source: "aws",
        scope: "s",
        time: UnixNanos(time),
        how: pipeline::claims::Removal::Deleted,
    });
    let report = ReportBatch {
        removals: removals.collect(),
        ..ReportBatch::default()
    };
    store.write_at(&report, UnixNanos(time)).await.unwrap();
}

#[tokio::test]
async fn housekeeping_ends_beside_a_writer() {
    let folder = tempfile::tempdir().unwrap();
    let store = incremental(&folder.path().join("graph.db")).await;
    let uids = uids(1000);
    let mut steps = 0;
    for uid in &uids {
        report(&store, DAY, std::slice::from_ref(uid), 1).await;
        let now = UnixNanos(DAY + HOUR);
        let progress = store.housekeep(now, &days(2)).await.unwrap();
        steps += 1;
        if progress.is_done && steps > 20 {
            return;
        }
    }
    panic!("each write left it something to do");
}
