//! Batches that wait for more, so that they go on as one.

use std::collections::VecDeque;

use crate::Batch;

/// Batches of one signal, in the order in which they came.
#[derive(Debug, Default)]
pub struct Held {
    parts: VecDeque<Part>,
    rows: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Part {
    batch: Batch,
    bytes: usize,
}

impl Held {
    pub fn add(&mut self, batch: Batch) {
        self.rows += batch.num_rows();
        let bytes = batch.memory();
        self.bytes += bytes;
        self.parts.push_back(Part { batch, bytes });
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// What the batches keep alive, in bytes, as [`Batch::memory`] counts it.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The first rows, at most `most`, as one batch; more where a snapshot alone has more
    /// ([`Batch::cut`]).
    pub fn take(&mut self, most: usize) -> Option<Batch> {
        let mut taken = Vec::new();
        let mut room = most;
        while room > 0 {
            let Some(part) = self.parts.pop_front() else {
                break;
            };
            let rows = part.batch.num_rows();
            let fitting = part.batch.cut(room);
            if fitting > room && !taken.is_empty() {
                self.parts.push_front(part);
                break;
            }
            room = room.saturating_sub(fitting);
            self.rows -= fitting;
            taken.push(part.batch.slice(0..fitting));
            if fitting == rows {
                self.bytes -= part.bytes;
            } else {
                // A slice keeps all of its batch's buffers alive.
                let batch = part.batch.slice(fitting..rows);
                self.parts.push_front(Part { batch, ..part });
                break;
            }
        }
        Batch::concat(taken)
    }

    /// All the rows, in batches of at most `most`.
    pub fn take_all(&mut self, most: usize) -> Vec<Batch> {
        std::iter::from_fn(|| self.take(most)).collect()
    }
}
