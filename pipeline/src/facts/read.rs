//! Batches, row by row.

mod edges;
mod figures;
mod nodes;
mod row;
mod sets;

pub(super) use edges::{aliases, edges};
pub(super) use figures::{changes, figures};
pub(super) use nodes::nodes;
