//! Batches, the unit that components exchange: rows of one signal, and the senders that wait for their delivery.
//!
//! ```text
//!  Batch ─┬─ Signal
//!         ├─ Delivery ─▶ the senders that wait
//!         └─ Arc<Content> ─┬─ rows: one Arrow record batch, or the record batches of a merged batch,
//!                          │        which are concatenated when they are first read
//!                          └─ OriginalRequest: the bytes of the OTLP request, if no field of OTLP was changed
//! ```
//!
//! `cells` reads the cells of a column. `concat` concatenates the rows of merged batches. `cut` finds the rows at which
//! a batch may be split without splitting a snapshot. `conform` converts rows of an older or newer version of a schema.

pub mod cells;
mod concat;
mod conform;
mod content;
mod cut;
mod original;
mod signal_batch;

pub(crate) use cut::SplitPoints;
pub use original::OriginalRequest;
pub use signal_batch::{Batch, SchemaMismatch};

#[cfg(test)]
mod tests;
