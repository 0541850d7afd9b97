//! Stores statistics of edges and counts of nodes.
//!
//! ```text
//!  statistics of edges ─▶ edges.rs ─▶ packed.rs      encodes a minute, part, writer and chunk as one row
//!                             └─────▶ statements.rs  the SQL for minutes and for hours
//!  counts of nodes ─────▶ counts.rs
//! ```

mod counts;
mod edges;
mod packed;
mod statements;

pub(super) use counts::{add_counts, read_counts};
#[cfg(test)]
pub(super) use edges::READ_ENDS;
pub(super) use edges::{oldest, put_edges, read_edges, read_ends, remove_edges};
#[cfg(test)]
pub(super) use statements::statements_for;
