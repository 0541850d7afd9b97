//! Repairs the current rows of nodes, and the counts.

use std::collections::BTreeMap;

use crate::component::UnixNanos;
use crate::store::Store;
use crate::store::rows::{Backend, CountRow, NodeId, NodeRow, Projection, RowsError, WriteRows};
use crate::store::write::Transaction;

/// How many nodes one transaction repairs: it takes some milliseconds.
const NODES_PER_TRANSACTION: usize = if cfg!(test) { 2 } else { 25 };

impl<B: Backend> Store<B> {
    /// Repairs these nodes. Returns how many rows it repaired.
    pub(super) async fn repair(&self, ids: &[NodeId]) -> Result<u64, RowsError> {
        let mut repaired = 0;
        for ids in ids.chunks(NODES_PER_TRANSACTION) {
            let mut rows = self.backend.write().await?;
            let mut transaction = Transaction::new(&mut rows, UnixNanos::now());
            let count = transaction.repair(ids).await?;
            let mut commit = transaction.commit;
            if count == 0 {
                continue;
            }
            repaired += count;
            commit.nodes.sort();
            commit.nodes.dedup();
            self.commit_and_publish(rows, commit).await?;
        }
        Ok(repaired)
    }

    /// Adds changes to the counts. Returns how many counts changed.
    pub(super) async fn add_to_counts(&self, changes: &[CountRow]) -> Result<u64, RowsError> {
        let mut rows = self.backend.write().await?;
        rows.add_counts(changes).await?;
        rows.commit().await?;
        Ok(changes.len() as u64)
    }
}

impl<R: WriteRows> Transaction<'_, R> {
    /// Repairs these nodes in this transaction. Returns how many rows differed.
    async fn repair(&mut self, ids: &[NodeId]) -> Result<u64, RowsError> {
        // Another process may have written since the first examination.
        let examination = self.examine(ids).await?;
        if examination.differences.is_empty() {
            return Ok(0);
        }
        let ids: Vec<NodeId> = examination.differing.into_iter().collect();
        self.write_current_changes(examination.changes).await?;
        let rows = self.rows.nodes(&ids, Projection::Header).await?;
        // A node may itself be merged into another one, so its uid must be resolved, too. `update_same_as` adds the
        // uids that the aliases of these nodes name.
        self.same_as_to_resolve
            .extend(rows.into_iter().map(|row| row.uid));
        self.update_same_as().await?;
        let rows = self.rows.nodes(&ids, Projection::Full).await?;
        self.commit
            .nodes
            .extend(rows.iter().map(|row| row.uid.clone()));
        let rows: BTreeMap<NodeId, NodeRow> = rows.into_iter().map(|row| (row.id, row)).collect();
        let values = self.alias_values(&ids, &[]).await?;
        let (fields, texts) = self.wrong_texts(&rows, &values).await?;
        if !fields.is_empty() {
            self.rows.put_texts(&fields, &texts).await?;
        }
        Ok(examination.differences.iter().map(|it| it.rows).sum())
    }
}
