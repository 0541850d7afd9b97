//! Interns the texts and uids of a batch: they become words and node ids.

use hashbrown::{HashMap, HashSet};

use super::Transaction;
use crate::reports::{ReportBatch, SnapshotItems};
use crate::schema::aliases::kind;
use crate::store::rows::{NodeId, Projection, ReadRows, RowsError, WriteRows};

/// The uids that a transaction has loaded, with their node ids, and the nodes that it created.
#[derive(Debug, Default)]
pub(in crate::store) struct NodeIds {
    by_uid: HashMap<String, NodeId>,
    created: HashSet<NodeId>,
    uids: HashMap<NodeId, String>,
}

impl NodeIds {
    /// The id of a uid; 0 if it was not loaded.
    pub(super) fn of(&self, uid: &str) -> NodeId {
        self.by_uid.get(uid).copied().unwrap_or_default()
    }

    /// Whether this transaction created the node.
    pub(super) fn is_new(&self, id: NodeId) -> bool {
        self.created.contains(&id)
    }

    /// The uid of a node; empty if it was not loaded.
    pub(super) fn uid(&self, id: NodeId) -> &str {
        self.uids.get(&id).map_or("", String::as_str)
    }
}

impl<R: ReadRows> Transaction<'_, R> {
    /// Loads the uids of these nodes.
    pub(super) async fn load_uids(
        &mut self,
        ids: impl Iterator<Item = NodeId>,
    ) -> Result<(), RowsError> {
        let mut ids: Vec<NodeId> = ids
            .filter(|id| !self.node_ids.uids.contains_key(id))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(());
        }
        for row in self.rows.nodes(&ids, Projection::Header).await? {
            self.node_ids.by_uid.insert(row.uid.clone(), row.id);
            self.node_ids.uids.insert(row.id, row.uid);
        }
        Ok(())
    }
}

impl<R: WriteRows> Transaction<'_, R> {
    /// Interns all texts and uids of a batch; creates those that do not exist.
    pub(super) async fn intern(&mut self, reports: &ReportBatch<'_>) -> Result<(), RowsError> {
        let (mut words, mut uids) = (Vec::new(), Vec::new());
        for sighting in &reports.sightings {
            words.extend([sighting.source, sighting.scope]);
            uids.push(sighting.uid);
            if let Some(content) = &sighting.content {
                let named = [
                    content.kind,
                    content.provider,
                    content.account,
                    content.region,
                ];
                words.extend(named.into_iter().flatten());
            }
        }
        for removed in &reports.removals {
            words.extend([removed.source, removed.scope]);
            uids.push(removed.uid);
        }
        for event in &reports.delete_events {
            words.push(event.source);
            uids.push(event.uid);
        }
        for completion in &reports.completions {
            words.extend([completion.source, completion.scope]);
        }
        for snapshot in &reports.snapshots {
            words.extend([snapshot.source, snapshot.scope]);
            uids.push(snapshot.uid);
            match &snapshot.items {
                SnapshotItems::Edges(edges) => {
                    words.extend(edges.iter().map(|edge| edge.kind));
                    uids.extend(edges.iter().map(|edge| edge.to));
                }
                SnapshotItems::Aliases(aliases) => {
                    words.extend(aliases.iter().flat_map(|alias| [alias.kind, alias.within]));
                }
            }
        }
        for observation in &reports.edges {
            words.extend([observation.source, observation.edge.kind]);
            uids.extend([observation.uid, observation.edge.to]);
        }
        for observation in &reports.aliases {
            words.extend([
                observation.source,
                observation.alias.kind,
                observation.alias.within,
            ]);
            uids.push(observation.uid);
        }
        for stats in &reports.edge_stats {
            words.extend([stats.kind, stats.connection_type, stats.writer]);
            uids.extend([stats.from, stats.to]);
        }
        for record in &reports.records {
            words.extend([
                record.source,
                record.status,
                record.severity,
                record.signal.name(),
            ]);
        }
        self.words.intern(self.rows, words.into_iter()).await?;
        // A batch that reports no alias of this kind can still end one.
        self.words
            .load_numbers(self.rows, [kind::SAME_AS].into_iter())
            .await?;
        self.intern_nodes(uids).await
    }

    /// Loads the nodes of these uids, and creates those that do not exist.
    pub(super) async fn intern_nodes(&mut self, mut uids: Vec<&str>) -> Result<(), RowsError> {
        uids.retain(|uid| !self.node_ids.by_uid.contains_key(*uid));
        let mut seen = HashSet::with_capacity(uids.len());
        // Keeps the order of the reports, so that nodes that are reported together get adjacent ids.
        uids.retain(|uid| seen.insert(*uid));
        let uids: Vec<String> = uids.into_iter().map(str::to_owned).collect();
        let numbers = self.rows.node_ids(&uids).await?;
        for (uid, (number, is_new)) in uids.into_iter().zip(numbers) {
            self.node_ids.uids.insert(number, uid.clone());
            self.node_ids.by_uid.insert(uid, number);
            if is_new {
                self.node_ids.created.insert(number);
            }
        }
        Ok(())
    }
}
