//! Compares implementations of the claim rules with a reference implementation, the [`Replay`], on generated histories
//! of reports. The replay shares only the types of the reports with the other implementations.
//!
//! ```text
//! ReportHistory::generate ──▶ arrival_order ──┬──▶ Replay: keeps every report, evaluates the rules one by one
//!                                             └──▶ the store under test
//!                                                      │ reads differ
//!                                                      ▼
//!                                                  minimise ──▶ a few reports, one per line
//! ```

mod arrival_order;
mod comparison;
mod conformance;
mod fold;
mod generator;
mod history;
mod replay;
mod scenarios;

pub use arrival_order::{Lateness, MAX_LATENESS};
pub use comparison::{SourceState, UidReads, compare_reads, moments_around};
pub use conformance::{
    HousekeepingSchedule, ReportsPerBatch, check_generated_histories, compare_with_housekeeping,
    compare_with_replay,
};
pub use fold::ReplayInterval;
pub use history::{ReportHistory, minimise};
pub use replay::Replay;

#[cfg(test)]
mod tests;
