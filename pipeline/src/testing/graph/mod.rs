//! Judges implementations of the claim rules. Nothing here is shared with them but the reports.
//!
//! ```text
//! History::generate ──▶ arrival ──┬──▶ Replay: keeps every report, evaluates the rules one by one
//!                                 └──▶ the store under test
//!                                          │ answers differ
//!                                          ▼
//!                                      minimise ──▶ a few reports, one a line
//! ```

mod arrival;
mod conformance;
mod fold;
mod histories;
mod minimise;
mod replay;
mod scenarios;
mod world;

pub use arrival::{LATE, Lateness};
pub use conformance::{Batches, Housekeeping, compare, compare_aged, follows_the_replay};
pub use fold::Stretch;
pub use histories::History;
pub use minimise::minimise;
pub use replay::Replay;

#[cfg(test)]
mod tests;
