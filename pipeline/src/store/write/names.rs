//! Words and nodes of a batch become numbers.

use hashbrown::{HashMap, HashSet};

use super::Transaction;
use crate::reports::{Items, ReportBatch};
use crate::schema::aliases::kind;
use crate::store::rows::{NodeId, Projection, ReadRows, RowsError, WriteRows};

/// The numbers of the nodes that a transaction is about.
#[derive(Debug, Default)]
pub(in crate::store) struct Ids {
    of: HashMap<String, NodeId>,
    new: HashSet<NodeId>,
    uids: HashMap<NodeId, String>,
}

impl Ids {
    /// 0 for one that is not known.
    pub(super) fn of(&self, uid: &str) -> NodeId {
        self.of.get(uid).copied().unwrap_or_default()
    }

    /// Whether this transaction made the node.
    pub(super) fn is_new(&self, id: NodeId) -> bool {
        self.new.contains(&id)
    }

    /// Empty for one that is not known.
    pub(super) fn uid(&self, id: NodeId) -> &str {
        self.uids.get(&id).map_or("", String::as_str)
    }
}

impl<R: ReadRows> Transaction<'_, R> {
    /// Makes the uids of these nodes known.
    pub(super) async fn read_uids(
        &mut self,
        ids: impl Iterator<Item = NodeId>,
    ) -> Result<(), RowsError> {
        let mut ids: Vec<NodeId> = ids.filter(|id| !self.ids.uids.contains_key(id)).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(());
        }
        for row in self.rows.nodes(&ids, Projection::Header).await? {
            self.ids.of.insert(row.uid.clone(), row.id);
            self.ids.uids.insert(row.id, row.uid);
        }
        Ok(())
    }
}

impl<R: WriteRows> Transaction<'_, R> {
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
                Items::Edges(edges) => {
                    words.extend(edges.iter().map(|edge| edge.kind));
                    uids.extend(edges.iter().map(|edge| edge.to));
                }
                Items::Aliases(aliases) => {
                    words.extend(aliases.iter().flat_map(|alias| [alias.kind, alias.within]));
                }
            }
        }
        for seen in &reports.edges {
            words.extend([seen.source, seen.edge.kind]);
            uids.extend([seen.uid, seen.edge.to]);
        }
        for seen in &reports.aliases {
            words.extend([seen.source, seen.alias.kind, seen.alias.within]);
            uids.push(seen.uid);
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
        self.words.make(self.rows, words.into_iter()).await?;
        // Aliases of this kind may go by a batch that names none.
        self.words
            .find(self.rows, [kind::SAME_AS].into_iter())
            .await?;
        self.make_nodes(uids).await
    }

    /// Makes the nodes of these uids known, new ones too.
    pub(super) async fn make_nodes(&mut self, mut uids: Vec<&str>) -> Result<(), RowsError> {
        uids.retain(|uid| !self.ids.of.contains_key(*uid));
        let mut seen = HashSet::with_capacity(uids.len());
        // In the order in which they came: what was reported together stays together.
        uids.retain(|uid| seen.insert(*uid));
        let uids: Vec<String> = uids.into_iter().map(str::to_owned).collect();
        let numbers = self.rows.node_ids(&uids).await?;
        for (uid, (number, is_new)) in uids.into_iter().zip(numbers) {
            self.ids.uids.insert(number, uid.clone());
            self.ids.of.insert(uid, number);
            if is_new {
                self.ids.new.insert(number);
            }
        }
        Ok(())
    }
}
