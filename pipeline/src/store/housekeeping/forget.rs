//! Removes what of a node has aged, or the node with all its rows, in the transaction of a step.

use std::collections::BTreeSet;

use super::super::rows::{
    AliasKey, CountRow, EdgeKey, EdgePage, Listing, NodeId, Projection, RowsError, SnapshotKey,
    TextField, VersionKey, VersionRow, WriteRows,
};
use super::super::texts;
use super::super::write::Transaction;
use super::aged::{self, Limits};
use super::node::{NodeRows, PAST_EDGES};
use super::plan::Plan;
use crate::schema::aliases::kind;

/// Rows of one kind that are removed of a node at once.
const LIMIT: usize = if cfg!(test) { 2 } else { 500 };

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tidied {
    pub(super) removed: u64,
    /// Whether nothing of the node is left to remove.
    pub(super) is_complete: bool,
}

impl Tidied {
    /// The node is not there any more.
    pub(super) fn nothing() -> Tidied {
        Tidied {
            removed: 0,
            is_complete: true,
        }
    }
}

/// The versions of a node that nothing names once its old stretches are removed.
pub(super) fn unnamed(node: &NodeRows, limits: &Limits) -> Vec<VersionKey> {
    let old = aged::old_claims(node, limits);
    aged::unnamed_versions(node, some(&old, &mut true), limits)
}

/// The first of them that one transaction takes.
pub(super) fn some<'a, T>(all: &'a [T], is_complete: &mut bool) -> &'a [T] {
    *is_complete &= all.len() <= LIMIT;
    &all[..all.len().min(LIMIT)]
}

/// Removes what is planned of a node that was read again in this transaction, and still may go.
pub(super) async fn tidy<R: WriteRows>(
    transaction: &mut Transaction<'_, R>,
    node: &NodeRows,
    plan: Plan,
    limits: &Limits,
) -> Result<Tidied, RowsError> {
    let goes = plan.goes;
    let mut forget = Forget {
        tidied: Tidied {
            removed: 0,
            is_complete: plan.is_complete,
        },
        transaction,
        plan,
    };
    match goes {
        true => forget.node(node).await?,
        false => forget.aged(node, limits).await?,
    }
    Ok(forget.tidied)
}

struct Forget<'f, 't, R> {
    transaction: &'f mut Transaction<'t, R>,
    plan: Plan,
    tidied: Tidied,
}

impl<R: WriteRows> Forget<'_, '_, R> {
    fn some<'a, T>(&mut self, all: &'a [T]) -> &'a [T] {
        let all = some(all, &mut self.tidied.is_complete);
        self.tidied.removed += all.len() as u64;
        all
    }

    async fn aged(&mut self, node: &NodeRows, limits: &Limits) -> Result<(), RowsError> {
        let old = aged::old_claims(node, limits);
        let old = self.some(&old);
        if !old.is_empty() {
            self.transaction.rows.remove_claims(old).await?;
        }
        let unnamed = aged::unnamed_versions(node, old, limits);
        let mut edges = node.expired_edges.clone();
        edges.retain(|key| self.plan.edges.contains(key));
        let mut aliases = node.expired_aliases.clone();
        aliases.retain(|key| self.plan.aliases.contains(key));
        self.tidied.removed += (edges.len() + aliases.len()) as u64;
        self.transaction.rows.remove_edges(&edges).await?;
        let aliases_changed = !aliases.is_empty();
        if aliases_changed {
            self.transaction.rows.remove_aliases(&aliases).await?;
        }
        self.versions(node, unnamed).await?;
        match aliases_changed {
            true => self.aliases_changed(node.row.id, aliases).await,
            false => Ok(()),
        }
    }

    /// All of it.
    async fn node(&mut self, node: &NodeRows) -> Result<(), RowsError> {
        let id = node.row.id;
        // The last ones go at the end: as long as they are there, so is the reason why the node goes.
        let (mut last, mut past) = (Vec::new(), Vec::new());
        for (key, stretches) in &node.claims {
            let mut all = stretches.iter().rev().map(|stretch| (*key, stretch.since));
            last.extend(all.next());
            past.extend(all);
        }
        let past = self.some(&past);
        if !past.is_empty() {
            self.transaction.rows.remove_claims(past).await?;
        }
        let versions = node.versions.iter().map(|row| row.key).collect();
        self.versions(node, versions).await?;
        let page = EdgePage {
            after: None,
            limit: LIMIT + 1,
        };
        let edges = self.transaction.rows.edges_out(&[id], &[], &page).await?;
        let edges: Vec<EdgeKey> = edges.into_iter().map(|row| row.key).collect();
        let edges = self.some(&edges);
        self.edges(edges).await?;
        if !self.tidied.is_complete {
            return Ok(());
        }
        self.tidied.removed += last.len() as u64;
        self.transaction.rows.remove_claims(&last).await?;
        let aliases = self.transaction.rows.aliases(&[id]).await?;
        let aliases: Vec<AliasKey> = aliases.into_iter().map(|row| row.key).collect();
        self.aliases(id, aliases).await?;
        let rows = &mut *self.transaction.rows;
        let past = rows.past_edges_in(&[id], &[], None, PAST_EDGES).await?;
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
        self.tidied.removed += 1;
        rows.remove_nodes(&[id]).await
    }

    /// Removes the versions that are planned, the snapshots that no other version names, and what
    /// nothing has any more. `removable` are those that nothing names now.
    async fn versions(
        &mut self,
        node: &NodeRows,
        mut removable: Vec<VersionKey>,
    ) -> Result<(), RowsError> {
        removable.retain(|key| self.plan.versions.contains(key));
        let removed: BTreeSet<VersionKey> = removable.into_iter().collect();
        let is_removed = |row: &&VersionRow| removed.contains(&row.key);
        let kept = aged::snapshots_of(node.versions.iter().filter(|row| !is_removed(row)));
        let mut snapshots = aged::snapshots_of(node.versions.iter().filter(is_removed));
        snapshots.retain(|key| !kept.contains(key));
        self.plan.check(self.transaction.rows, &kept).await?;
        self.past(node.row.id).await?;
        // Of a node that goes, all of them have to.
        self.tidied.is_complete &= !self.plan.goes || removed.len() == node.versions.len();
        self.tidied.removed += (removed.len() + snapshots.len()) as u64;
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

    /// Forgets the edges and aliases that nothing has any more.
    async fn past(&mut self, node: NodeId) -> Result<(), RowsError> {
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

    /// Removes current edges of a node that goes. They leave no trace.
    async fn edges(&mut self, keys: &[EdgeKey]) -> Result<(), RowsError> {
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

    /// Likewise its aliases.
    async fn aliases(&mut self, node: NodeId, keys: Vec<AliasKey>) -> Result<(), RowsError> {
        if keys.is_empty() {
            return Ok(());
        }
        let rows = &mut *self.transaction.rows;
        rows.remove_aliases(&keys).await?;
        let past: Vec<_> = keys.iter().map(|key| (key.value.clone(), node)).collect();
        rows.remove_past_aliases(&past).await?;
        self.aliases_changed(node, keys).await
    }

    /// What is found by aliases of a node, after some were removed.
    async fn aliases_changed(
        &mut self,
        node: NodeId,
        keys: Vec<AliasKey>,
    ) -> Result<(), RowsError> {
        let same_as = [kind::SAME_AS].into_iter();
        self.transaction
            .words
            .find(self.transaction.rows, same_as)
            .await?;
        let rows = &mut *self.transaction.rows;
        let left = rows.aliases(&[node]).await?;
        let found = rows.nodes(&[node], Projection::Header).await?;
        let mut changes = texts::Changes::default();
        for row in &found {
            changes.aliases(row, left.iter().map(|alias| alias.key.value.as_str()));
        }
        let (fields, texts) = changes.finish();
        rows.put_texts(&fields, &texts).await?;
        self.transaction.same_as_changed(keys);
        Ok(())
    }
}
