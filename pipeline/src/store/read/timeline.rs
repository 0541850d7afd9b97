//! Reads the timeline of a node: its events, described in words, and the records that name it.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map as JsonMap, Value as Json};

use super::events::{EDGES, EventKind, NodeEvent, events};
use super::nodes::object;
use super::reader::GraphReader;
use crate::Signal;
use crate::component::UnixNanos;
use crate::graph_store::TimelineEntry;
use crate::schema::changes;
use crate::store::rows::{
    NodeId, Projection, ReadRows, RecordRow, RowsError, SnapshotKey, SnapshotKind, VersionContent,
    VersionKey, VersionRow,
};
use crate::store::snapshot::{self, SnapshotEdge};

/// The minimum number of events whose contents are read together.
const PAGE: usize = if cfg!(test) { 2 } else { 64 };

/// The signals of records, each with the kind of its timeline entries.
const RECORDS: [(Signal, &str); 5] = [
    (Signal::Changes, "change"),
    (Signal::Drift, "drift"),
    (Signal::Health, "health"),
    (Signal::Correlations, "correlation"),
    (Signal::Alerts, "alert"),
];

/// The contents of the states in some events.
struct EventContents {
    versions: HashMap<VersionKey, VersionRow>,
    /// Edges as texts: `SECURED_BY arn:…`.
    edges: HashMap<SnapshotKey, BTreeSet<String>>,
}

impl<R: ReadRows> GraphReader<R> {
    /// Returns the newest `limit` entries in `from..to` of a node and the nodes merged with it, newest first.
    pub(super) async fn timeline(
        &mut self,
        uid: &str,
        from: UnixNanos,
        to: UnixNanos,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, RowsError> {
        let ids = self.rows.find_nodes(&[uid.to_owned()]).await?;
        let ids: Vec<NodeId> = ids.into_iter().flatten().collect();
        let ids = self.merged_nodes(&ids).await?;
        let mut uids: BTreeSet<String> = ids.iter().map(|id| self.uid(*id).to_owned()).collect();
        uids.insert(uid.to_owned());
        let uids: Vec<String> = uids.into_iter().collect();
        let mut entries = self.record_entries(&uids, from, to, limit).await?;
        entries.extend(self.event_entries(&ids, from, to, limit).await?);
        entries.sort_by(|one, other| (other.time, &other.id).cmp(&(one.time, &one.id)));
        entries.truncate(limit);
        Ok(entries)
    }

    /// Returns the entries of the newest events of nodes: at least `limit`, or all if there are fewer.
    async fn event_entries(
        &mut self,
        ids: &[NodeId],
        from: UnixNanos,
        to: UnixNanos,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, RowsError> {
        let claims = self.claims_since(ids, Some(from)).await?;
        let mut all: Vec<NodeEvent> = Vec::new();
        for (id, claims) in &claims {
            let node = (*id, self.uid(*id));
            all.extend(events(node, claims, &self.scans(), &(from..to), limit));
        }
        all.sort_by(|one, other| (other.time, &other.id).cmp(&(one.time, &one.id)));
        let mut entries = Vec::new();
        for page in all.chunks(limit.max(PAGE)) {
            let contents = self.contents(page).await?;
            entries.extend(page.iter().filter_map(|event| self.entry(event, &contents)));
            if entries.len() >= limit {
                break;
            }
        }
        Ok(entries)
    }

    /// Reads the contents of the states that events refer to.
    async fn contents(&mut self, events: &[NodeEvent]) -> Result<EventContents, RowsError> {
        let (mut values, mut with_edges) = (Vec::new(), Vec::new());
        for event in events {
            if let EventKind::State { before, now } = &event.kind {
                let keys = before.iter().chain([now]);
                let keys = keys.map(|(key, state)| self.words.version_key(event.node, key, *state));
                match event.group == EDGES {
                    true => with_edges.extend(keys),
                    false => values.extend(keys),
                }
            }
        }
        let mut versions = self.versions(with_edges, Projection::Header).await?;
        let snapshot_keys: BTreeSet<SnapshotKey> =
            versions.values().filter_map(edge_snapshot_key).collect();
        versions.extend(self.versions(values, Projection::Full).await?);
        let snapshot_keys: Vec<SnapshotKey> = snapshot_keys.into_iter().collect();
        let snapshots = match snapshot_keys.is_empty() {
            true => Vec::new(),
            false => self.rows.snapshots(&snapshot_keys).await?,
        };
        let snapshots = snapshots.into_iter();
        let snapshots: Vec<(SnapshotKey, Vec<SnapshotEdge>)> = snapshots
            .map(|(key, bytes)| (key, snapshot::decode_edges(&bytes)))
            .collect();
        let items = || snapshots.iter().flat_map(|(_, items)| items);
        let ends: Vec<NodeId> = items().map(|item| item.to).collect();
        self.load_headers(&ends).await?;
        self.words
            .load_texts(&mut self.rows, items().map(|item| item.kind))
            .await?;
        let edge_text =
            |item: &SnapshotEdge| format!("{} {}", self.words.text(item.kind), self.uid(item.to));
        let edges = snapshots
            .iter()
            .map(|(key, items)| (*key, items.iter().map(edge_text).collect()))
            .collect();
        Ok(EventContents { versions, edges })
    }

    /// Returns the timeline entry of an event; `None` if the event changed nothing visible.
    fn entry(&self, event: &NodeEvent, contents: &EventContents) -> Option<TimelineEntry> {
        let none = JsonMap::new();
        let group = event.group;
        let (kind, summary, details) = match &event.kind {
            EventKind::Appeared => ("node_appeared", "reported to exist".to_owned(), none),
            EventKind::Ended => ("node_ended", "no longer exists".to_owned(), none),
            EventKind::Unobserved => ("node_changed", "no longer observed".to_owned(), none),
            EventKind::GroupEnded => ("node_changed", format!("{group} ended"), none),
            EventKind::State { before, now } => {
                let key = |(key, state): &(_, u64)| self.words.version_key(event.node, key, *state);
                let before = before.as_ref().map(key);
                self.changed(group, before, key(now), contents)?
            }
        };
        Some(TimelineEntry {
            time: event.time,
            id: event.id.clone(),
            kind: kind.to_owned(),
            source: event.source.as_ref().to_owned(),
            summary,
            details,
        })
    }

    /// Returns kind, summary and details of a change of state; `None` if nothing visible changed.
    fn changed(
        &self,
        group: &str,
        before: Option<VersionKey>,
        now: VersionKey,
        contents: &EventContents,
    ) -> Option<(&'static str, String, JsonMap<String, Json>)> {
        let version = |key: VersionKey| contents.versions.get(&key);
        if group == EDGES {
            let edges = |key| contents.edges.get(&edge_snapshot_key(version(key)?)?);
            let (summary, details) = changed_edges(edges(before?)?, edges(now)?)?;
            return Some(("edges_changed", summary, details));
        }
        let content = |key| version(key)?.content.as_ref();
        let now = content(now)?;
        let Some(before) = before.and_then(content) else {
            let summary = format!("{group} reported");
            return Some(("node_appeared", summary, JsonMap::new()));
        };
        let changes = difference(before, now);
        // If only the edges of a resource changed, its state is new but its value is the same.
        if changes.is_empty() {
            return None;
        }
        let keys: Vec<&str> = changes.keys().map(String::as_str).collect();
        let summary = format!("{group} changed: {}", keys.join(", "));
        Some(("node_changed", summary, changes))
    }

    /// Returns the entries of the newest `limit` records that name one of the uids.
    async fn record_entries(
        &mut self,
        uids: &[String],
        from: UnixNanos,
        to: UnixNanos,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, RowsError> {
        let rows = self.rows.records_of(uids, &[], from, to, limit).await?;
        let words = rows
            .iter()
            .flat_map(|row| [row.signal, row.source, row.status, row.severity]);
        self.words.load_texts(&mut self.rows, words).await?;
        let entries = rows.into_iter().filter_map(|row| self.record_entry(row));
        Ok(entries.collect())
    }

    /// Returns the timeline entry of a record; `None` if this version does not know the signal.
    fn record_entry(&self, row: RecordRow) -> Option<TimelineEntry> {
        let signal = self.words.text(row.signal);
        let (signal, kind) = RECORDS
            .into_iter()
            .find(|(candidate, _)| candidate.name() == &*signal)?;
        let mut details: JsonMap<String, Json> =
            serde_json::from_str(&row.columns).unwrap_or_default();
        let text = |column: &str| details.get(column).and_then(Json::as_str);
        let summary = match (signal, text(changes::ACTOR)) {
            (Signal::Changes, actor) => {
                let event = text(changes::EVENT_NAME).unwrap_or_default();
                actor.map_or_else(|| event.to_owned(), |actor| format!("{event} by {actor}"))
            }
            _ => {
                let (severity, status) =
                    (self.words.text(row.severity), self.words.text(row.status));
                let words = [&*severity, kind, &*status].into_iter();
                let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
                words.join(" ")
            }
        };
        let impact = row
            .impact
            .and_then(|impact| serde_json::from_str(&impact).ok());
        details.extend(impact.map(|impact: Json| ("impact".to_owned(), impact)));
        let id = match signal {
            Signal::Changes => format!("{kind}/{}", row.id),
            _ => format!("{kind}/{}/{}", row.id, row.opened.0),
        };
        Some(TimelineEntry {
            time: row.opened,
            id,
            kind: kind.to_owned(),
            source: self.words.text(row.source).as_ref().to_owned(),
            summary,
            details,
        })
    }
}

/// Returns the key of the edge snapshot of a version.
fn edge_snapshot_key(version: &VersionRow) -> Option<SnapshotKey> {
    Some(SnapshotKey {
        node: version.key.node,
        kind: SnapshotKind::Edges,
        hash: version.edges?,
    })
}

/// Returns the summary and details of changed edges; `None` if the edges are equal.
fn changed_edges(
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
) -> Option<(String, JsonMap<String, Json>)> {
    let added: Vec<&str> = after.difference(before).map(String::as_str).collect();
    let removed: Vec<&str> = before.difference(after).map(String::as_str).collect();
    let lines: Vec<String> = added
        .iter()
        .map(|edge| format!("now {edge}"))
        .chain(removed.iter().map(|edge| format!("no longer {edge}")))
        .collect();
    let mut details = JsonMap::new();
    details.insert("added".to_owned(), added.into());
    details.insert("removed".to_owned(), removed.into());
    (!lines.is_empty()).then(|| (lines.join(", "), details))
}

/// Returns the top-level keys whose values differ, each with the values before and after.
fn difference(before: &VersionContent, after: &VersionContent) -> JsonMap<String, Json> {
    let value = |content: &VersionContent| {
        let mut value = content.value.as_deref().map(object).unwrap_or_default();
        if let Some(tags) = content.tags.as_deref() {
            value.insert("tags".to_owned(), object(tags).into());
        }
        if let Some(name) = &content.name {
            value.insert("name".to_owned(), name.clone().into());
        }
        value
    };
    let (before, after) = (value(before), value(after));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differ = keys
        .into_iter()
        .filter(|key| before.get(*key) != after.get(*key));
    let pairs = differ.map(|key| {
        let pair = serde_json::json!({"before": before.get(key), "after": after.get(key)});
        (key.clone(), pair)
    });
    pairs.collect()
}
