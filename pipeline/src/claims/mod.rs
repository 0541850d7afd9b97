//! The rules by which reports of many sources become one graph: pure, so that every store, the
//! impact graph and the alias index answer alike.

mod report;

pub use report::{By, Class, Existence, Removal, Report, SETTLE, STALE_AFTER, is_below};
