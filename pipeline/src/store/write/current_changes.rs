//! The differences between the stored current rows and those that the claims yield, and their write.

use std::collections::BTreeMap;

use super::Transaction;
use crate::store::rows::{
    AliasKey, AliasRow, CountRow, EdgeKey, EdgeRow, Listing, NodeId, NodeRow, RowsError, ScopeKey,
    Word, WriteRows,
};
use crate::store::search_texts;

/// Changes to the current rows, so that they agree with the claims of their nodes.
#[derive(Debug, Default)]
pub(in crate::store) struct CurrentChanges {
    pub(in crate::store) nodes: Vec<NodeRow>,
    /// The change of each count, by (kind, provider).
    pub(super) counts: BTreeMap<(Word, Word), i64>,
    pub(in crate::store) edges: Vec<EdgeRow>,
    pub(in crate::store) removed_edges: Vec<EdgeKey>,
    pub(in crate::store) aliases: Vec<AliasRow>,
    pub(in crate::store) removed_aliases: Vec<AliasKey>,
    /// All contested nodes among the compared ones, even those that are already stored as contested.
    pub(in crate::store) contested: Vec<(ScopeKey, NodeId)>,
    /// Nodes that are no longer contested.
    pub(super) uncontested: Vec<NodeId>,
    pub(super) texts: search_texts::TextChanges,
}

impl CurrentChanges {
    /// Nodes whose aliases or outgoing edges change; a node may occur several times.
    pub(super) fn nodes_with_changed_links(&self) -> impl Iterator<Item = NodeId> {
        let edges = self.edges.iter().map(|row| &row.key);
        let edges = edges.chain(&self.removed_edges).map(|key| key.from);
        let aliases = self.aliases.iter().map(|row| &row.key);
        let aliases = aliases.chain(&self.removed_aliases).map(|key| key.node);
        edges.chain(aliases)
    }

    /// Adds to the count of a node's kind and provider, if the node is listed as current.
    pub(super) fn add_count(&mut self, row: &NodeRow, count: i64) {
        if row.listing == Listing::Current {
            *self.counts.entry((row.kind, row.provider)).or_default() += count;
        }
    }
}

impl<R: WriteRows> Transaction<'_, R> {
    /// Writes the changes.
    pub(in crate::store) async fn write_current_changes(
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
            if let Some(node) = self.nodes.0.get_mut(&row.id) {
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
        if !changes.uncontested.is_empty() {
            self.rows.remove_contested(&changes.uncontested).await?;
        }
        if !changes.contested.is_empty() {
            self.rows.put_contested(&changes.contested).await?;
        }
        let (fields, rows) = changes.texts.into_rows();
        match fields.is_empty() {
            true => Ok(()),
            false => self.rows.put_texts(&fields, &rows).await,
        }
    }
}
