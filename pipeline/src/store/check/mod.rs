//! Compares the stored current rows with the claims, and repairs rows that differ.
//!
//! ```text
//!  Store::check (report.rs)
//!      examine.rs  a page of nodes, from one read session: the changes that the write path would make
//!      repair.rs   examines the differing nodes again, a few in each transaction, and writes the changes
//!      counts.rs   compares the counts with the nodes, in one read session; a repair adds the difference
//! ```
//!
//! The `first_seen` and `last_seen` of a node do not follow from claims, so they are not compared. Rows that
//! housekeeping removed do not count as missing.

mod counts;
mod examine;
mod repair;
mod report;

pub use report::{CheckDifference, CheckReport, CheckedTable};
