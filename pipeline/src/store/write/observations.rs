//! Writes the rows of a batch that open no claim: observed edges and aliases, and edge statistics.

use std::collections::BTreeMap;

use hashbrown::HashSet;

use super::Transaction;
use crate::reports::ReportBatch;
use crate::store::rows::{
    AliasKey, AliasRow, EdgeKey, EdgeRow, EdgeStatsRow, NO_WORD, NodeId, RowsError,
    StatsResolution, WriteRows,
};
use crate::store::search_texts;

impl<R: WriteRows> Transaction<'_, R> {
    /// Writes the observed edges and aliases of a batch.
    pub(super) async fn write_observations(
        &mut self,
        reports: &ReportBatch<'_>,
    ) -> Result<(), RowsError> {
        self.write_edge_observations(reports).await?;
        self.write_alias_observations(reports).await
    }

    async fn write_edge_observations(
        &mut self,
        reports: &ReportBatch<'_>,
    ) -> Result<(), RowsError> {
        let mut rows: BTreeMap<EdgeKey, EdgeRow> = BTreeMap::new();
        for observation in &reports.edges {
            let key = EdgeKey {
                from: self.node_ids.of(observation.uid),
                kind: self.words.number(observation.edge.kind),
                to: self.node_ids.of(observation.edge.to),
                source: self.words.number(observation.source),
                scope: NO_WORD,
                is_observation: true,
            };
            let row = EdgeRow {
                key,
                confidence: observation.edge.confidence,
                properties: observation.edge.properties.map(<[u8]>::to_vec),
                first_seen: observation.time,
                last_seen: observation.time,
            };
            match rows.get_mut(&key) {
                Some(merged) => merged.observe(&row),
                None => {
                    rows.insert(key, row);
                }
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let rows: Vec<EdgeRow> = rows.into_values().collect();
        let new_flags = self.rows.observe_edges(&rows).await?;
        let new = rows.iter().zip(new_flags).filter(|(_, is_new)| *is_new);
        for (row, _) in new {
            let kind = self.words.owned_text(row.key.kind).unwrap_or_default();
            let [from, to] = [row.key.from, row.key.to].map(|id| self.node_ids.uid(id).to_owned());
            self.commit.edges.push((from, kind, to));
        }
        Ok(())
    }

    async fn write_alias_observations(
        &mut self,
        reports: &ReportBatch<'_>,
    ) -> Result<(), RowsError> {
        let mut rows: BTreeMap<AliasKey, AliasRow> = BTreeMap::new();
        for observation in &reports.aliases {
            let key = AliasKey {
                node: self.node_ids.of(observation.uid),
                kind: self.words.number(observation.alias.kind),
                value: observation.alias.value.to_owned(),
                within: self.words.number(observation.alias.within),
                source: self.words.number(observation.source),
                scope: NO_WORD,
                is_observation: true,
            };
            let row = AliasRow {
                key: key.clone(),
                valid_from: observation.alias.valid_from,
                valid_to: observation.alias.valid_to,
                first_seen: observation.time,
                last_seen: observation.time,
            };
            match rows.get_mut(&key) {
                Some(merged) => merged.observe(&row),
                None => {
                    rows.insert(key, row);
                }
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let rows: Vec<AliasRow> = rows.into_values().collect();
        let new_flags = self.rows.observe_aliases(&rows).await?;
        let new = rows.iter().zip(new_flags).filter(|(_, is_new)| *is_new);
        let new: Vec<&AliasRow> = new.map(|(row, _)| row).collect();
        self.note_changed_same_as(new.iter().map(|row| row.key.clone()).collect());
        let mut owners: Vec<_> = new.iter().map(|row| row.key.node).collect();
        owners.sort_unstable();
        owners.dedup();
        self.load_nodes(owners.clone()).await?;
        let linked = owners.iter().filter_map(|id| self.nodes.0.get(id));
        self.commit
            .links
            .extend(linked.map(|node| node.row.uid.clone()));
        let mut by_owner: BTreeMap<_, Vec<String>> = BTreeMap::new();
        let (new_owners, old_owners) = self.split_owners_by_snapshots(owners);
        let mut all = match old_owners.is_empty() {
            true => Vec::new(),
            false => self.rows.aliases(&old_owners).await?,
        };
        all.extend(
            rows.iter()
                .filter(|row| new_owners.contains(&row.key.node))
                .cloned(),
        );
        for row in all {
            by_owner
                .entry(row.key.node)
                .or_default()
                .push(row.key.value);
        }
        let mut changes = search_texts::TextChanges::default();
        for (id, values) in &by_owner {
            if let Some(node) = self.nodes.0.get(id) {
                changes.replace_aliases(&node.row, values.iter().map(String::as_str));
            }
        }
        let (fields, texts) = changes.into_rows();
        match fields.is_empty() {
            true => Ok(()),
            false => self.rows.put_texts(&fields, &texts).await,
        }
    }

    /// Splits the owners of observed aliases into those whose only aliases are the observed ones, and the rest. The
    /// former are nodes that the transaction created and for which it wrote no alias snapshot.
    fn split_owners_by_snapshots(&self, owners: Vec<NodeId>) -> (HashSet<NodeId>, Vec<NodeId>) {
        let versions = self.new_versions.values();
        let with_snapshots = versions.filter(|version| version.aliases.is_some());
        let with_snapshots: HashSet<NodeId> = with_snapshots.map(|it| it.key.node).collect();
        let (new_owners, old_owners): (Vec<_>, Vec<_>) = owners
            .into_iter()
            .partition(|id| self.node_ids.is_new(*id) && !with_snapshots.contains(id));
        (new_owners.into_iter().collect(), old_owners)
    }

    /// Writes the edge statistics of a batch, each row for one minute of an edge.
    pub(super) async fn write_edge_stats(
        &mut self,
        reports: &ReportBatch<'_>,
    ) -> Result<(), RowsError> {
        if reports.edge_stats.is_empty() {
            return Ok(());
        }
        let rows = reports.edge_stats.iter().map(|stats| EdgeStatsRow {
            minute: stats.minute,
            from: self.node_ids.of(stats.from),
            kind: self.words.number(stats.kind),
            to: self.node_ids.of(stats.to),
            connection_type: self.words.number(stats.connection_type),
            writer: self.words.number(stats.writer),
            chunk: stats.chunk,
            calls: stats.calls,
            errors: stats.errors,
            duration_sum: stats.duration_sum,
            duration_max: stats.duration_max,
            scale: stats.scale,
            offset: stats.offset,
            counts: stats.counts.clone(),
        });
        let rows: Vec<EdgeStatsRow> = rows.collect();
        self.rows
            .put_edge_stats(StatsResolution::Minute, &rows)
            .await
    }
}
