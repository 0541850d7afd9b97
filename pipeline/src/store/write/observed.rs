//! Edges and aliases that were seen by themselves.

use std::collections::BTreeMap;

use hashbrown::HashSet;

use super::Transaction;
use crate::reports::ReportBatch;
use crate::store::rows::{
    AliasKey, AliasRow, EdgeKey, EdgeRow, NO_WORD, NodeId, RowsError, WriteRows,
};
use crate::store::texts;

impl<R: WriteRows> Transaction<'_, R> {
    pub(super) async fn observe(&mut self, reports: &ReportBatch<'_>) -> Result<(), RowsError> {
        self.observe_edges(reports).await?;
        self.observe_aliases(reports).await
    }

    async fn observe_edges(&mut self, reports: &ReportBatch<'_>) -> Result<(), RowsError> {
        let mut rows: BTreeMap<EdgeKey, EdgeRow> = BTreeMap::new();
        for seen in &reports.edges {
            let key = EdgeKey {
                from: self.ids.of(seen.uid),
                kind: self.words.number(seen.edge.kind),
                to: self.ids.of(seen.edge.to),
                source: self.words.number(seen.source),
                scope: NO_WORD,
                is_observation: true,
            };
            let row = EdgeRow {
                key,
                confidence: seen.edge.confidence,
                properties: seen.edge.properties.map(<[u8]>::to_vec),
                first_seen: seen.time,
                last_seen: seen.time,
            };
            match rows.get_mut(&key) {
                Some(known) => known.observe(&row),
                None => {
                    rows.insert(key, row);
                }
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let rows: Vec<EdgeRow> = rows.into_values().collect();
        let are_new = self.rows.observe_edges(&rows).await?;
        let new = rows.iter().zip(are_new).filter(|(_, is_new)| *is_new);
        for (row, _) in new {
            let kind = self.words.owned(row.key.kind).unwrap_or_default();
            let [from, to] = [row.key.from, row.key.to].map(|id| self.ids.uid(id).to_owned());
            self.news.edges.push((from, kind, to));
        }
        Ok(())
    }

    async fn observe_aliases(&mut self, reports: &ReportBatch<'_>) -> Result<(), RowsError> {
        let mut rows: BTreeMap<AliasKey, AliasRow> = BTreeMap::new();
        for seen in &reports.aliases {
            let key = AliasKey {
                node: self.ids.of(seen.uid),
                kind: self.words.number(seen.alias.kind),
                value: seen.alias.value.to_owned(),
                within: self.words.number(seen.alias.within),
                source: self.words.number(seen.source),
                scope: NO_WORD,
                is_observation: true,
            };
            let row = AliasRow {
                key: key.clone(),
                valid_from: seen.alias.valid_from,
                valid_to: seen.alias.valid_to,
                first_seen: seen.time,
                last_seen: seen.time,
            };
            match rows.get_mut(&key) {
                Some(known) => known.observe(&row),
                None => {
                    rows.insert(key, row);
                }
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let rows: Vec<AliasRow> = rows.into_values().collect();
        let are_new = self.rows.observe_aliases(&rows).await?;
        let new = rows.iter().zip(are_new).filter(|(_, is_new)| *is_new);
        let new: Vec<&AliasRow> = new.map(|(row, _)| row).collect();
        self.same_as_changed(new.iter().map(|row| row.key.clone()).collect());
        let mut owners: Vec<_> = new.iter().map(|row| row.key.node).collect();
        owners.sort_unstable();
        owners.dedup();
        self.touch(owners.clone()).await?;
        let linked = owners.iter().filter_map(|id| self.touched.0.get(id));
        self.news
            .links
            .extend(linked.map(|node| node.row.uid.clone()));
        let mut by_owner: BTreeMap<_, Vec<String>> = BTreeMap::new();
        let (whole, others) = self.with_all_aliases(owners);
        let mut all = match others.is_empty() {
            true => Vec::new(),
            false => self.rows.aliases(&others).await?,
        };
        all.extend(
            rows.iter()
                .filter(|row| whole.contains(&row.key.node))
                .cloned(),
        );
        for row in all {
            by_owner
                .entry(row.key.node)
                .or_default()
                .push(row.key.value);
        }
        let mut changes = texts::Changes::default();
        for (id, values) in &by_owner {
            if let Some(node) = self.touched.0.get(id) {
                changes.aliases(&node.row, values.iter().map(String::as_str));
            }
        }
        let (fields, texts) = changes.finish();
        match fields.is_empty() {
            true => Ok(()),
            false => self.rows.put_texts(&fields, &texts).await,
        }
    }

    /// Of owners of observed aliases those that have no others, since the transaction made them and wrote no
    /// snapshot of theirs; and the rest.
    fn with_all_aliases(&self, owners: Vec<NodeId>) -> (HashSet<NodeId>, Vec<NodeId>) {
        let versions = self.new_versions.values();
        let with_snapshots = versions.filter(|version| version.aliases.is_some());
        let with_snapshots: HashSet<NodeId> = with_snapshots.map(|it| it.key.node).collect();
        let (whole, others): (Vec<_>, Vec<_>) = owners
            .into_iter()
            .partition(|id| self.ids.is_new(*id) && !with_snapshots.contains(id));
        (whole.into_iter().collect(), others)
    }
}
