//! Writes versions and snapshots. A version is the content of one state of a claim; its edges and its aliases are
//! snapshots. Equal snapshots of a node are stored once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Transaction;
use crate::claims::ClaimClass;
use crate::component::UnixNanos;
use crate::reports::{ReportBatch, SnapshotItems};
use crate::store::rows::{
    NodeId, Projection, RowsError, SnapshotKey, SnapshotKind, VersionContent, VersionKey,
    VersionRow, WriteRows,
};
use crate::store::snapshot;

/// A version that is not the state of an open claim is written again if it is reported and its last write was at least
/// this long ago. Otherwise housekeeping, which removes such a version an hour after its last write, could remove it
/// before the report arrives that opens a claim with this state.
const RENEW_AFTER: Duration = Duration::from_secs(30 * 60);

impl<R: WriteRows> Transaction<'_, R> {
    /// Writes the versions and snapshots of a batch that are not stored yet, and renews old versions.
    pub(super) async fn write_versions(
        &mut self,
        reports: &ReportBatch<'_>,
    ) -> Result<(), RowsError> {
        let mut versions: BTreeMap<VersionKey, VersionRow> = BTreeMap::new();
        self.collect_contents(reports, &mut versions);
        let snapshots = self.collect_snapshots(reports, &mut versions);
        let old: Vec<VersionKey> = versions
            .keys()
            .filter(|key| !self.node_ids.is_new(key.node))
            .copied()
            .collect();
        let stored_versions = match old.is_empty() {
            true => Vec::new(),
            false => self.rows.versions(&old, Projection::Header).await?,
        };
        let mut to_renew = Vec::new();
        for stored in stored_versions {
            let Some(version) = versions.get_mut(&stored.key) else {
                continue;
            };
            // The first report of each part of a version is kept.
            version.content = version.content.take().filter(|_| stored.content.is_none());
            version.edges = version.edges.filter(|_| stored.edges.is_none());
            version.aliases = version.aliases.filter(|_| stored.aliases.is_none());
            if stored.written + RENEW_AFTER <= self.now {
                to_renew.push(stored.key);
            }
        }
        self.load_nodes(to_renew.iter().map(|key| key.node).collect())
            .await?;
        to_renew.retain(|key| !self.is_open(key));
        versions.retain(|key, it| {
            let has_new_part = it.content.is_some() || it.edges.is_some() || it.aliases.is_some();
            has_new_part || to_renew.contains(key)
        });
        let is_new = |(key, _): &(SnapshotKey, Vec<u8>)| {
            let refers_to_snapshot = |version: &VersionRow| match key.kind {
                SnapshotKind::Edges => version.edges == Some(key.hash),
                SnapshotKind::Aliases => version.aliases == Some(key.hash),
            };
            let of_node = VersionKey {
                node: key.node,
                source: i64::MIN,
                scope: i64::MIN,
                state: 0,
            };
            let of_node = versions.range(of_node..).map(|(_, version)| version);
            let mut of_node = of_node.take_while(|version| version.key.node == key.node);
            of_node.any(refers_to_snapshot)
        };
        let snapshots: Vec<_> = snapshots.into_iter().filter(is_new).collect();
        self.load_nodes(versions.keys().map(|key| key.node).collect())
            .await?;
        for key in versions.keys() {
            if let Some(node) = self.nodes.0.get_mut(&key.node) {
                node.has_new_content = true;
            }
        }
        if !snapshots.is_empty() {
            self.rows.put_snapshots(&snapshots).await?;
            self.index_late_snapshots(&versions, &snapshots).await?;
        }
        let versions: Vec<VersionRow> = versions.into_values().collect();
        if versions.is_empty() {
            return Ok(());
        }
        self.rows.put_versions(&versions).await?;
        for mut row in versions {
            if self.node_ids.is_new(row.key.node) {
                let content = row.content.as_mut();
                content.map(|content| content.value.take());
                self.new_versions.insert(row.key, row);
            }
        }
        Ok(())
    }

    /// Whether an open claim has this version as its state. The node must be loaded.
    fn is_open(&self, key: &VersionKey) -> bool {
        let node = self.nodes.0.get(&key.node);
        let claims = node.into_iter().flat_map(|node| &node.claims);
        let mut open = claims.filter_map(|it| Some((&it.claim.key, it.claim.open()?)));
        open.any(|(claim, interval)| {
            interval.state == key.state
                && self.words.number(&claim.source) == key.source
                && self.words.number(&claim.scope) == key.scope
        })
    }

    /// Indexes the edges and aliases of late snapshots as past ones. A late snapshot never becomes current, but reads
    /// as of its time must find its edges by the node to which they lead, and its aliases by their value.
    async fn index_late_snapshots(
        &mut self,
        versions: &BTreeMap<VersionKey, VersionRow>,
        snapshots: &[(SnapshotKey, Vec<u8>)],
    ) -> Result<(), RowsError> {
        let late: BTreeSet<(NodeId, u64)> = versions
            .iter()
            .filter(|(key, _)| !self.is_open(key))
            .flat_map(|(key, row)| [row.edges, row.aliases].map(|hash| (key.node, hash)))
            .filter_map(|(node, hash)| Some((node, hash?)))
            .collect();
        let (mut edges, mut aliases) = (Vec::new(), Vec::new());
        for (key, bytes) in snapshots {
            if !late.contains(&(key.node, key.hash)) {
                continue;
            }
            match key.kind {
                SnapshotKind::Edges => {
                    let items = snapshot::decode_edges(bytes).into_iter();
                    edges.extend(items.map(|item| (item.to, item.kind, key.node)));
                }
                SnapshotKind::Aliases => {
                    let items = snapshot::decode_aliases(bytes).into_iter();
                    aliases.extend(items.map(|item| (item.value, key.node)));
                }
            }
        }
        if !edges.is_empty() {
            self.rows.put_past_edges(&edges).await?;
        }
        match aliases.is_empty() {
            true => Ok(()),
            false => self.rows.put_past_aliases(&aliases).await,
        }
    }

    /// Adds the contents of the batch's sightings to their versions.
    fn collect_contents(
        &self,
        reports: &ReportBatch<'_>,
        versions: &mut BTreeMap<VersionKey, VersionRow>,
    ) {
        for sighting in &reports.sightings {
            let Some(content) = &sighting.content else {
                continue;
            };
            let word = |word: Option<&str>| self.words.number(word.unwrap_or_default());
            let key = VersionKey {
                node: self.node_ids.of(sighting.uid),
                source: self.words.number(sighting.source),
                scope: self.words.number(sighting.scope),
                state: sighting.state,
            };
            let version = versions
                .entry(key)
                .or_insert_with(|| empty_version(key, self.now));
            version.content.get_or_insert_with(|| VersionContent {
                kind: word(content.kind),
                provider: word(content.provider),
                account: word(content.account),
                region: word(content.region),
                name: content.name.map(str::to_owned),
                tags: content.tags.map(<[u8]>::to_vec),
                value: content.value.map(<[u8]>::to_vec),
            });
        }
    }

    /// Adds the hashes of the batch's snapshots to their versions. Returns the encoded snapshots.
    fn collect_snapshots(
        &self,
        reports: &ReportBatch<'_>,
        versions: &mut BTreeMap<VersionKey, VersionRow>,
    ) -> Vec<(SnapshotKey, Vec<u8>)> {
        let mut snapshots = Vec::with_capacity(reports.snapshots.len());
        for reported in &reports.snapshots {
            let (class, hash) = reported.items.class_and_hash();
            let key = VersionKey {
                node: self.node_ids.of(reported.uid),
                source: self.words.number(reported.source),
                scope: self.words.number(reported.scope),
                state: reported.state.unwrap_or(hash),
            };
            let version = versions
                .entry(key)
                .or_insert_with(|| empty_version(key, self.now));
            let kind = match class {
                ClaimClass::Edges => SnapshotKind::Edges,
                _ => SnapshotKind::Aliases,
            };
            let part = match kind {
                SnapshotKind::Edges => &mut version.edges,
                SnapshotKind::Aliases => &mut version.aliases,
            };
            if part.is_some() {
                continue;
            }
            *part = Some(hash);
            let snapshot = SnapshotKey {
                node: key.node,
                kind,
                hash,
            };
            snapshots.push((snapshot, self.encode(&reported.items)));
        }
        snapshots
    }

    /// Encodes the items of a snapshot in a fixed order.
    fn encode(&self, items: &SnapshotItems<'_>) -> Vec<u8> {
        match items {
            SnapshotItems::Edges(edges) => {
                let mut edges: Vec<snapshot::SnapshotEdge> = edges
                    .iter()
                    .map(|edge| snapshot::SnapshotEdge {
                        kind: self.words.number(edge.kind),
                        to: self.node_ids.of(edge.to),
                        confidence: edge.confidence,
                        properties: edge.properties.map(<[u8]>::to_vec),
                    })
                    .collect();
                edges.sort_by_key(|edge| (edge.kind, edge.to));
                snapshot::encode_edges(&edges)
            }
            SnapshotItems::Aliases(aliases) => {
                let mut aliases: Vec<snapshot::SnapshotAlias> = aliases
                    .iter()
                    .map(|alias| snapshot::SnapshotAlias {
                        kind: self.words.number(alias.kind),
                        value: alias.value.to_owned(),
                        within: self.words.number(alias.within),
                        valid_from: alias.valid_from,
                        valid_to: alias.valid_to,
                    })
                    .collect();
                aliases.sort_by(|one, other| {
                    (one.kind, &one.value, one.within).cmp(&(
                        other.kind,
                        &other.value,
                        other.within,
                    ))
                });
                snapshot::encode_aliases(&aliases)
            }
        }
    }
}

/// A version without any part.
fn empty_version(key: VersionKey, written: UnixNanos) -> VersionRow {
    VersionRow {
        key,
        content: None,
        edges: None,
        aliases: None,
        written,
    }
}
