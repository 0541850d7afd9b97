//! Compares the edges and aliases of current snapshots with the stored current rows.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use super::Transaction;
use super::current::{CurrentInputs, snapshot_bytes};
use super::current_changes::CurrentChanges;
use super::loaded_nodes::LoadedNode;
use crate::claims::open_at;
use crate::graph_store::AsOf;
use crate::store::rows::{
    AliasKey, AliasRow, EdgeKey, EdgeRow, NodeId, NodeRow, ReadRows, RowsError, SnapshotKind,
};
use crate::store::{search_texts, snapshot};

impl<R: ReadRows> Transaction<'_, R> {
    /// Adds the differences of edges to the changes, and new edges to the commit.
    pub(super) async fn add_edges(
        &mut self,
        ids: &[NodeId],
        inputs: &CurrentInputs,
        changes: &mut CurrentChanges,
    ) -> Result<(), RowsError> {
        let (put, removed) = (&mut changes.edges, &mut changes.removed_edges);
        let mut new: Vec<(NodeId, i64, NodeId)> = Vec::new();
        for id in ids {
            let Some(node) = self.nodes.0.get(id) else {
                continue;
            };
            if !Self::may_have_new_snapshots(node) {
                continue;
            }
            let old = inputs.edges.get(id).map_or(&[][..], Vec::as_slice);
            let connected: BTreeSet<(i64, NodeId)> =
                old.iter().map(|row| (row.key.kind, row.key.to)).collect();
            let old: BTreeMap<EdgeKey, &EdgeRow> = old
                .iter()
                .filter(|row| !row.key.is_observation)
                .map(|row| (row.key, row))
                .collect();
            let rows = self.edge_rows(*id, node, inputs);
            for (key, row) in &rows {
                let is_new = !connected.contains(&(key.kind, key.to));
                if is_new {
                    new.push((key.from, key.kind, key.to));
                }
                match old.get(key) {
                    Some(old) if same_edge(old, row) && old.first_seen <= row.first_seen => {}
                    // A late report may move `first_seen` back.
                    Some(old) => put.push(EdgeRow {
                        first_seen: old.first_seen.min(row.first_seen),
                        ..row.clone()
                    }),
                    None => put.push(row.clone()),
                }
            }
            removed.extend(old.keys().filter(|key| !rows.contains_key(key)));
        }
        new.sort_unstable();
        new.dedup();
        let ends = new.iter().flat_map(|(from, _, to)| [*from, *to]);
        self.load_uids(ends.collect::<Vec<_>>().into_iter()).await?;
        for (from, kind, to) in new {
            let ends = [from, to].map(|id| self.node_ids.uid(id).to_owned());
            let [from, to] = ends;
            let kind = self.words.owned_text(kind).unwrap_or_default();
            self.commit.edges.push((from, kind, to));
        }
        Ok(())
    }

    /// The edges of a node's current snapshots. Of several edges with the same key, the one with the highest confidence
    /// is returned.
    fn edge_rows(
        &self,
        id: NodeId,
        node: &LoadedNode,
        inputs: &CurrentInputs,
    ) -> BTreeMap<EdgeKey, EdgeRow> {
        let mut rows: BTreeMap<EdgeKey, EdgeRow> = BTreeMap::new();
        let claims = node.clone_claims();
        for (claim, interval) in open_at(&claims, AsOf::Now) {
            let version = self.words.version_key(id, &claim.key, interval.state);
            let items = snapshot_bytes(inputs, version, SnapshotKind::Edges);
            for item in items.map(snapshot::decode_edges).unwrap_or_default() {
                let key = EdgeKey {
                    from: id,
                    kind: item.kind,
                    to: item.to,
                    source: version.source,
                    scope: version.scope,
                    is_observation: false,
                };
                let row = EdgeRow {
                    key,
                    confidence: item.confidence,
                    properties: item.properties,
                    first_seen: interval.since,
                    last_seen: interval.since,
                };
                match rows.get_mut(&key) {
                    Some(kept) if kept.confidence >= row.confidence => {}
                    _ => {
                        rows.insert(key, row);
                    }
                }
            }
        }
        rows
    }

    /// Adds the differences of aliases, and of their texts, to the changes.
    pub(super) fn add_aliases(
        &mut self,
        ids: &[NodeId],
        inputs: &CurrentInputs,
        changes: &mut CurrentChanges,
    ) {
        let (put, removed) = (&mut changes.aliases, &mut changes.removed_aliases);
        let new_rows: HashMap<NodeId, &NodeRow> =
            changes.nodes.iter().map(|row| (row.id, row)).collect();
        for id in ids {
            let Some(node) = self.nodes.0.get(id) else {
                continue;
            };
            let row = new_rows.get(id).copied().unwrap_or(&node.row);
            let old = inputs.aliases.get(id).map_or(&[][..], Vec::as_slice);
            if !Self::may_have_new_snapshots(node) {
                continue;
            }
            let rows = self.alias_rows(*id, node, inputs);
            let is_snapshot = |row: &&AliasRow| !row.key.is_observation;
            let old_rows: BTreeMap<&AliasKey, &AliasRow> = old
                .iter()
                .filter(is_snapshot)
                .map(|row| (&row.key, row))
                .collect();
            let before = removed.len() + put.len();
            for (key, row) in &rows {
                match old_rows.get(key) {
                    Some(old) if same_alias(old, row) && old.first_seen <= row.first_seen => {}
                    Some(old) => put.push(AliasRow {
                        first_seen: old.first_seen.min(row.first_seen),
                        ..row.clone()
                    }),
                    None => put.push(row.clone()),
                }
            }
            let dropped = old_rows.keys().filter(|key| !rows.contains_key(**key));
            removed.extend(dropped.map(|key| (*key).clone()));
            if removed.len() + put.len() > before || node.row.listing != row.listing {
                let observed = old.iter().filter(|row| row.key.is_observation);
                let values = observed.map(|row| &row.key).chain(rows.keys());
                let values = values.map(|key| key.value.as_str());
                changes.texts.replace_aliases(row, values);
            }
        }
        let changed = put.iter().map(|row| &row.key).chain(removed.iter());
        self.note_changed_same_as(changed.cloned().collect());
    }

    /// Replaces the alias texts of nodes whose listing changed: a text row states whether its node is current.
    pub(super) async fn relist_aliases(
        &mut self,
        relisted: &[NodeRow],
        texts: &mut search_texts::TextChanges,
    ) -> Result<(), RowsError> {
        if relisted.is_empty() {
            return Ok(());
        }
        let ids: Vec<NodeId> = relisted.iter().map(|row| row.id).collect();
        let mut values: HashMap<NodeId, Vec<String>> = HashMap::new();
        for row in self.rows.aliases(&ids).await? {
            values.entry(row.key.node).or_default().push(row.key.value);
        }
        for row in relisted {
            if let Some(values) = values.get(&row.id) {
                texts.replace_aliases(row, values.iter().map(String::as_str));
            }
        }
        Ok(())
    }

    /// The aliases of a node's current snapshots.
    fn alias_rows(
        &self,
        id: NodeId,
        node: &LoadedNode,
        inputs: &CurrentInputs,
    ) -> BTreeMap<AliasKey, AliasRow> {
        let mut rows = BTreeMap::new();
        let claims = node.clone_claims();
        for (claim, interval) in open_at(&claims, AsOf::Now) {
            let version = self.words.version_key(id, &claim.key, interval.state);
            let items = snapshot_bytes(inputs, version, SnapshotKind::Aliases);
            for item in items.map(snapshot::decode_aliases).unwrap_or_default() {
                let key = AliasKey {
                    node: id,
                    kind: item.kind,
                    value: item.value,
                    within: item.within,
                    source: version.source,
                    scope: version.scope,
                    is_observation: false,
                };
                rows.insert(
                    key.clone(),
                    AliasRow {
                        key,
                        valid_from: item.valid_from,
                        valid_to: item.valid_to,
                        first_seen: interval.since,
                        last_seen: interval.since,
                    },
                );
            }
        }
        rows
    }
}

fn same_edge(old: &EdgeRow, new: &EdgeRow) -> bool {
    old.confidence.to_bits() == new.confidence.to_bits() && old.properties == new.properties
}

fn same_alias(old: &AliasRow, new: &AliasRow) -> bool {
    (old.valid_from, old.valid_to) == (new.valid_from, new.valid_to)
}
