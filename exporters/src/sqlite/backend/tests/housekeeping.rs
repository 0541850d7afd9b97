//! Tests that housekeeping limits the size of a file, and that it finishes while reports keep arriving.
//! `benches/graph` measures how long writers wait for housekeeping.

use std::path::Path;
use std::time::Duration;

use pipeline::attributes::MapBuilder;
use pipeline::claims::{ClaimClass, ReportedBy};
use pipeline::component::UnixNanos;
use pipeline::reports::{EdgeStatsReport, NodeContent, ReportBatch, Sighting};
use pipeline::store::rows::Backend as _;
use pipeline::store::{Retention, Store};
use pipeline::testing::{self, store_over};

use super::{SqliteBackend, open};

const HOUR: u64 = 3_600_000_000_000;
const DAY: u64 = 24 * HOUR;

/// Opens a file with the settings of the exporter, so that SQLite can return free pages in small steps.
async fn open_store(path: &Path) -> Store<SqliteBackend> {
    let observed_edge_ttl = Duration::from_secs(3600);
    store_over(open(path).await, observed_edge_ttl)
}

fn retention_of_days(days: u64) -> Retention {
    let kept = Duration::from_secs(days * 24 * 3600);
    Retention {
        history: kept,
        edge_stats: kept,
        edge_stats_hourly: kept,
        records: kept,
    }
}

/// Reports a state of each node, with a value of about 500 bytes.
async fn report(store: &Store<SqliteBackend>, time: u64, uids: &[String], state: u64) {
    let text = format!("{state:0500}");
    let value = MapBuilder::new().text("configuration", &text).finish();
    let sightings = uids.iter().map(|uid| Sighting {
        uid,
        class: ClaimClass::Actual,
        source: "aws",
        scope: "s",
        time: UnixNanos(time),
        state,
        by: ReportedBy::Scan,
        content: Some(NodeContent {
            kind: Some("thing"),
            name: Some(uid),
            value: Some(&value),
            ..NodeContent::default()
        }),
    });
    let report = ReportBatch {
        sightings: sightings.collect(),
        ..ReportBatch::default()
    };
    store.write_at(&report, UnixNanos(time)).await.unwrap();
}

/// Reports a minute of calls on the edges between consecutive uids.
async fn report_calls(store: &Store<SqliteBackend>, minute: u64, uids: &[String]) {
    let ends = uids.iter().zip(uids.iter().skip(1));
    let stats = ends.map(|(from, to)| EdgeStatsReport {
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

async fn run_housekeeping(store: &Store<SqliteBackend>, now: u64, retention: &Retention) -> usize {
    let steps = testing::run_housekeeping(store, UnixNanos(now), retention).await;
    steps.unwrap()
}

fn uids(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("node-{number:06}"))
        .collect()
}

#[tokio::test]
async fn a_file_with_housekeeping_stops_growing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_store(&folder.path().join("graph.db")).await;
    let uids = uids(120);
    let mut sizes = Vec::new();
    for day in 1..=14 {
        // Half of the reported nodes change every day. The other half are new nodes that exist for an hour.
        let (live, dying) = uids.split_at(60);
        report(&store, day * DAY, live, day).await;
        let dying: Vec<String> = dying.iter().map(|uid| format!("{uid}-{day}")).collect();
        report(&store, day * DAY, &dying, day).await;
        remove(&store, day * DAY + HOUR, &dying).await;
        for minute in 0..20 {
            report_calls(&store, day * DAY + minute * HOUR / 60, live).await;
        }
        run_housekeeping(&store, day * DAY + 2 * HOUR, &retention_of_days(2)).await;
        let size = store.backend().store_size().await.unwrap();
        assert_eq!(size.free_bytes, 0, "day {day}");
        sizes.push(size.bytes);
    }
    let (early, late) = (sizes[5], sizes[13]);
    assert!(late < early + early / 5, "{sizes:?}");
    let two_days = retention_of_days(2);
    let metrics = store.metrics(UnixNanos(15 * DAY), &two_days);
    let metrics = metrics.await.unwrap();
    let rows = |table| metrics.rows.iter().find(|(name, _)| *name == table);
    assert!(rows("claims").unwrap().1 < 400, "{metrics:?}");
    assert_eq!(metrics.bytes, late);
}

async fn remove(store: &Store<SqliteBackend>, time: u64, uids: &[String]) {
    let removals = uids.iter().map(|uid| pipeline::reports::RemovalReport {
        uid,
        class: ClaimClass::Actual,
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
async fn housekeeping_finishes_although_reports_keep_arriving() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_store(&folder.path().join("graph.db")).await;
    let uids = uids(1000);
    let mut steps = 0;
    for uid in &uids {
        report(&store, DAY, std::slice::from_ref(uid), 1).await;
        let now = UnixNanos(DAY + HOUR);
        let progress = store.housekeep(now, &retention_of_days(2)).await.unwrap();
        steps += 1;
        if progress.is_done && steps > 20 {
            return;
        }
    }
    panic!("housekeeping never finishes");
}
