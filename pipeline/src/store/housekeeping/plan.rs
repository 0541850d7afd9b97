//! What goes of a node together with old versions and observations. It is found before the writer is
//! taken, since it takes a look at all snapshots that stay.

use std::collections::BTreeSet;

use super::super::rows::{
    AliasKey, EdgeKey, NodeId, Part, ReadRows, RowsError, SnapshotKey, VersionKey, VersionRow, Word,
};
use super::super::snapshot;
use super::aged::{self, Limits};
use super::forget::{self, some};
use super::node::NodeRows;

/// Snapshots that are read at a time.
const SNAPSHOTS: usize = if cfg!(test) { 2 } else { 64 };

/// Edges and aliases after which a plan takes no more versions.
const ITEMS: usize = if cfg!(test) { 4 } else { 2000 };

/// What snapshots have in them.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// (to, kind)
    pub(super) edges: BTreeSet<(NodeId, Word)>,
    pub(super) aliases: BTreeSet<String>,
}

/// What is to be removed of a node in one transaction.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Whether the node goes as a whole.
    pub(super) goes: bool,
    pub(super) versions: BTreeSet<VersionKey>,
    pub(super) edges: BTreeSet<EdgeKey>,
    pub(super) aliases: BTreeSet<AliasKey>,
    /// Edges and aliases that nothing has any more once all this is removed.
    pub(super) past: Contents,
    /// The snapshots that stay, none of which has them.
    kept: BTreeSet<SnapshotKey>,
    pub(super) is_complete: bool,
}

impl Plan {
    /// What goes with all of a node, or with its old stretches.
    pub(super) async fn of(
        rows: &mut impl ReadRows,
        node: &NodeRows,
        goes: bool,
        limits: &Limits,
    ) -> Result<Plan, RowsError> {
        let versions = match goes {
            true => node.versions.iter().map(|row| row.key).collect(),
            false => forget::unnamed(node, limits),
        };
        let mut plan = Plan {
            goes,
            is_complete: true,
            ..Plan::default()
        };
        let edges = some(&node.expired_edges, &mut plan.is_complete);
        let aliases = some(&node.expired_aliases, &mut plan.is_complete);
        let versions = some(&versions, &mut plan.is_complete);
        for key in edges {
            plan.past.edges.insert((key.to, key.kind));
            plan.edges.insert(*key);
        }
        for key in aliases {
            plan.past.aliases.insert(key.value.clone());
            plan.aliases.insert(key.clone());
        }
        plan.take_versions(rows, &node.versions, versions).await?;
        let stays = |row: &&VersionRow| !plan.versions.contains(&row.key);
        plan.kept = aged::snapshots_of(node.versions.iter().filter(stays));
        let kept = plan.kept.iter().copied().collect::<Vec<_>>();
        plan.past.retain_beside(rows, &kept).await?;
        Ok(plan)
    }

    /// Keeps the node where it does not go any more.
    pub(super) fn only_if(self, goes: bool) -> Plan {
        Plan {
            goes: self.goes && goes,
            ..self
        }
    }

    async fn take_versions(
        &mut self,
        rows: &mut impl ReadRows,
        all: &[VersionRow],
        versions: &[VersionKey],
    ) -> Result<(), RowsError> {
        for keys in versions.chunks(SNAPSHOTS) {
            if self.past.len() > ITEMS {
                self.is_complete = false;
                return Ok(());
            }
            let keys: BTreeSet<VersionKey> = keys.iter().copied().collect();
            let named = aged::snapshots_of(all.iter().filter(|row| keys.contains(&row.key)));
            let named: Vec<SnapshotKey> = named.into_iter().collect();
            self.past.add(rows, &named).await?;
            self.versions.extend(keys);
        }
        Ok(())
    }

    /// Leaves out what snapshots have that are kept now, and were not when the plan was made.
    pub(super) async fn check(
        &mut self,
        rows: &mut impl ReadRows,
        kept: &BTreeSet<SnapshotKey>,
    ) -> Result<(), RowsError> {
        let new: Vec<SnapshotKey> = kept.difference(&self.kept).copied().collect();
        self.past.retain_beside(rows, &new).await
    }
}

impl Contents {
    fn len(&self) -> usize {
        self.edges.len() + self.aliases.len()
    }

    async fn add(
        &mut self,
        rows: &mut impl ReadRows,
        keys: &[SnapshotKey],
    ) -> Result<(), RowsError> {
        for keys in keys.chunks(SNAPSHOTS) {
            for (key, bytes) in rows.snapshots(keys).await? {
                match key.part {
                    Part::Edges => {
                        let items = snapshot::decode_edges(&bytes).into_iter();
                        self.edges.extend(items.map(|item| (item.to, item.kind)));
                    }
                    Part::Aliases => {
                        let items = snapshot::decode_aliases(&bytes).into_iter();
                        self.aliases.extend(items.map(|item| item.value));
                    }
                }
            }
        }
        Ok(())
    }

    /// Leaves out what these snapshots have.
    async fn retain_beside(
        &mut self,
        rows: &mut impl ReadRows,
        keys: &[SnapshotKey],
    ) -> Result<(), RowsError> {
        for keys in keys.chunks(SNAPSHOTS) {
            if self.len() == 0 {
                return Ok(());
            }
            for (key, bytes) in rows.snapshots(keys).await? {
                match key.part {
                    Part::Edges => {
                        for item in snapshot::decode_edges(&bytes) {
                            self.edges.remove(&(item.to, item.kind));
                        }
                    }
                    Part::Aliases => {
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
