//! Edges and aliases of the snapshots that hold, compared with the current ones.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use super::Transaction;
use super::changes::CurrentChanges;
use super::current::{Material, snapshot_of};
use super::touched::TouchedNode;
use crate::claims::open_at;
use crate::graph_store::At;
use crate::store::rows::{
    AliasKey, AliasRow, EdgeKey, EdgeRow, NodeId, NodeRow, Part, ReadRows, RowsError,
};
use crate::store::{snapshot, texts};

impl<R: ReadRows> Transaction<'_, R> {
    pub(super) async fn add_edges(
        &mut self,
        ids: &[NodeId],
        material: &Material,
        changes: &mut CurrentChanges,
    ) -> Result<(), RowsError> {
        let (put, gone) = (&mut changes.edges, &mut changes.removed_edges);
        let mut new: Vec<(NodeId, i64, NodeId)> = Vec::new();
        for id in ids {
            let Some(node) = self.touched.0.get(id) else {
                continue;
            };
            if !Self::has_new_snapshots(node) {
                continue;
            }
            let old = material.edges.get(id).map_or(&[][..], Vec::as_slice);
            let known: BTreeSet<(i64, NodeId)> =
                old.iter().map(|row| (row.key.kind, row.key.to)).collect();
            let old: BTreeMap<EdgeKey, &EdgeRow> = old
                .iter()
                .filter(|row| !row.key.is_observation)
                .map(|row| (row.key, row))
                .collect();
            let rows = self.edge_rows(*id, node, material);
            for (key, row) in &rows {
                let is_new = !known.contains(&(key.kind, key.to));
                if is_new {
                    new.push((key.from, key.kind, key.to));
                }
                match old.get(key) {
                    Some(old) if same_edge(old, row) && old.first_seen <= row.first_seen => {}
                    // A late report may say that it held before.
                    Some(old) => put.push(EdgeRow {
                        first_seen: old.first_seen.min(row.first_seen),
                        ..row.clone()
                    }),
                    None => put.push(row.clone()),
                }
            }
            gone.extend(old.keys().filter(|key| !rows.contains_key(key)));
        }
        new.sort_unstable();
        new.dedup();
        let ends = new.iter().flat_map(|(from, _, to)| [*from, *to]);
        self.read_uids(ends.collect::<Vec<_>>().into_iter()).await?;
        for (from, kind, to) in new {
            let ends = [from, to].map(|id| self.ids.uid(id).to_owned());
            let [from, to] = ends;
            let kind = self.words.owned(kind).unwrap_or_default();
            self.news.edges.push((from, kind, to));
        }
        Ok(())
    }

    /// The edges of the snapshots that hold.
    fn edge_rows(
        &self,
        id: NodeId,
        node: &TouchedNode,
        material: &Material,
    ) -> BTreeMap<EdgeKey, EdgeRow> {
        let mut rows: BTreeMap<EdgeKey, EdgeRow> = BTreeMap::new();
        let claims = node.all_claims();
        for (claim, stretch) in open_at(&claims, At::Now) {
            let version = self.version_key(id, claim, stretch.state);
            let items = snapshot_of(material, version, Part::Edges);
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
                    first_seen: stretch.since,
                    last_seen: stretch.since,
                };
                match rows.get_mut(&key) {
                    Some(known) if known.confidence >= row.confidence => {}
                    _ => {
                        rows.insert(key, row);
                    }
                }
            }
        }
        rows
    }

    pub(super) fn add_aliases(
        &mut self,
        ids: &[NodeId],
        material: &Material,
        changes: &mut CurrentChanges,
    ) {
        let (put, gone) = (&mut changes.aliases, &mut changes.removed_aliases);
        let new_rows: HashMap<NodeId, &NodeRow> =
            changes.nodes.iter().map(|row| (row.id, row)).collect();
        for id in ids {
            let Some(node) = self.touched.0.get(id) else {
                continue;
            };
            let row = new_rows.get(id).copied().unwrap_or(&node.row);
            let old = material.aliases.get(id).map_or(&[][..], Vec::as_slice);
            if !Self::has_new_snapshots(node) {
                continue;
            }
            let rows = self.alias_rows(*id, node, material);
            let is_snapshot = |row: &&AliasRow| !row.key.is_observation;
            let known: BTreeMap<&AliasKey, &AliasRow> = old
                .iter()
                .filter(is_snapshot)
                .map(|row| (&row.key, row))
                .collect();
            let before = gone.len() + put.len();
            for (key, row) in &rows {
                match known.get(key) {
                    Some(old) if same_alias(old, row) && old.first_seen <= row.first_seen => {}
                    Some(old) => put.push(AliasRow {
                        first_seen: old.first_seen.min(row.first_seen),
                        ..row.clone()
                    }),
                    None => put.push(row.clone()),
                }
            }
            let lost = known.keys().filter(|key| !rows.contains_key(**key));
            gone.extend(lost.map(|key| (*key).clone()));
            if gone.len() + put.len() > before || node.row.listing != row.listing {
                let observed = old.iter().filter(|row| row.key.is_observation);
                let values = observed.map(|row| &row.key).chain(rows.keys());
                let values = values.map(|key| key.value.as_str());
                changes.texts.aliases(row, values);
            }
        }
        let changed = put.iter().map(|row| &row.key).chain(gone.iter());
        self.same_as_changed(changed.cloned().collect());
    }

    /// The aliases of a node that enters or leaves a list are found, or not, like its other texts.
    pub(super) async fn relist_aliases(
        &mut self,
        relisted: &[NodeRow],
        texts: &mut texts::Changes,
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
                texts.aliases(row, values.iter().map(String::as_str));
            }
        }
        Ok(())
    }

    fn alias_rows(
        &self,
        id: NodeId,
        node: &TouchedNode,
        material: &Material,
    ) -> BTreeMap<AliasKey, AliasRow> {
        let mut rows = BTreeMap::new();
        let claims = node.all_claims();
        for (claim, stretch) in open_at(&claims, At::Now) {
            let version = self.version_key(id, claim, stretch.state);
            let items = snapshot_of(material, version, Part::Aliases);
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
                        first_seen: stretch.since,
                        last_seen: stretch.since,
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
