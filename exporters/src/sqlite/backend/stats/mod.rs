//! What is counted.
//!
//! ```text
//!  rows ─▶ edges.rs   what was counted on edges: a row of the table for all edges of a minute,
//!                     a writer, a chunk and a part of the edges
//!          packed.rs  the bytes of such a row
//!          statements.rs  of minutes, and of hours
//!          counts.rs  nodes of each kind
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
