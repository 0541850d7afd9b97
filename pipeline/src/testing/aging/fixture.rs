//! A store with a clock, and reports for it.

use std::time::Duration;

use crate::attributes::MapBuilder;
use crate::claims::{By, Class};
use crate::component::UnixNanos;
use crate::reports::{
    AliasItem, AliasObservation, Content, EdgeItem, EdgeObservation, Items, ReportBatch, Sighting,
    Snapshot,
};
use crate::store::rows::{Backend, NodeId, ReadRows as _};
use crate::store::{Counted, Retention, Settings, Store};

pub(super) const HOUR: u64 = 3_600_000_000_000;
pub(super) const DAY: u64 = 24 * HOUR;
pub(super) const MINUTE: u64 = HOUR / 60;

/// Hours after which an observation does not hold.
pub(super) const SEEN_FOR: u64 = 2;

/// What everything is kept for.
pub(super) fn kept(history: u64) -> Retention {
    let kept = Duration::from_nanos(history);
    Retention {
        history: kept,
        edge_stats: kept,
        edge_stats_hourly: 3 * kept,
        records: kept,
    }
}

pub(super) fn store<B: Backend>(backend: B) -> Store<B> {
    let seen_for = Duration::from_nanos(SEEN_FOR * HOUR);
    Store::new(backend, Settings { seen_for })
}

/// All housekeeping that is due.
pub(super) async fn keep_house<B: Backend>(store: &Store<B>, now: u64, retention: &Retention) {
    for _ in 0..10_000 {
        let progress = store.housekeep(UnixNanos(now), retention).await.unwrap();
        if progress.is_done {
            return;
        }
    }
    panic!("housekeeping never ends");
}

pub(super) async fn write<B: Backend>(
    store: &Store<B>,
    now: u64,
    reports: ReportBatch<'_>,
) -> Counted {
    store.write_at(&reports, UnixNanos(now)).await.unwrap().1
}

pub(super) async fn id_of<B: Backend>(store: &Store<B>, uid: &str) -> Option<NodeId> {
    let mut rows = store.backend().read().await.unwrap();
    rows.find_nodes(&[uid.to_owned()]).await.unwrap().remove(0)
}

pub(super) fn tags() -> Vec<u8> {
    MapBuilder::new().text("team", "shop").finish()
}

pub(super) fn seen<'a>(
    uid: &'a str,
    class: Class,
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
        by: By::Scan,
        content: Some(Content {
            kind: Some("thing"),
            name: Some(uid),
            ..Content::default()
        }),
    }
}

/// All edges of a state of a uid.
pub(super) fn edges<'a>(
    uid: &'a str,
    scope: &'a str,
    time: u64,
    state: u64,
    to: &[&'a str],
) -> Snapshot<'a> {
    let items = to.iter().map(|to| edge(to));
    Snapshot {
        uid,
        source: "aws",
        scope,
        time: UnixNanos(time),
        state: Some(state),
        items: Items::Edges(items.collect()),
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

pub(super) fn seen_edge<'a>(uid: &'a str, to: &'a str, time: u64) -> EdgeObservation<'a> {
    EdgeObservation {
        uid,
        source: "otlp",
        time: UnixNanos(time),
        edge: edge(to),
    }
}

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
