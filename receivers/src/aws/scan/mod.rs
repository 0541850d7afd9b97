//! Scans all scopes once per interval, and refreshes single uids without waiting for the next scan.
//!
//! ```text
//!  Scanner::run ─ plan ─▶ ScanScope::scan, one per kind, account and region, under its lease
//!                            ├─▶ resources of the account: ScopeWriter
//!                            └─▶ resources of other accounts: SharedScan, which reports them after the last scan
//!                                of the kind and region
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
