//! Writes what nodes and counts lack.

use std::collections::BTreeMap;

use super::super::Store;
use super::super::rows::{Backend, CountRow, NodeId, NodeRow, Projection, RowsError, WriteRows};
use super::super::write::Transaction;
use crate::component::UnixNanos;

/// Nodes that are repaired in one transaction: some milliseconds.
const AT_ONCE: usize = if cfg!(test) { 2 } else { 25 };

impl<B: Backend> Store<B> {
    /// Repairs these nodes; how many rows differed by then.
    pub(super) async fn repair(&self, ids: &[NodeId]) -> Result<u64, RowsError> {
        let mut repaired = 0;
        for ids in ids.chunks(AT_ONCE) {
            let mut rows = self.backend.write().await?;
            let mut transaction = Transaction::new(&mut rows, UnixNanos::now());
            let count = transaction.repair(ids).await?;
            let mut news = transaction.news;
            if count == 0 {
                continue;
            }
            repaired += count;
            news.nodes.sort();
            news.nodes.dedup();
            self.finish(rows, news).await?;
        }
        Ok(repaired)
    }

    pub(super) async fn add_to_counts(&self, changes: &[CountRow]) -> Result<u64, RowsError> {
        let mut rows = self.backend.write().await?;
        rows.add_counts(changes).await?;
        rows.commit().await?;
        Ok(changes.len() as u64)
    }
}

impl<R: WriteRows> Transaction<'_, R> {
    async fn repair(&mut self, ids: &[NodeId]) -> Result<u64, RowsError> {
        // Another process may have written since they were examined.
        let examined = self.examine(ids).await?;
        if examined.differences.is_empty() {
            return Ok(0);
        }
        let ids: Vec<NodeId> = examined.differing.into_iter().collect();
        self.write_changes(examined.changes).await?;
        let rows = self.rows.nodes(&ids, Projection::Header).await?;
        // Each may be another name of a node, and `merge_same_as` looks at those that they own.
        self.same_as.extend(rows.into_iter().map(|row| row.uid));
        self.merge_same_as().await?;
        let rows = self.rows.nodes(&ids, Projection::Full).await?;
        self.news
            .nodes
            .extend(rows.iter().map(|row| row.uid.clone()));
        let rows: BTreeMap<NodeId, NodeRow> = rows.into_iter().map(|row| (row.id, row)).collect();
        let values = self.alias_values(&ids, &[]).await?;
        let (fields, texts) = self.wrong_texts(&rows, &values).await?;
        if !fields.is_empty() {
            self.rows.put_texts(&fields, &texts).await?;
        }
        Ok(examined.differences.iter().map(|it| it.rows).sum())
    }
}
