//! Reads the snapshots of claims that are open at a past time.

use std::collections::{BTreeSet, HashMap};

use super::reader::GraphReader;
use crate::claims::{Claim, open_at};
use crate::component::UnixNanos;
use crate::graph_store::AsOf;
use crate::store::rows::{
    NodeId, Projection, ReadRows, RowsError, SnapshotKey, SnapshotKind, VersionKey,
};

/// A snapshot of an open claim.
#[derive(Debug)]
pub(super) struct OpenSnapshot {
    /// The version that refers to the snapshot.
    pub(super) key: VersionKey,
    /// When the interval of the claim began.
    pub(super) first_seen: UnixNanos,
    /// When the interval was last confirmed.
    pub(super) last_seen: UnixNanos,
    /// The encoded items.
    pub(super) bytes: Vec<u8>,
}

/// A version of an open claim: its key, when its interval began, and when it was last confirmed.
pub(super) type OpenVersion = (VersionKey, UnixNanos, UnixNanos);

impl<R: ReadRows> GraphReader<R> {
    /// Returns the snapshots of one kind that belong to open claims of these nodes, ordered by node.
    pub(super) async fn open_snapshots(
        &mut self,
        ids: &[NodeId],
        kind: SnapshotKind,
    ) -> Result<Vec<OpenSnapshot>, RowsError> {
        self.load_claims(ids).await?;
        let mut open = Vec::new();
        for id in ids.iter().copied().collect::<BTreeSet<NodeId>>() {
            open.extend(self.open_versions(id, self.claims(id), self.as_of));
        }
        self.snapshots_of_versions(open, kind).await
    }

    /// Returns the versions of the claims of a node that are open at a time.
    pub(super) fn open_versions(&self, id: NodeId, claims: &[Claim], at: AsOf) -> Vec<OpenVersion> {
        let open = open_at(claims, at);
        open.map(|(claim, interval)| {
            let key = self.words.version_key(id, &claim.key, interval.state);
            (key, interval.since, self.last_sighting(claim, interval))
        })
        .collect()
    }

    /// Returns the snapshots of one kind that these versions refer to.
    pub(super) async fn snapshots_of_versions(
        &mut self,
        open: Vec<OpenVersion>,
        kind: SnapshotKind,
    ) -> Result<Vec<OpenSnapshot>, RowsError> {
        let keys = open.iter().map(|(key, ..)| *key).collect();
        let versions = self.versions(keys, Projection::Header).await?;
        let snapshot_key = |key: &VersionKey| {
            let version = versions.get(key)?;
            let hash = match kind {
                SnapshotKind::Edges => version.edges,
                SnapshotKind::Aliases => version.aliases,
            };
            Some(SnapshotKey {
                node: key.node,
                kind,
                hash: hash?,
            })
        };
        let keys: BTreeSet<SnapshotKey> = open
            .iter()
            .filter_map(|(key, ..)| snapshot_key(key))
            .collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<SnapshotKey> = keys.into_iter().collect();
        let snapshots = self.rows.snapshots(&keys).await?;
        let snapshots: HashMap<_, _> = snapshots.into_iter().collect();
        let found = open.into_iter().filter_map(|(key, first_seen, last_seen)| {
            let bytes = snapshots.get(&snapshot_key(&key)?)?.clone();
            Some(OpenSnapshot {
                key,
                first_seen,
                last_seen,
                bytes,
            })
        });
        Ok(found.collect())
    }
}
