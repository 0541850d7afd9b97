//! A buffer of batches that are to be sent on as one.

use std::collections::VecDeque;

use crate::Batch;
use crate::batch::Cuts;

/// Batches of one signal, in the order in which they came.
#[derive(Debug, Default)]
pub struct Held {
    parts: VecDeque<HeldPart>,
    rows: usize,
    bytes: usize,
}

#[derive(Debug)]
struct HeldPart {
    batch: Batch,
    bytes: usize,
    /// Rows that were taken already.
    taken: usize,
    /// None before the batch is first divided.
    cuts: Option<Cuts>,
}

impl HeldPart {
    fn cuts(&mut self) -> &Cuts {
        self.cuts.get_or_insert_with(|| self.batch.cuts())
    }
}

impl Held {
    pub fn add(&mut self, batch: Batch) {
        self.rows += batch.num_rows();
        let bytes = batch.memory();
        self.bytes += bytes;
        self.parts.push_back(HeldPart {
            batch,
            bytes,
            taken: 0,
            cuts: None,
        });
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The memory of the batches in bytes, as [`Batch::memory`] counts it.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The first rows, at most `most`, as one batch; more if one snapshot alone has more (`batch/cut.rs`).
    pub fn take(&mut self, most: usize) -> Option<Batch> {
        let mut taken = Vec::new();
        let mut room = most;
        while room > 0 {
            let Some(mut part) = self.parts.pop_front() else {
                break;
            };
            let (start, rows) = (part.taken, part.batch.num_rows());
            let end = match rows - start <= room {
                true => rows,
                false => part.cuts().end(start, room).min(rows),
            };
            if end - start > room && !taken.is_empty() {
                self.parts.push_front(part);
                break;
            }
            room = room.saturating_sub(end - start);
            self.rows -= end - start;
            taken.push(part.batch.slice(start..end));
            if end == rows {
                self.bytes -= part.bytes;
            } else {
                // A slice keeps all of its batch's buffers alive.
                part.taken = end;
                self.parts.push_front(part);
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
