//! The rules by which reports of many sources become one graph: pure, so that every store, the
//! impact graph and the alias index answer alike.
//!
//! A **claim** is what one source reports of a uid in one scope. Reports of it are folded in the
//! order of their times into **stretches**, unbroken times of one value. What all claims of a uid
//! say together is found from the stretches alone:
//!
//! ```text
//!  sighting, removal, delete event ─┐
//!  completion of a scan ────────────┴─▶ Claim ──▶ stretches ──▶ existence, winner, open_at
//! ```

mod claim;
mod existence;
mod relation;
mod report;
mod stretch;

pub use claim::{Around, Claim, Meaning};
pub use existence::{LastScan, existence, open_at, winner};
pub use relation::{Relation, above, meaning};
pub use report::{By, Class, Existence, Removal, Report, SETTLE, STALE_AFTER, is_below};
pub use stretch::{Ending, Key, Point, Stretch, What};
