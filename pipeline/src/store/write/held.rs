//! Edges and aliases of the snapshots that hold, compared with the current ones.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Transaction;
use super::current::{Material, snapshot_of};
use super::touched::TouchedNode;
use crate::claims::open_at;
use crate::graph_store::At;
use crate::store::rows::{
    AliasKey, AliasRow, EdgeKey, EdgeRow, NodeId, NodeRow, Part, RowsError, WriteRows,
};
use crate::store::{snapshot, texts};

impl<R: WriteRows> Transaction<'_, R> {
    pub(super) async fn write_edges(
        &mut self,
        ids: &[NodeId],
        material: &Material,
    ) -> Result<(), RowsError> {
        let (mut put, mut gone) = (Vec::new(), Vec::new());
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
                    Some(old) if same_edge(old, row) => {}
                    Some(old) => put.push(EdgeRow {
                        first_seen: old.first_seen,
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
        if !gone.is_empty() {
            self.rows.remove_edges(&gone).await?;
        }
        match put.is_empty() {
            true => Ok(()),
            false => self.rows.put_edges(&put).await,
        }
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

    pub(super) async fn write_aliases(
        &mut self,
        ids: &[NodeId],
        material: &Material,
        texts: &mut texts::Changes,
        new_rows: &[NodeRow],
    ) -> Result<(), RowsError> {
        let (mut put, mut gone) = (Vec::new(), Vec::new());
        let new_rows: HashMap<NodeId, &NodeRow> =
            new_rows.iter().map(|row| (row.id, row)).collect();
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
                    Some(old)
                        if (old.valid_from, old.valid_to) == (row.valid_from, row.valid_to) => {}
                    Some(old) => put.push(AliasRow {
                        first_seen: old.first_seen,
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
                texts.aliases(row, values.map(|key| key.value.as_str()));
            }
        }
        let changed = put.iter().map(|row| &row.key).chain(&gone);
        self.same_as_changed(changed.cloned().collect());
        if !gone.is_empty() {
            self.rows.remove_aliases(&gone).await?;
        }
        match put.is_empty() {
            true => Ok(()),
            false => self.rows.put_aliases(&put).await,
        }
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
