//! The snapshots that hold at a moment in the past.

use std::collections::BTreeSet;

use super::super::rows::{NodeId, Part, Projection, ReadRows, RowsError, SnapshotKey, VersionKey};
use super::session::Session;
use crate::claims::{Claim, open_at};
use crate::component::UnixNanos;
use crate::graph_store::At;

/// A snapshot, and the stretch that it belongs to.
#[derive(Debug)]
pub(super) struct Held {
    /// Whose it is.
    pub(super) key: VersionKey,
    pub(super) first_seen: UnixNanos,
    pub(super) last_seen: UnixNanos,
    pub(super) bytes: Vec<u8>,
}

/// A version, when its stretch began, and when it was last confirmed.
pub(super) type Open = (VersionKey, UnixNanos, UnixNanos);

impl<R: ReadRows> Session<R> {
    /// Snapshots of these nodes whose claims are open, by node.
    pub(super) async fn snapshots_held(
        &mut self,
        ids: &[NodeId],
        part: Part,
    ) -> Result<Vec<Held>, RowsError> {
        self.load_claims(ids).await?;
        let mut open = Vec::new();
        for id in ids.iter().copied().collect::<BTreeSet<NodeId>>() {
            open.extend(self.open_versions(id, self.claims(id), self.at));
        }
        self.snapshots_of(open, part).await
    }

    /// What the claims of a node say that are open at a time, and since when.
    pub(super) fn open_versions(&self, id: NodeId, claims: &[Claim], at: At) -> Vec<Open> {
        let open = open_at(claims, at);
        open.map(|(claim, stretch)| {
            let key = self.version_key(id, &claim.key, stretch.state);
            (key, stretch.since, self.last_sighting(claim, stretch))
        })
        .collect()
    }

    /// The snapshots that these name.
    pub(super) async fn snapshots_of(
        &mut self,
        open: Vec<Open>,
        part: Part,
    ) -> Result<Vec<Held>, RowsError> {
        let keys = open.iter().map(|(key, ..)| *key).collect();
        let versions = self.versions(keys, Projection::Header).await?;
        let name = |key: &VersionKey| {
            let version = versions.get(key)?;
            let hash = match part {
                Part::Edges => version.edges,
                Part::Aliases => version.aliases,
            };
            Some(SnapshotKey {
                node: key.node,
                part,
                hash: hash?,
            })
        };
        let names: BTreeSet<SnapshotKey> = open.iter().filter_map(|(key, ..)| name(key)).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<SnapshotKey> = names.into_iter().collect();
        let snapshots = self.rows.snapshots(&names).await?;
        let snapshots: std::collections::HashMap<_, _> = snapshots.into_iter().collect();
        let held = open.into_iter().filter_map(|(key, first_seen, last_seen)| {
            let bytes = snapshots.get(&name(&key)?)?.clone();
            Some(Held {
                key,
                first_seen,
                last_seen,
                bytes,
            })
        });
        Ok(held.collect())
    }
}
