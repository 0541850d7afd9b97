//! Emits rows of `resources`: for each scope the changes since the last report, and the scan completion.
//!
//! ```text
//!  ListedResource ─▶ ScopeWriter ─▶ Rows ─▶ RowSink ─▶ acknowledgement ─▶ Inventory
//!                         ▲                                                  │
//!                         └──────── the last report of each resource ◀───────┘
//! ```

mod inventory;
mod known_resources;
mod reported_scopes;
mod scope_names;
mod scope_writer;
mod sink;

pub(super) use inventory::Inventory;
pub(super) use scope_names::{ConfiguredAccounts, ScopeNames, parse_scope};
pub(super) use scope_writer::{ScanListing, ScopeWriter, write_release};
pub(super) use sink::RowSink;
pub use sink::ScanProgress;
