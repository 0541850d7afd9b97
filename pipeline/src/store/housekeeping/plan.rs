//! Plans which rows of a node a transaction removes. Planning reads all snapshots that stay, so it happens before the
//! write session opens.

use std::collections::BTreeSet;

use super::expiry;
use super::limits::ExpiryLimits;
use super::node_rows::NodeRows;
use crate::store::rows::{
    AliasKey, EdgeKey, NodeId, ReadRows, RowsError, SnapshotKey, SnapshotKind, VersionKey,
    VersionRow, Word,
};
use crate::store::snapshot;

/// The number of snapshots that are read at a time.
const SNAPSHOT_PAGE: usize = if cfg!(test) { 2 } else { 64 };

/// The number of edges and aliases after which a plan includes no more versions.
const MAX_ITEMS: usize = if cfg!(test) { 4 } else { 2000 };

/// The maximum number of rows of each kind that a transaction removes for one node.
pub(super) const MAX_ROWS: usize = if cfg!(test) { 2 } else { 500 };

/// The edges and aliases in some snapshots, or in removed observations.
#[derive(Debug, Default)]
pub(super) struct SnapshotContents {
    /// As (to, kind).
    pub(super) edges: BTreeSet<(NodeId, Word)>,
    /// The values of the aliases.
    pub(super) aliases: BTreeSet<String>,
}

/// The rows of a node that one transaction removes.
#[derive(Debug, Default)]
pub(super) struct RemovalPlan {
    /// Whether the node is removed with all its rows.
    pub(super) removes_node: bool,
    pub(super) versions: BTreeSet<VersionKey>,
    pub(super) edges: BTreeSet<EdgeKey>,
    pub(super) aliases: BTreeSet<AliasKey>,
    /// Edges and aliases that no row has any more once the planned rows are removed. Their past rows are removed, too.
    pub(super) past: SnapshotContents,
    /// The snapshots that stay. None of them contains an item of `past`.
    kept: BTreeSet<SnapshotKey>,
    /// Whether nothing removable of the node remains after this plan.
    pub(super) is_complete: bool,
}

impl RemovalPlan {
    /// Plans the removal of a node, or of its expired rows.
    pub(super) async fn of(
        rows: &mut impl ReadRows,
        node: &NodeRows,
        removes_node: bool,
        limits: &ExpiryLimits,
    ) -> Result<RemovalPlan, RowsError> {
        let versions = match removes_node {
            true => node.versions.iter().map(|row| row.key).collect(),
            false => removable_versions(node, limits),
        };
        let mut plan = RemovalPlan {
            removes_node,
            is_complete: true,
            ..RemovalPlan::default()
        };
        let edges = take_limited(&node.expired_edges, &mut plan.is_complete);
        let aliases = take_limited(&node.expired_aliases, &mut plan.is_complete);
        let versions = take_limited(&versions, &mut plan.is_complete);
        for key in edges {
            plan.past.edges.insert((key.to, key.kind));
            plan.edges.insert(*key);
        }
        for key in aliases {
            plan.past.aliases.insert(key.value.clone());
            plan.aliases.insert(key.clone());
        }
        plan.add_versions(rows, &node.versions, versions).await?;
        let is_kept = |row: &&VersionRow| !plan.versions.contains(&row.key);
        plan.kept = expiry::referenced_snapshots(node.versions.iter().filter(is_kept));
        let kept = plan.kept.iter().copied().collect::<Vec<_>>();
        plan.past.subtract(rows, &kept).await?;
        Ok(plan)
    }

    /// Cancels the removal of the node itself unless the node is still removable.
    pub(super) fn keep_node_unless(self, is_removable: bool) -> RemovalPlan {
        RemovalPlan {
            removes_node: self.removes_node && is_removable,
            ..self
        }
    }

    /// Adds versions to the plan, and the items of their snapshots to `past`.
    async fn add_versions(
        &mut self,
        rows: &mut impl ReadRows,
        all: &[VersionRow],
        versions: &[VersionKey],
    ) -> Result<(), RowsError> {
        for keys in versions.chunks(SNAPSHOT_PAGE) {
            if self.past.len() > MAX_ITEMS {
                self.is_complete = false;
                return Ok(());
            }
            let keys: BTreeSet<VersionKey> = keys.iter().copied().collect();
            let snapshots =
                expiry::referenced_snapshots(all.iter().filter(|row| keys.contains(&row.key)));
            let snapshots: Vec<SnapshotKey> = snapshots.into_iter().collect();
            self.past.add(rows, &snapshots).await?;
            self.versions.extend(keys);
        }
        Ok(())
    }

    /// Removes from `past` the items of kept snapshots that did not exist when the plan was made.
    pub(super) async fn exclude_new_snapshots(
        &mut self,
        rows: &mut impl ReadRows,
        kept: &BTreeSet<SnapshotKey>,
    ) -> Result<(), RowsError> {
        let new: Vec<SnapshotKey> = kept.difference(&self.kept).copied().collect();
        self.past.subtract(rows, &new).await
    }
}

impl SnapshotContents {
    fn len(&self) -> usize {
        self.edges.len() + self.aliases.len()
    }

    /// Adds the items of snapshots.
    async fn add(
        &mut self,
        rows: &mut impl ReadRows,
        keys: &[SnapshotKey],
    ) -> Result<(), RowsError> {
        for keys in keys.chunks(SNAPSHOT_PAGE) {
            for (key, bytes) in rows.snapshots(keys).await? {
                match key.kind {
                    SnapshotKind::Edges => {
                        let items = snapshot::decode_edges(&bytes).into_iter();
                        self.edges.extend(items.map(|item| (item.to, item.kind)));
                    }
                    SnapshotKind::Aliases => {
                        let items = snapshot::decode_aliases(&bytes).into_iter();
                        self.aliases.extend(items.map(|item| item.value));
                    }
                }
            }
        }
        Ok(())
    }

    /// Removes the items of snapshots.
    async fn subtract(
        &mut self,
        rows: &mut impl ReadRows,
        keys: &[SnapshotKey],
    ) -> Result<(), RowsError> {
        for keys in keys.chunks(SNAPSHOT_PAGE) {
            if self.len() == 0 {
                return Ok(());
            }
            for (key, bytes) in rows.snapshots(keys).await? {
                match key.kind {
                    SnapshotKind::Edges => {
                        for item in snapshot::decode_edges(&bytes) {
                            self.edges.remove(&(item.to, item.kind));
                        }
                    }
                    SnapshotKind::Aliases => {
                        for item in snapshot::decode_aliases(&bytes) {
                            self.aliases.remove(&item.value);
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// Returns the versions of a node that no interval references after one transaction has removed expired intervals.
fn removable_versions(node: &NodeRows, limits: &ExpiryLimits) -> Vec<VersionKey> {
    let expired = expiry::expired_claims(node, limits);
    expiry::unreferenced_versions(node, take_limited(&expired, &mut true), limits)
}

/// Returns the first [`MAX_ROWS`] rows. Sets `is_complete` to false if there are more.
pub(super) fn take_limited<'a, T>(all: &'a [T], is_complete: &mut bool) -> &'a [T] {
    *is_complete &= all.len() <= MAX_ROWS;
    &all[..all.len().min(MAX_ROWS)]
}
