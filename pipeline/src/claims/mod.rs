//! The rules that merge the reports of many sources into one graph. They are pure, so the graph store, the impact
//! graph and the alias index give the same answers.
//!
//! A **claim** is everything that one source reports about one uid in one scope. The reports are folded, in the
//! order of their times, into **intervals**: unbroken periods of one value. The functions [`existence`], [`winner`]
//! and [`open_at`] combine all claims of a uid; they read the intervals only.
//!
//! ```text
//!  sighting, removal, delete event ─┐
//!  completion of a scan ────────────┴─▶ Claim ──▶ intervals ──▶ existence, winner, open_at
//! ```

mod claim;
mod existence;
mod interval;
mod report;
mod scan_effect;

pub use claim::{Claim, ClaimContext};
pub use existence::{LastScan, existence, open_at, winner};
pub use interval::{ClaimInterval, IntervalEnd, PointKind, ReportPoint, SourceKey};
pub use report::{
    ClaimClass, Existence, Removal, Report, ReportedBy, SETTLE, STALE_AFTER, is_below,
    parent_scopes,
};
pub use scan_effect::{ScanEffect, ScopeRelation, scan_effect};
