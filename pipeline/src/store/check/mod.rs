//! Compares what is stored as current with the claims, and repairs it.
//!
//! ```text
//!  Store::check
//!      examine.rs  a page of nodes, from one read session: the changes that the write path would make
//!      repair.rs   the same nodes again, a few in each transaction, and the changes are written
//!      counts.rs   counts against the nodes of one read session; a repair adds the difference
//! ```
//!
//! A node's `first_seen` and `last_seen` follow from no claim and are not compared. What housekeeping
//! has removed is not missed.

use std::collections::BTreeMap;
use std::fmt;

use super::Store;
use super::rows::{Backend, NodeId, ReadRows, RowsError};
use super::write::Transaction;
use crate::component::UnixNanos;

mod counts;
mod examine;
mod repair;

/// Nodes that are compared together.
const PAGE: usize = if cfg!(test) { 3 } else { 100 };

/// Differences that a report describes one by one.
const DESCRIBED: usize = 20;

/// What is compared with the claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    Nodes,
    Edges,
    Aliases,
    Texts,
    Contested,
    Counts,
}

/// Rows of one table that are not as the claims have them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The uid of the node; of a count its kind and provider.
    pub of: String,
    pub table: Table,
    pub rows: u64,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Nodes that were compared.
    pub nodes: u64,
    /// The first 20, by uid and table.
    pub differences: Vec<Difference>,
    /// Rows that differ, by table.
    pub totals: BTreeMap<Table, u64>,
    /// Rows that were repaired.
    pub repaired: u64,
}

impl CheckReport {
    pub fn is_clean(&self) -> bool {
        self.totals.is_empty()
    }

    fn add(&mut self, found: Vec<Difference>) {
        for difference in &found {
            *self.totals.entry(difference.table).or_default() += difference.rows;
        }
        self.differences.extend(found);
        self.differences.sort();
        self.differences.truncate(DESCRIBED);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Table::Nodes => "nodes",
            Table::Edges => "edges",
            Table::Aliases => "aliases",
            Table::Texts => "texts",
            Table::Contested => "contested",
            Table::Counts => "counts",
        })
    }
}

impl<B: Backend> Store<B> {
    /// Compares all that is current with the claims, a page of nodes in each read session, so that
    /// others write meanwhile. With `rebuild` what differs is repaired, in short transactions.
    ///
    /// # Errors
    /// When the backend fails. What was repaired by then stays repaired.
    pub async fn check(&self, rebuild: bool) -> Result<CheckReport, RowsError> {
        let mut report = CheckReport::default();
        let mut after = 0;
        loop {
            let mut rows = self.backend.read().await?;
            let page = rows.node_page(after, PAGE).await?;
            let Some(&last) = page.last() else {
                break;
            };
            let mut transaction = Transaction::new(&mut rows, UnixNanos::now());
            let examined = transaction.examine(&page).await?;
            drop(rows);
            report.nodes += page.len() as u64;
            if rebuild && !examined.differences.is_empty() {
                let ids: Vec<NodeId> = examined.differing.into_iter().collect();
                report.repaired += self.repair(&ids).await?;
            }
            report.add(examined.differences);
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
