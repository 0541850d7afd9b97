//! The rows of one signal that wait for more.

use std::collections::VecDeque;
use std::time::Duration;

use pipeline::Batch;
use pipeline::component::UnixNanos;

/// What is held of one signal keeps about this much alive at most, in bytes.
const MOST_BYTES: usize = 8 << 20;

/// Batches of one signal, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Held {
    parts: VecDeque<Part>,
    rows: usize,
    bytes: usize,
    wait: Option<Wait>,
}

#[derive(Debug)]
struct Part {
    batch: Batch,
    bytes: usize,
}

/// Of what is held.
#[derive(Clone, Copy, Debug)]
struct Wait {
    since: UnixNanos,
    until: UnixNanos,
}

impl Held {
    pub(super) fn add(&mut self, batch: Batch, now: UnixNanos, due: UnixNanos) {
        self.rows += batch.num_rows();
        let bytes = batch.memory();
        self.bytes += bytes;
        self.parts.push_back(Part { batch, bytes });
        let wait = self.wait.get_or_insert(Wait {
            since: now,
            until: due,
        });
        wait.until = wait.until.min(due);
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.bytes >= MOST_BYTES
    }

    /// Whether it would be held too long until it is looked at again, after `look`. A clock that
    /// was set back makes it due.
    pub(super) fn is_due(&self, now: UnixNanos, look: Duration) -> bool {
        self.wait
            .is_some_and(|wait| wait.until < now.after(look) || now < wait.since)
    }

    /// The first rows, at most `most`, as one batch. When what stays is due does not change.
    pub(super) fn take(&mut self, most: usize) -> Option<Batch> {
        let mut taken = Vec::new();
        let mut room = most;
        while room > 0 {
            let Some(part) = self.parts.pop_front() else {
                break;
            };
            let rows = part.batch.num_rows();
            let fitting = rows.min(room);
            room -= fitting;
            self.rows -= fitting;
            taken.push(part.batch.slice(0..fitting));
            if fitting == rows {
                self.bytes -= part.bytes;
            } else {
                // A slice keeps all of its batch's buffers alive.
                let batch = part.batch.slice(fitting..rows);
                self.parts.push_front(Part { batch, ..part });
            }
        }
        if self.parts.is_empty() {
            self.wait = None;
        }
        Batch::concat(taken)
    }

    /// All the rows, in batches of at most `most`.
    pub(super) fn take_all(&mut self, most: usize) -> Vec<Batch> {
        std::iter::from_fn(|| self.take(most)).collect()
    }
}
