//! Removes the expired rows of a node, or the node with all its rows, in the transaction of a step.

use std::collections::BTreeSet;

use super::expiry;
use super::limits::ExpiryLimits;
use super::node_rows::{MAX_PAST_EDGES, NodeRows};
use super::plan::{MAX_ROWS, RemovalPlan, take_limited};
use crate::schema::aliases::kind;
use crate::store::rows::{
    AliasKey, CountRow, EdgeKey, EdgePage, Listing, NodeId, Projection, RowsError, SnapshotKey,
    TextField, VersionKey, VersionRow, WriteRows,
};
use crate::store::search_texts;
use crate::store::write::Transaction;

/// The result of a removal.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RemovalOutcome {
    /// The number of removed rows.
    pub(super) removed: u64,
    /// Whether nothing removable of the node remains.
    pub(super) is_complete: bool,
}

impl RemovalOutcome {
    /// Returns the outcome for a node that no longer exists.
    pub(super) fn nothing() -> RemovalOutcome {
        RemovalOutcome {
            removed: 0,
            is_complete: true,
        }
    }
}

/// Removes those planned rows of a node that are still removable. The caller has read `node` in this transaction.
pub(super) async fn remove_planned<R: WriteRows>(
    transaction: &mut Transaction<'_, R>,
    node: &NodeRows,
    plan: RemovalPlan,
    limits: &ExpiryLimits,
) -> Result<RemovalOutcome, RowsError> {
    let removes_node = plan.removes_node;
    let mut remover = NodeRemover {
        outcome: RemovalOutcome {
            removed: 0,
            is_complete: plan.is_complete,
        },
        transaction,
        plan,
    };
    match removes_node {
        true => remover.remove_node(node).await?,
        false => remover.remove_expired(node, limits).await?,
    }
    Ok(remover.outcome)
}

/// Removes rows of one node.
struct NodeRemover<'r, 't, R> {
    transaction: &'r mut Transaction<'t, R>,
    plan: RemovalPlan,
    outcome: RemovalOutcome,
}

impl<R: WriteRows> NodeRemover<'_, '_, R> {
    /// Returns the rows that one transaction may remove, and counts them as removed.
    fn take<'a, T>(&mut self, all: &'a [T]) -> &'a [T] {
        let all = take_limited(all, &mut self.outcome.is_complete);
        self.outcome.removed += all.len() as u64;
        all
    }

    /// Removes the planned rows of a node that stays.
    async fn remove_expired(
        &mut self,
        node: &NodeRows,
        limits: &ExpiryLimits,
    ) -> Result<(), RowsError> {
        let expired = expiry::expired_claims(node, limits);
        let expired = self.take(&expired);
        if !expired.is_empty() {
            self.transaction.rows.remove_claims(expired).await?;
        }
        let unreferenced = expiry::unreferenced_versions(node, expired, limits);
        let mut edges = node.expired_edges.clone();
        edges.retain(|key| self.plan.edges.contains(key));
        let mut aliases = node.expired_aliases.clone();
        aliases.retain(|key| self.plan.aliases.contains(key));
        self.outcome.removed += (edges.len() + aliases.len()) as u64;
        self.transaction.rows.remove_edges(&edges).await?;
        let aliases_changed = !aliases.is_empty();
        if aliases_changed {
            self.transaction.rows.remove_aliases(&aliases).await?;
        }
        self.remove_versions(node, unreferenced).await?;
        match aliases_changed {
            true => self.update_alias_texts(node.row.id, aliases).await,
            false => Ok(()),
        }
    }

    /// Removes the node with all its rows. If these are too many for one transaction, the next steps remove the rest.
    async fn remove_node(&mut self, node: &NodeRows) -> Result<(), RowsError> {
        let id = node.row.id;
        // Only the last transaction removes the last intervals: until then, they show that the node is expired.
        let (mut last, mut past) = (Vec::new(), Vec::new());
        for (key, intervals) in &node.claims {
            let mut all = intervals
                .iter()
                .rev()
                .map(|interval| (*key, interval.since));
            last.extend(all.next());
            past.extend(all);
        }
        let past = self.take(&past);
        if !past.is_empty() {
            self.transaction.rows.remove_claims(past).await?;
        }
        let versions = node.versions.iter().map(|row| row.key).collect();
        self.remove_versions(node, versions).await?;
        let page = EdgePage {
            after: None,
            limit: MAX_ROWS + 1,
        };
        let edges = self.transaction.rows.edges_out(&[id], &[], &page).await?;
        let edges: Vec<EdgeKey> = edges.into_iter().map(|row| row.key).collect();
        let edges = self.take(&edges);
        self.remove_current_edges(edges).await?;
        if !self.outcome.is_complete {
            return Ok(());
        }
        self.outcome.removed += last.len() as u64;
        self.transaction.rows.remove_claims(&last).await?;
        let aliases = self.transaction.rows.aliases(&[id]).await?;
        let aliases: Vec<AliasKey> = aliases.into_iter().map(|row| row.key).collect();
        self.remove_current_aliases(id, aliases).await?;
        let rows = &mut *self.transaction.rows;
        let past = rows.past_edges_in(&[id], &[], None, MAX_PAST_EDGES).await?;
        rows.remove_past_edges(&past).await?;
        rows.put_texts(&TextField::ALL.map(|field| (id, field)), &[])
            .await?;
        rows.remove_contested(&[id]).await?;
        if node.row.listing == Listing::Current {
            rows.add_counts(&[CountRow {
                kind: node.row.kind,
                provider: node.row.provider,
                count: -1,
            }])
            .await?;
        }
        self.outcome.removed += 1;
        rows.remove_nodes(&[id]).await
    }

    /// Removes the planned versions that are still in `removable`, the versions that no interval references. Also
    /// removes the snapshots that no remaining version references, and the past edges and aliases that no remaining row
    /// has.
    async fn remove_versions(
        &mut self,
        node: &NodeRows,
        mut removable: Vec<VersionKey>,
    ) -> Result<(), RowsError> {
        removable.retain(|key| self.plan.versions.contains(key));
        let removed: BTreeSet<VersionKey> = removable.into_iter().collect();
        let is_removed = |row: &&VersionRow| removed.contains(&row.key);
        let kept =
            expiry::referenced_snapshots(node.versions.iter().filter(|row| !is_removed(row)));
        let mut snapshots = expiry::referenced_snapshots(node.versions.iter().filter(is_removed));
        snapshots.retain(|key| !kept.contains(key));
        self.plan
            .exclude_new_snapshots(self.transaction.rows, &kept)
            .await?;
        self.remove_past_rows(node.row.id).await?;
        // A node is removed only after all its versions.
        self.outcome.is_complete &= !self.plan.removes_node || removed.len() == node.versions.len();
        self.outcome.removed += (removed.len() + snapshots.len()) as u64;
        if !snapshots.is_empty() {
            let snapshots: Vec<SnapshotKey> = snapshots.into_iter().collect();
            self.transaction.rows.remove_snapshots(&snapshots).await?;
        }
        match removed.is_empty() {
            true => Ok(()),
            false => {
                let removed: Vec<VersionKey> = removed.into_iter().collect();
                self.transaction.rows.remove_versions(&removed).await
            }
        }
    }

    /// Removes the past edges and aliases of the node that no remaining row has.
    async fn remove_past_rows(&mut self, node: NodeId) -> Result<(), RowsError> {
        let past = std::mem::take(&mut self.plan.past);
        let edges = past.edges.into_iter().map(|(to, kind)| (to, kind, node));
        let edges: Vec<_> = edges.collect();
        let aliases = past.aliases.into_iter().map(|value| (value, node));
        let aliases: Vec<_> = aliases.collect();
        if !edges.is_empty() {
            self.transaction.rows.remove_past_edges(&edges).await?;
        }
        match aliases.is_empty() {
            true => Ok(()),
            false => self.transaction.rows.remove_past_aliases(&aliases).await,
        }
    }

    /// Removes current edges of a node that is removed. They do not become past edges.
    async fn remove_current_edges(&mut self, keys: &[EdgeKey]) -> Result<(), RowsError> {
        if keys.is_empty() {
            return Ok(());
        }
        let past: Vec<_> = keys
            .iter()
            .map(|key| (key.to, key.kind, key.from))
            .collect();
        self.transaction.rows.remove_edges(keys).await?;
        self.transaction.rows.remove_past_edges(&past).await
    }

    /// Removes current aliases of a node that is removed. They do not become past aliases.
    async fn remove_current_aliases(
        &mut self,
        node: NodeId,
        keys: Vec<AliasKey>,
    ) -> Result<(), RowsError> {
        if keys.is_empty() {
            return Ok(());
        }
        let rows = &mut *self.transaction.rows;
        rows.remove_aliases(&keys).await?;
        let past: Vec<_> = keys.iter().map(|key| (key.value.clone(), node)).collect();
        rows.remove_past_aliases(&past).await?;
        self.update_alias_texts(node, keys).await
    }

    /// Writes the search texts of the remaining aliases of a node, and notes changed `same_as` aliases.
    async fn update_alias_texts(
        &mut self,
        node: NodeId,
        removed: Vec<AliasKey>,
    ) -> Result<(), RowsError> {
        let same_as = [kind::SAME_AS].into_iter();
        self.transaction
            .words
            .load_numbers(self.transaction.rows, same_as)
            .await?;
        let rows = &mut *self.transaction.rows;
        let remaining = rows.aliases(&[node]).await?;
        let found = rows.nodes(&[node], Projection::Header).await?;
        let mut changes = search_texts::TextChanges::default();
        for row in &found {
            changes.replace_aliases(row, remaining.iter().map(|alias| alias.key.value.as_str()));
        }
        let (fields, texts) = changes.into_rows();
        rows.put_texts(&fields, &texts).await?;
        self.transaction.note_changed_same_as(removed);
        Ok(())
    }
}
