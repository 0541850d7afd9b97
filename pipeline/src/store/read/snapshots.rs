//! The snapshots that hold at a moment in the past.

use std::collections::BTreeSet;

use super::super::rows::{NodeId, Part, Projection, ReadRows, RowsError, SnapshotKey, VersionKey};
use super::session::Session;
use crate::claims::open_at;
use crate::component::UnixNanos;

/// A snapshot, and the stretch that it belongs to.
#[derive(Debug)]
pub(super) struct Held {
    /// Whose it is.
    pub(super) key: VersionKey,
    pub(super) first_seen: UnixNanos,
    pub(super) last_seen: UnixNanos,
    pub(super) bytes: Vec<u8>,
}

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
            for (claim, stretch) in open_at(self.claims(id), self.at) {
                let key = self.version_key(id, &claim.key, stretch.state);
                open.push((key, stretch.since, self.last_sighting(claim, stretch)));
            }
        }
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
