//! Buffers batches of one signal, to send them on as one batch.

use std::collections::VecDeque;

use crate::Batch;
use crate::batch::SplitPoints;

/// Batches of one signal, in the order of their arrival.
#[derive(Debug, Default)]
pub struct BatchBuffer {
    batches: VecDeque<BufferedBatch>,
    rows: usize,
    bytes: usize,
}

#[derive(Debug)]
struct BufferedBatch {
    batch: Batch,
    bytes: usize,
    /// The number of rows at the start of the batch that were taken out of the buffer.
    taken: usize,
    /// `None` until the batch is split for the first time.
    cuts: Option<SplitPoints>,
}

impl BufferedBatch {
    fn cuts(&mut self) -> &SplitPoints {
        self.cuts.get_or_insert_with(|| self.batch.split_points())
    }
}

impl BatchBuffer {
    /// Appends a batch.
    pub fn add(&mut self, batch: Batch) {
        self.rows += batch.num_rows();
        let bytes = batch.memory();
        self.bytes += bytes;
        self.batches.push_back(BufferedBatch {
            batch,
            bytes,
            taken: 0,
            cuts: None,
        });
    }

    /// Whether the buffer holds no batch.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// The number of rows in the buffer.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The memory of the buffered batches in bytes, as [`Batch::memory`] counts it.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Removes the first rows, at most `max_rows`, and returns them as one batch; `None` if the buffer is empty. The
    /// batch is larger if it starts with a snapshot of more than `max_rows` rows, since snapshots are not split
    /// (`batch/cut.rs`).
    pub fn take(&mut self, max_rows: usize) -> Option<Batch> {
        let mut taken = Vec::new();
        let mut remaining = max_rows;
        while remaining > 0 {
            let Some(mut first) = self.batches.pop_front() else {
                break;
            };
            let (start, rows) = (first.taken, first.batch.num_rows());
            let end = match rows - start <= remaining {
                true => rows,
                false => first.cuts().end(start, remaining).min(rows),
            };
            if end - start > remaining && !taken.is_empty() {
                self.batches.push_front(first);
                break;
            }
            remaining = remaining.saturating_sub(end - start);
            self.rows -= end - start;
            taken.push(first.batch.slice(start..end));
            if end == rows {
                self.bytes -= first.bytes;
            } else {
                // A slice keeps all buffers of its batch alive, so the batch still counts with all its bytes.
                first.taken = end;
                self.batches.push_front(first);
                break;
            }
        }
        Batch::concat(taken)
    }

    /// Removes all rows and returns them in batches of at most `max_rows`; the batches are those of
    /// [`BatchBuffer::take`].
    pub fn take_all(&mut self, max_rows: usize) -> Vec<Batch> {
        std::iter::from_fn(|| self.take(max_rows)).collect()
    }
}
