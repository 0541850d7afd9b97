//! Batches, row by row.

use super::told::Told;
use crate::component::UnixNanos;
use crate::{Batch, Signal};

mod edges;
mod figures;
mod nodes;
mod row;

mod sets;

impl<'a> Told<'a> {
    /// `now` stands for a time that a row does not say.
    pub fn of(batch: &'a Batch, now: UnixNanos) -> Told<'a> {
        let mut told = Told::default();
        match batch.signal() {
            Signal::Nodes => nodes::nodes(batch, now, &mut told),
            Signal::Edges => edges::edges(batch, now, &mut told),
            Signal::Aliases => edges::aliases(batch, now, &mut told),
            Signal::EdgeFigures => figures::figures(batch, now, &mut told),
            Signal::Changes => figures::changes(batch, now, &mut told),
            _ => {}
        }
        told
    }
}
