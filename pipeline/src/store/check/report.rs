//! The report of a check, and [`Store::check`], which makes it.

use std::collections::BTreeMap;
use std::fmt;

use super::counts;
use crate::component::UnixNanos;
use crate::store::Store;
use crate::store::rows::{Backend, NodeId, ReadRows, RowsError};
use crate::store::write::Transaction;

/// How many nodes are compared in one read session.
const PAGE_SIZE: usize = if cfg!(test) { 3 } else { 100 };

/// How many differences a report describes one by one.
const MAX_DESCRIBED: usize = 20;

/// A table of current rows that a check compares with the claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckedTable {
    Nodes,
    Edges,
    Aliases,
    Texts,
    Contested,
    Counts,
}

/// Rows of one table, of one node or count, that differ from what the claims yield.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckDifference {
    /// The uid of the node; for a count its kind and provider.
    pub subject: String,
    pub table: CheckedTable,
    /// How many rows differ.
    pub rows: u64,
}

/// The result of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// How many nodes were compared.
    pub nodes: u64,
    /// The first 20 differences, by subject and table.
    pub differences: Vec<CheckDifference>,
    /// How many rows differ, by table; tables without a difference are absent.
    pub totals: BTreeMap<CheckedTable, u64>,
    /// How many rows were repaired.
    pub repaired: u64,
}

impl CheckReport {
    /// Whether no row differs.
    pub fn is_clean(&self) -> bool {
        self.totals.is_empty()
    }

    fn add(&mut self, differences: Vec<CheckDifference>) {
        for difference in &differences {
            *self.totals.entry(difference.table).or_default() += difference.rows;
        }
        self.differences.extend(differences);
        self.differences.sort();
        self.differences.truncate(MAX_DESCRIBED);
    }
}

impl fmt::Display for CheckedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            CheckedTable::Nodes => "nodes",
            CheckedTable::Edges => "edges",
            CheckedTable::Aliases => "aliases",
            CheckedTable::Texts => "texts",
            CheckedTable::Contested => "contested",
            CheckedTable::Counts => "counts",
        })
    }
}

impl<B: Backend> Store<B> {
    /// Compares all current rows with the claims. Each page of nodes has a separate read session, so other processes
    /// can write meanwhile. With `rebuild` it repairs rows that differ, in short transactions.
    ///
    /// # Errors
    /// When the backend fails. Rows that were repaired before the error stay repaired.
    pub async fn check(&self, rebuild: bool) -> Result<CheckReport, RowsError> {
        let mut report = CheckReport::default();
        let mut after = 0;
        loop {
            let mut rows = self.backend.read().await?;
            let page = rows.node_page(after, PAGE_SIZE).await?;
            let Some(&last) = page.last() else {
                break;
            };
            let mut transaction = Transaction::new(&mut rows, UnixNanos::now());
            let examination = transaction.examine(&page).await?;
            drop(rows);
            report.nodes += page.len() as u64;
            if rebuild && !examination.differences.is_empty() {
                let ids: Vec<NodeId> = examination.differing.into_iter().collect();
                report.repaired += self.repair(&ids).await?;
            }
            report.add(examination.differences);
            after = last;
        }
        let (differences, changes) = counts::compare(&mut self.backend.read().await?).await?;
        if rebuild && !changes.is_empty() {
            report.repaired += self.add_to_counts(&changes).await?;
        }
        report.add(differences);
        Ok(report)
    }
}
