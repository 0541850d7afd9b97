//! Helpers that several properties share: a store, its housekeeping, and reports for it. Times are nanoseconds.

use std::time::Duration;

use crate::attributes::MapBuilder;
use crate::claims::{ClaimClass, ReportedBy};
use crate::component::UnixNanos;
use crate::reports::{
    AliasItem, AliasObservation, EdgeItem, EdgeObservation, NodeContent, ReportBatch, Sighting,
    SnapshotItems, SnapshotReport,
};
use crate::store::rows::{Backend, NodeId, ReadRows as _};
use crate::store::{DroppedReports, Retention, Store};
use crate::testing::{self, store_over};

pub(super) const HOUR: u64 = 3_600_000_000_000;
pub(super) const DAY: u64 = 24 * HOUR;
pub(super) const MINUTE: u64 = HOUR / 60;

/// The time after the last observation of an edge when the edge expires, in hours.
pub(super) const OBSERVED_EDGE_TTL: u64 = 2;

/// A retention that keeps hourly edge statistics for three times `time`, and all other rows for `time`.
pub(super) fn retention_of(time: u64) -> Retention {
    let time = Duration::from_nanos(time);
    Retention {
        history: time,
        edge_stats: time,
        edge_stats_hourly: 3 * time,
        records: time,
    }
}

pub(super) fn store<B: Backend>(backend: B) -> Store<B> {
    store_over(backend, Duration::from_nanos(OBSERVED_EDGE_TTL * HOUR))
}

/// Runs all housekeeping that is due at `now`.
pub(super) async fn run_housekeeping<B: Backend>(
    store: &Store<B>,
    now: u64,
    retention: &Retention,
) {
    let steps = testing::run_housekeeping(store, UnixNanos(now), retention).await;
    steps.unwrap();
}

/// Writes the reports at `now` and returns how many the store dropped.
pub(super) async fn write<B: Backend>(
    store: &Store<B>,
    now: u64,
    reports: ReportBatch<'_>,
) -> DroppedReports {
    store.write_at(&reports, UnixNanos(now)).await.unwrap().1
}

pub(super) async fn id_of<B: Backend>(store: &Store<B>, uid: &str) -> Option<NodeId> {
    let mut rows = store.backend().read().await.unwrap();
    rows.find_nodes(&[uid.to_owned()]).await.unwrap().remove(0)
}

pub(super) fn tags() -> Vec<u8> {
    MapBuilder::new().text("team", "shop").finish()
}

/// A sighting by the source `aws`, in a row of a scan. The name is the uid.
pub(super) fn seen<'a>(
    uid: &'a str,
    class: ClaimClass,
    scope: &'a str,
    time: u64,
    state: u64,
) -> Sighting<'a> {
    Sighting {
        uid,
        class,
        source: "aws",
        scope,
        time: UnixNanos(time),
        state,
        by: ReportedBy::Scan,
        content: Some(NodeContent {
            kind: Some("thing"),
            name: Some(uid),
            ..NodeContent::default()
        }),
    }
}

/// A snapshot of the edges that a uid has in a state.
pub(super) fn edges<'a>(
    uid: &'a str,
    scope: &'a str,
    time: u64,
    state: u64,
    to: &[&'a str],
) -> SnapshotReport<'a> {
    let items = to.iter().map(|to| edge(to));
    SnapshotReport {
        uid,
        source: "aws",
        scope,
        time: UnixNanos(time),
        state: Some(state),
        items: SnapshotItems::Edges(items.collect()),
    }
}

pub(super) fn edge(to: &str) -> EdgeItem<'_> {
    EdgeItem {
        kind: "USES",
        to,
        confidence: 1.0,
        properties: None,
    }
}

/// An observation of an edge by the source `otlp`.
pub(super) fn seen_edge<'a>(uid: &'a str, to: &'a str, time: u64) -> EdgeObservation<'a> {
    EdgeObservation {
        uid,
        source: "otlp",
        time: UnixNanos(time),
        edge: edge(to),
    }
}

/// An observation of an alias by the source `otlp`.
pub(super) fn seen_alias<'a>(
    uid: &'a str,
    kind: &'a str,
    value: &'a str,
    time: u64,
) -> AliasObservation<'a> {
    AliasObservation {
        uid,
        source: "otlp",
        time: UnixNanos(time),
        alias: AliasItem {
            kind,
            value,
            within: "",
            valid_from: None,
            valid_to: None,
        },
    }
}
