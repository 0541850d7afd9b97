//! The outbox of an exporter: rows for which no sender waits.
//!
//! A processor emits such rows on a tick (windows, statistics, metrics). No sender can send them again, so the outbox
//! keeps them, in order, until the exporter acknowledges them or rejects them permanently.
//!
//! When many rows wait, the outbox removes those that newer rows replace (`coalesce.rs`): statistics of an edge's
//! minute, and points of a cumulative series. So an outage costs memory for the minutes and series that it covers, and
//! not for each flush. When the outbox is full, it removes all replaced rows. If that frees too little, it drops the
//! oldest rows, counts them and logs it. No newer row replaces the dropped rows, so they are lost.

mod coalesce;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;
use tracing::error;

use crate::component::RowCounts;
use crate::log_throttle::LogThrottle;
use crate::sync::lock;
use crate::{Batch, Signal};

/// The number of waiting rows of a signal at which they are first coalesced, and the maximum rows of a merged batch.
const COALESCE_ROWS: usize = 1024;

/// The memory of a column besides its buffers, in bytes. For small batches, this is most of the memory.
const COLUMN_BYTES: usize = 128;

/// The outbox of one exporter. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Outbox(Arc<OutboxInner>);

#[derive(Debug)]
struct OutboxInner {
    /// `exporters/sqlite`.
    name: String,
    /// The capacity in bytes.
    bound: usize,
    state: Mutex<OutboxState>,
    /// Notified when a batch is put in, and when the outbox is closed.
    changed: Notify,
    /// Rows that were dropped because the outbox was full.
    dropped: AtomicU64,
    dropped_log: LogThrottle,
}

#[derive(Debug, Default)]
struct OutboxState {
    /// Batches that are not in flight, in order.
    waiting: VecDeque<Batch>,
    /// Batches in flight, in order.
    in_flight: VecDeque<Batch>,
    /// The memory of the waiting batches and those in flight, in bytes: all buffers and columns.
    bytes: usize,
    /// The number of batches that share each buffer, by its address in memory. Slices of one batch share all buffers.
    buffers: HashMap<usize, usize>,
    is_closed: bool,
    /// The waiting rows of each of [`coalesce::SIGNALS`].
    rows: [usize; coalesce::SIGNALS.len()],
    /// The number of waiting rows of each signal at which to coalesce again.
    coalesce_at: [usize; coalesce::SIGNALS.len()],
    /// Rows that were dropped since the last log.
    unlogged: u64,
}

impl Outbox {
    pub(super) fn new(name: String, bound: usize) -> Outbox {
        Outbox(Arc::new(OutboxInner {
            name,
            bound,
            state: Mutex::default(),
            changed: Notify::new(),
            dropped: AtomicU64::new(0),
            dropped_log: LogThrottle::default(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, OutboxState> {
        lock(&self.0.state)
    }

    /// Adds a batch. It never waits: when the outbox is full, the oldest rows are dropped.
    pub(super) fn put(&self, batch: Batch) {
        let mut state = self.state();
        let coalesced = coalesce::index(batch.signal());
        state.push(batch);
        if let Some(index) =
            coalesced.filter(|&i| state.rows[i] >= state.coalesce_at[i].max(COALESCE_ROWS))
        {
            state.coalesce(index);
        }
        let dropped = match state.bytes > self.0.bound {
            true => state.free_memory(self.0.bound),
            false => 0,
        };
        if dropped > 0 {
            self.0.dropped.fetch_add(dropped, Ordering::Relaxed);
            state.unlogged += dropped;
            if self.0.dropped_log.allow().is_some() {
                self.log_dropped(&mut state);
            }
        }
        drop(state);
        self.0.changed.notify_one();
    }

    /// Waits for the oldest waiting batch. Takes it, and the following batches as long as
    /// `goes_with(rows taken so far, first batch, next batch)` returns true. The outbox holds the taken batches as in
    /// flight until [`Outbox::complete_oldest`]. Returns `None` when the outbox is closed and no batch waits.
    pub(super) async fn take(
        &self,
        goes_with: impl Fn(&RowCounts, &Batch, &Batch) -> bool,
    ) -> Option<Vec<Batch>> {
        loop {
            {
                let mut state = self.state();
                if let Some(first) = state.pop() {
                    let mut before = RowCounts::default();
                    before.add(&first);
                    let mut taken = vec![first];
                    while let Some(next) = state.waiting.front()
                        && goes_with(&before, &taken[0], next)
                    {
                        before.add(next);
                        taken.extend(state.pop());
                    }
                    state.in_flight.extend(taken.iter().cloned());
                    return Some(taken);
                }
                if state.is_closed {
                    return None;
                }
            }
            self.0.changed.notified().await;
        }
    }

    /// Removes the oldest batch in flight after it was exported or rejected permanently.
    pub(super) fn complete_oldest(&self) {
        let mut state = self.state();
        if let Some(batch) = state.in_flight.pop_front() {
            state.release(&batch);
        }
    }

    fn log_dropped(&self, state: &mut OutboxState) {
        let rows = std::mem::take(&mut state.unlogged);
        if rows > 0 {
            let (exporter, bound) = (&self.0.name, self.0.bound);
            error!(%exporter, rows, bound, "rows lost: the outbox is full, dropped the oldest rows");
        }
    }

    /// Closes the outbox. The caller adds no more batches.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        self.log_dropped(&mut state);
        drop(state);
        self.0.changed.notify_one();
    }

    /// The numbers of batches and of rows in the outbox, including those in flight.
    pub(super) fn held(&self) -> (usize, usize) {
        let state = self.state();
        let waiting = state.waiting.iter().map(Batch::num_rows);
        let in_flight = state.in_flight.iter().map(Batch::num_rows);
        let rows = waiting.chain(in_flight);
        (state.waiting.len() + state.in_flight.len(), rows.sum())
    }

    /// The memory of all batches in the outbox, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.state().bytes
    }

    /// Rows that were dropped because the outbox was full.
    pub(super) fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }
}

impl OutboxState {
    fn push(&mut self, batch: Batch) {
        self.charge(&batch);
        if let Some(index) = coalesce::index(batch.signal()) {
            self.rows[index] += batch.num_rows();
        }
        self.waiting.push_back(batch);
    }

    /// Takes out the oldest waiting batch. Its memory remains counted.
    fn pop(&mut self) -> Option<Batch> {
        let oldest = self.waiting.pop_front()?;
        if let Some(index) = coalesce::index(oldest.signal()) {
            self.rows[index] -= oldest.num_rows();
        }
        if self.waiting.is_empty() {
            self.coalesce_at = Default::default();
        }
        Some(oldest)
    }

    /// Removes replaced rows. If that frees too little, drops the oldest batches until a sixteenth of `bound` is free,
    /// so that the next batches fit without another call. Returns the number of lost rows.
    fn free_memory(&mut self, bound: usize) -> u64 {
        for index in 0..coalesce::SIGNALS.len() {
            self.coalesce(index);
        }
        let mut lost = 0;
        // The last batch is kept, even if it is larger than `bound`.
        while self.bytes > bound - bound / 16
            && self.waiting.len() > 1
            && let Some(oldest) = self.pop()
        {
            self.release(&oldest);
            lost += oldest.num_rows() as u64;
        }
        lost
    }

    /// Counts the memory of a batch.
    fn charge(&mut self, batch: &Batch) {
        self.bytes += batch.rows().num_columns() * COLUMN_BYTES;
        for (address, bytes) in batch.buffers() {
            let sharers = self.buffers.entry(address).or_default();
            if *sharers == 0 {
                self.bytes += bytes;
            }
            *sharers += 1;
        }
    }

    /// Stops counting the memory of a batch.
    fn release(&mut self, batch: &Batch) {
        self.bytes -= batch.rows().num_columns() * COLUMN_BYTES;
        for (address, bytes) in batch.buffers() {
            let Some(sharers) = self.buffers.get_mut(&address) else {
                continue;
            };
            *sharers -= 1;
            if *sharers == 0 {
                self.buffers.remove(&address);
                self.bytes -= bytes;
            }
        }
    }

    /// Removes the waiting rows of a signal that newer rows replace, and merges small batches.
    fn coalesce(&mut self, index: usize) {
        let signal = coalesce::SIGNALS[index];
        let of_signal = self.waiting.iter().filter(|batch| batch.signal() == signal);
        let batches: Vec<&Batch> = of_signal.collect();
        let mut kept = coalesce::kept_rows(signal, &batches).into_iter();
        for batch in std::mem::take(&mut self.waiting) {
            let keep = match batch.signal() == signal {
                true => kept.next(),
                false => None,
            };
            let reduced = keep.and_then(|keep| coalesce::retain_rows(&batch, &keep));
            let Some(reduced) = reduced else {
                self.waiting.push_back(batch);
                continue;
            };
            self.release(&batch);
            if reduced.num_rows() > 0 {
                self.charge(&reduced);
                self.waiting.push_back(reduced);
            }
        }
        self.merge_small(signal);
        let of_signal = self.waiting.iter().filter(|batch| batch.signal() == signal);
        self.rows[index] = of_signal.map(Batch::num_rows).sum();
        self.coalesce_at[index] = 2 * self.rows[index];
    }

    /// Merges small batches of a signal into batches of up to [`COALESCE_ROWS`] rows. A merged batch takes the place of
    /// its last part.
    fn merge_small(&mut self, signal: Signal) {
        let waiting = std::mem::take(&mut self.waiting);
        let of_signal = waiting.iter().filter(|batch| batch.signal() == signal);
        let mut next_rows = of_signal
            .map(Batch::num_rows)
            .skip(1)
            .collect::<Vec<_>>()
            .into_iter();
        let (mut parts, mut rows) = (Vec::new(), 0);
        for batch in waiting {
            if batch.signal() != signal {
                self.waiting.push_back(batch);
                continue;
            }
            rows += batch.num_rows();
            parts.push(batch);
            if next_rows
                .next()
                .is_some_and(|next| rows + next <= COALESCE_ROWS)
            {
                continue;
            }
            let parts: Vec<Batch> = std::mem::take(&mut parts);
            rows = 0;
            let merged = match parts.len() {
                1 => None,
                _ => Batch::concat(parts.clone()).and_then(|merged| coalesce::compact(&merged)),
            };
            match merged {
                None => self.waiting.extend(parts),
                Some(merged) => {
                    parts.iter().for_each(|part| self.release(part));
                    self.charge(&merged);
                    self.waiting.push_back(merged);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
