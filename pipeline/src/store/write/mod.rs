//! Writes a batch of reports in one transaction: folds them into claims, then brings the current rows up to date.
//!
//! ```text
//!  write_reports (transaction.rs) runs these steps, in this order:
//!
//!  ReportBatch ─▶ interning.rs       texts and uids become numbers
//!              ─▶ scope_cache.rs     the scopes of the batch, with their completed scans
//!              ─▶ direct_reports.rs  sightings, removals and delete events change claims
//!              ─▶ completions.rs     scan completions change the claims of their scopes
//!                   affected_claims.rs  collects these claims
//!              ─▶ versions.rs        values of states, and snapshots of edges and aliases
//!              ─▶ current.rs         current rows of the nodes whose claims changed
//!                   current_links.rs    their edges and aliases
//!                   current_changes.rs  writes the differences
//!              ─▶ observations.rs    observed edges and aliases
//!              ─▶ same_as.rs         merges nodes whose uid is another name of a node
//!              ─▶ observations.rs    edge statistics
//!              ─▶ records.rs         changes, drift, health, correlations, alerts
//!              ─▶ refresh_requests.rs  uids that the receivers scan again
//!
//!  loaded_nodes.rs, claim_context.rs: the claims of the nodes, and what folding a report into a claim depends on
//! ```

mod affected_claims;
mod claim_context;
mod completions;
pub(super) mod current;
mod current_changes;
mod current_links;
mod direct_reports;
mod interning;
mod loaded_nodes;
mod observations;
mod records;
mod refresh_requests;
mod same_as;
pub(super) mod scope_cache;
mod transaction;
mod versions;

pub(in crate::store) use current_changes::CurrentChanges;
pub(in crate::store) use scope_cache::{ScopeCache, ScopeScanTimes};
pub use transaction::DroppedReports;
pub(in crate::store) use transaction::{Transaction, write_reports};
