//! Scans all scopes once an interval, and refreshes single uids in between.
//!
//! ```text
//!  Scanner::run ─ plan ─▶ ScanScope::scan, one per kind, account and region, under its lease
//!                            ├─▶ own resources: ScopeWriter
//!                            └─▶ resources of other accounts: SharedScan, reported after the last scan
//!  refresh_requests, commits of the store ─▶ Scanner::refresh_uids
//! ```

mod accounts;
mod follow_commits;
mod leases;
mod plan;
mod refresh;
mod release;
mod scanner;
mod scope;
mod shared;

#[cfg(test)]
pub(super) use accounts::timeouts;
pub(super) use accounts::{Accounts, environment};
pub(super) use leases::Leases;
pub use scanner::ScanSummary;
pub(super) use scanner::Scanner;
