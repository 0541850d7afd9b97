//! What a transaction changes of the current rows of nodes.

use std::collections::BTreeMap;

use super::Transaction;
use crate::store::rows::{
    AliasKey, AliasRow, CountRow, EdgeKey, EdgeRow, Listing, NodeId, NodeRow, RowsError, ScopeKey,
    Word, WriteRows,
};
use crate::store::texts;

/// Rows that are not as the claims of their nodes have them.
#[derive(Debug, Default)]
pub(in crate::store) struct CurrentChanges {
    pub(in crate::store) nodes: Vec<NodeRow>,
    /// By (kind, provider).
    pub(super) counts: BTreeMap<(Word, Word), i64>,
    pub(in crate::store) edges: Vec<EdgeRow>,
    pub(in crate::store) removed_edges: Vec<EdgeKey>,
    pub(in crate::store) aliases: Vec<AliasRow>,
    pub(in crate::store) removed_aliases: Vec<AliasKey>,
    /// All that are contested, whether that is stored or not.
    pub(in crate::store) contested: Vec<(ScopeKey, NodeId)>,
    /// Nodes that are not contested any more.
    pub(super) settled: Vec<NodeId>,
    pub(super) texts: texts::Changes,
}

impl CurrentChanges {
    /// Nodes whose aliases or outgoing edges change; some may come several times.
    pub(super) fn linked(&self) -> impl Iterator<Item = NodeId> {
        let edges = self.edges.iter().map(|row| &row.key);
        let edges = edges.chain(&self.removed_edges).map(|key| key.from);
        let aliases = self.aliases.iter().map(|row| &row.key);
        let aliases = aliases.chain(&self.removed_aliases).map(|key| key.node);
        edges.chain(aliases)
    }

    pub(super) fn count(&mut self, row: &NodeRow, count: i64) {
        if row.listing == Listing::Current {
            *self.counts.entry((row.kind, row.provider)).or_default() += count;
        }
    }
}

impl<R: WriteRows> Transaction<'_, R> {
    pub(in crate::store) async fn write_changes(
        &mut self,
        changes: CurrentChanges,
    ) -> Result<(), RowsError> {
        if !changes.removed_edges.is_empty() {
            self.rows.remove_edges(&changes.removed_edges).await?;
        }
        if !changes.edges.is_empty() {
            self.rows.put_edges(&changes.edges).await?;
        }
        if !changes.removed_aliases.is_empty() {
            self.rows.remove_aliases(&changes.removed_aliases).await?;
        }
        if !changes.aliases.is_empty() {
            self.rows.put_aliases(&changes.aliases).await?;
        }
        if !changes.nodes.is_empty() {
            self.rows.put_nodes(&changes.nodes).await?;
        }
        for row in changes.nodes {
            if let Some(node) = self.touched.0.get_mut(&row.id) {
                node.row = row;
            }
        }
        let counts = changes.counts.into_iter().filter(|(_, count)| *count != 0);
        let counts: Vec<CountRow> = counts
            .map(|((kind, provider), count)| CountRow {
                kind,
                provider,
                count,
            })
            .collect();
        if !counts.is_empty() {
            self.rows.add_counts(&counts).await?;
        }
        if !changes.settled.is_empty() {
            self.rows.remove_contested(&changes.settled).await?;
        }
        if !changes.contested.is_empty() {
            self.rows.put_contested(&changes.contested).await?;
        }
        let (fields, rows) = changes.texts.finish();
        match fields.is_empty() {
            true => Ok(()),
            false => self.rows.put_texts(&fields, &rows).await,
        }
    }
}
