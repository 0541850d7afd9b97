//! Counts rows of batches by signal.

use crate::{Batch, Signal};

/// Rows by signal.
#[derive(Clone, Debug, Default)]
pub struct RowCounts([usize; Signal::ALL.len()]);

impl RowCounts {
    pub fn add(&mut self, batch: &Batch) {
        self.0[batch.signal() as usize] += batch.num_rows();
    }

    pub fn of(&self, signal: Signal) -> usize {
        self.0[signal as usize]
    }

    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }
}
