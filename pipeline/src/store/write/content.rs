//! Versions: what a state says. Snapshots: its edges and aliases, each stored once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Transaction;
use crate::claims::Class;
use crate::component::UnixNanos;
use crate::reports::{Items, ReportBatch};
use crate::store::rows::{
    Content, NodeId, Part, Projection, RowsError, SnapshotKey, VersionKey, VersionRow, WriteRows,
};
use crate::store::snapshot;

/// A version whose state no open claim has is written again when it is reported after this time:
/// housekeeping removes those that were not for an hour, and what names it may still be on its way.
const RENEWED: Duration = Duration::from_secs(30 * 60);

impl<R: WriteRows> Transaction<'_, R> {
    pub(super) async fn write_content(
        &mut self,
        reports: &ReportBatch<'_>,
    ) -> Result<(), RowsError> {
        let mut versions: BTreeMap<VersionKey, VersionRow> = BTreeMap::new();
        self.contents(reports, &mut versions);
        let snapshots = self.snapshots(reports, &mut versions);
        let old: Vec<VersionKey> = versions
            .keys()
            .filter(|key| !self.ids.is_new(key.node))
            .copied()
            .collect();
        let known = match old.is_empty() {
            true => Vec::new(),
            false => self.rows.versions(&old, Projection::Header).await?,
        };
        let mut old_ones = Vec::new();
        for known in known {
            let Some(version) = versions.get_mut(&known.key) else {
                continue;
            };
            // What was first said of a state stays.
            version.content = version.content.take().filter(|_| known.content.is_none());
            version.edges = version.edges.filter(|_| known.edges.is_none());
            version.aliases = version.aliases.filter(|_| known.aliases.is_none());
            if known.written.after(RENEWED) <= self.now {
                old_ones.push(known.key);
            }
        }
        self.touch(old_ones.iter().map(|key| key.node).collect())
            .await?;
        old_ones.retain(|key| !self.is_open(key));
        versions.retain(|key, it| {
            let has_news = it.content.is_some() || it.edges.is_some() || it.aliases.is_some();
            has_news || old_ones.contains(key)
        });
        let is_new = |(key, _): &(SnapshotKey, Vec<u8>)| {
            let names = |version: &VersionRow| match key.part {
                Part::Edges => version.edges == Some(key.hash),
                Part::Aliases => version.aliases == Some(key.hash),
            };
            let of_node = VersionKey {
                node: key.node,
                source: i64::MIN,
                scope: i64::MIN,
                state: 0,
            };
            let of_node = versions.range(of_node..).map(|(_, version)| version);
            let mut of_node = of_node.take_while(|version| version.key.node == key.node);
            of_node.any(names)
        };
        let snapshots: Vec<_> = snapshots.into_iter().filter(is_new).collect();
        self.touch(versions.keys().map(|key| key.node).collect())
            .await?;
        for key in versions.keys() {
            if let Some(node) = self.touched.0.get_mut(&key.node) {
                node.has_new_content = true;
            }
        }
        if !snapshots.is_empty() {
            self.rows.put_snapshots(&snapshots).await?;
            self.write_past(&versions, &snapshots).await?;
        }
        let versions: Vec<VersionRow> = versions.into_values().collect();
        if versions.is_empty() {
            return Ok(());
        }
        self.rows.put_versions(&versions).await?;
        for mut row in versions {
            if self.ids.is_new(row.key.node) {
                let content = row.content.as_mut();
                content.map(|content| content.value.take());
                self.new_versions.insert(row.key, row);
            }
        }
        Ok(())
    }

    /// Whether an open claim is in this state; its node is touched.
    fn is_open(&self, key: &VersionKey) -> bool {
        let node = self.touched.0.get(&key.node);
        let claims = node.into_iter().flat_map(|node| &node.claims);
        let mut open = claims.filter_map(|it| Some((&it.claim.key, it.claim.open()?)));
        open.any(|(claim, stretch)| {
            stretch.state == key.state
                && self.words.number(&claim.source) == key.source
                && self.words.number(&claim.scope) == key.scope
        })
    }

    /// A late snapshot never becomes current: what it leads to is found as of its time all the same.
    async fn write_past(
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
            match key.part {
                Part::Edges => {
                    let items = snapshot::decode_edges(bytes).into_iter();
                    edges.extend(items.map(|item| (item.to, item.kind, key.node)));
                }
                Part::Aliases => {
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

    fn contents(&self, reports: &ReportBatch<'_>, versions: &mut BTreeMap<VersionKey, VersionRow>) {
        for sighting in &reports.sightings {
            let Some(content) = &sighting.content else {
                continue;
            };
            let word = |word: Option<&str>| self.words.number(word.unwrap_or_default());
            let key = VersionKey {
                node: self.ids.of(sighting.uid),
                source: self.words.number(sighting.source),
                scope: self.words.number(sighting.scope),
                state: sighting.state,
            };
            let version = versions.entry(key).or_insert_with(|| empty(key, self.now));
            version.content.get_or_insert_with(|| Content {
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

    fn snapshots(
        &self,
        reports: &ReportBatch<'_>,
        versions: &mut BTreeMap<VersionKey, VersionRow>,
    ) -> Vec<(SnapshotKey, Vec<u8>)> {
        let mut snapshots = Vec::with_capacity(reports.snapshots.len());
        for reported in &reports.snapshots {
            let (class, hash) = reported.items.class_and_hash();
            let key = VersionKey {
                node: self.ids.of(reported.uid),
                source: self.words.number(reported.source),
                scope: self.words.number(reported.scope),
                state: reported.state.unwrap_or(hash),
            };
            let version = versions.entry(key).or_insert_with(|| empty(key, self.now));
            let part = match class {
                Class::Edges => Part::Edges,
                _ => Part::Aliases,
            };
            let names = match part {
                Part::Edges => &mut version.edges,
                Part::Aliases => &mut version.aliases,
            };
            if names.is_some() {
                continue;
            }
            *names = Some(hash);
            let snapshot = SnapshotKey {
                node: key.node,
                part,
                hash,
            };
            snapshots.push((snapshot, self.encode(&reported.items)));
        }
        snapshots
    }

    fn encode(&self, items: &Items<'_>) -> Vec<u8> {
        match items {
            Items::Edges(edges) => {
                let mut edges: Vec<snapshot::EdgeItem> = edges
                    .iter()
                    .map(|edge| snapshot::EdgeItem {
                        kind: self.words.number(edge.kind),
                        to: self.ids.of(edge.to),
                        confidence: edge.confidence,
                        properties: edge.properties.map(<[u8]>::to_vec),
                    })
                    .collect();
                edges.sort_by_key(|edge| (edge.kind, edge.to));
                snapshot::encode_edges(&edges)
            }
            Items::Aliases(aliases) => {
                let mut aliases: Vec<snapshot::AliasItem> = aliases
                    .iter()
                    .map(|alias| snapshot::AliasItem {
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

fn empty(key: VersionKey, written: UnixNanos) -> VersionRow {
    VersionRow {
        key,
        content: None,
        edges: None,
        aliases: None,
        written,
    }
}
