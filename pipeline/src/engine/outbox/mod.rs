//! The outbox of an exporter: rows for which no sender waits.
//!
//! Rows that a processor makes by itself (windows, statistics, metrics on a tick) no sender can send again.
//! So they stay here, in order, until the exporter has taken them or rejects them permanently; retries have
//! no end.
//!
//! When many rows wait, those that later rows replace are removed (`coalesce.rs`): statistics of an edge's
//! minute, and points of a cumulative series. So an outage costs memory for the minutes and series that it
//! covers, and not for each flush. When the outbox is full, all replaced rows are removed. If that frees too
//! little, the oldest rows are dropped, counted and logged: no newer row replaces them, so they are lost.

mod coalesce;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tracing::error;

use crate::component::RowCounts;
use crate::{Batch, Signal};

/// The shortest time between two logs about dropped rows.
const WARNING_INTERVAL: Duration = Duration::from_secs(10);

/// Rows of a signal that wait before they are first coalesced, and the most rows of a merged batch.
const COALESCE_ROWS: usize = 1024;

/// Memory of a column besides its buffers, in bytes: of many small batches that is the larger part.
const COLUMN_BYTES: usize = 128;

/// The outbox of one exporter. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Outbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// `exporters/sqlite`.
    name: String,
    /// The capacity in bytes.
    bound: usize,
    state: Mutex<State>,
    /// Notified when a batch is put in, and when the outbox is closed.
    changed: Notify,
    /// Rows that were dropped because the outbox was full.
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Batch>,
    /// Batches in flight, in order.
    taken: VecDeque<Batch>,
    /// The memory of all buffers and columns.
    bytes: usize,
    /// How many batches share each buffer, by its address in memory. Slices of one batch share all buffers.
    buffers: HashMap<usize, usize>,
    is_closed: bool,
    /// Rows of each of [`coalesce::SIGNALS`] that wait.
    rows: [usize; coalesce::SIGNALS.len()],
    /// The number of waiting rows of each at which to coalesce again.
    coalesce_at: [usize; coalesce::SIGNALS.len()],
    warned: Option<Instant>,
    unlogged: u64,
}

impl Outbox {
    pub(super) fn new(name: String, bound: usize) -> Outbox {
        Outbox(Arc::new(Shared {
            name,
            bound,
            state: Mutex::default(),
            changed: Notify::new(),
            dropped: AtomicU64::new(0),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a batch until the exporter has it. It never waits: when the outbox is full, the oldest rows are
    /// dropped.
    pub(super) fn put(&self, batch: Batch) {
        let mut state = self.state();
        let coalesced = coalesce::index(batch.signal());
        state.push(batch);
        if let Some(index) =
            coalesced.filter(|&it| state.rows[it] >= state.coalesce_at[it].max(COALESCE_ROWS))
        {
            state.coalesce(index);
        }
        let dropped = match state.bytes > self.0.bound {
            true => state.make_room(self.0.bound),
            false => 0,
        };
        if dropped > 0 {
            self.0.dropped.fetch_add(dropped, Ordering::Relaxed);
            state.unlogged += dropped;
            let now = Instant::now();
            if state
                .warned
                .is_none_or(|warned| now - warned >= WARNING_INTERVAL)
            {
                state.warned = Some(now);
                self.log_dropped(&mut state);
            }
        }
        drop(state);
        self.0.changed.notify_one();
    }

    /// The oldest batch, and those behind it that are exported with it: `goes_with(rows before it, first,
    /// it)`. Each stays counted until [`Outbox::done`]. None when the outbox is closed and empty.
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
                    state.taken.extend(taken.iter().cloned());
                    return Some(taken);
                }
                if state.is_closed {
                    return None;
                }
            }
            self.0.changed.notified().await;
        }
    }

    /// Removes the oldest batch in flight: it was exported, or rejected permanently.
    pub(super) fn done(&self) {
        let mut state = self.state();
        if let Some(taken) = state.taken.pop_front() {
            state.give_back(&taken);
        }
    }

    fn log_dropped(&self, state: &mut State) {
        let rows = std::mem::take(&mut state.unlogged);
        if rows > 0 {
            let (exporter, bound) = (&self.0.name, self.0.bound);
            error!(%exporter, rows, bound, "rows lost: the outbox is full, dropped the oldest rows");
        }
    }

    /// Closes the outbox: no more batches are put in.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        self.log_dropped(&mut state);
        drop(state);
        self.0.changed.notify_one();
    }

    /// The number of batches and rows that it holds.
    pub(super) fn held(&self) -> (usize, usize) {
        let state = self.state();
        let waiting = state.waiting.iter().map(Batch::num_rows);
        let taken = state.taken.iter().map(Batch::num_rows);
        let rows = waiting.chain(taken);
        (state.waiting.len() + state.taken.len(), rows.sum())
    }

    pub(super) fn bytes(&self) -> usize {
        self.state().bytes
    }

    /// Rows that were dropped because the outbox was full.
    pub(super) fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }
}

impl State {
    fn push(&mut self, batch: Batch) {
        self.charge(&batch);
        if let Some(index) = coalesce::index(batch.signal()) {
            self.rows[index] += batch.num_rows();
        }
        self.waiting.push_back(batch);
    }

    /// Takes out the oldest batch; its memory stays counted.
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

    /// Removes the rows that others replace. If that is not enough, drops the oldest batches until a
    /// sixteenth is free, so that it does not coalesce again with each batch. Returns how many rows are lost.
    fn make_room(&mut self, bound: usize) -> u64 {
        for index in 0..coalesce::SIGNALS.len() {
            self.coalesce(index);
        }
        let mut lost = 0;
        // A single batch that is larger than the bound is kept.
        while self.bytes > bound - bound / 16
            && self.waiting.len() > 1
            && let Some(oldest) = self.pop()
        {
            self.give_back(&oldest);
            lost += oldest.num_rows() as u64;
        }
        lost
    }

    fn charge(&mut self, batch: &Batch) {
        self.bytes += batch.rows().num_columns() * COLUMN_BYTES;
        for (place, bytes) in batch.buffers() {
            let sharers = self.buffers.entry(place).or_default();
            if *sharers == 0 {
                self.bytes += bytes;
            }
            *sharers += 1;
        }
    }

    fn give_back(&mut self, batch: &Batch) {
        self.bytes -= batch.rows().num_columns() * COLUMN_BYTES;
        for (place, bytes) in batch.buffers() {
            let Some(sharers) = self.buffers.get_mut(&place) else {
                continue;
            };
            *sharers -= 1;
            if *sharers == 0 {
                self.buffers.remove(&place);
                self.bytes -= bytes;
            }
        }
    }

    /// Removes the rows of a signal that others replace, and merges small batches.
    fn coalesce(&mut self, index: usize) {
        let signal = coalesce::SIGNALS[index];
        let of_signal = self.waiting.iter().filter(|it| it.signal() == signal);
        let batches: Vec<&Batch> = of_signal.collect();
        let mut newest = coalesce::newest(signal, &batches).into_iter();
        for batch in std::mem::take(&mut self.waiting) {
            let stay = match batch.signal() == signal {
                true => newest.next(),
                false => None,
            };
            let only = stay.and_then(|stay| coalesce::only(&batch, &stay));
            let Some(only) = only else {
                self.waiting.push_back(batch);
                continue;
            };
            self.give_back(&batch);
            if only.num_rows() > 0 {
                self.charge(&only);
                self.waiting.push_back(only);
            }
        }
        self.join_small(signal);
        let of_signal = self.waiting.iter().filter(|it| it.signal() == signal);
        self.rows[index] = of_signal.map(Batch::num_rows).sum();
        self.coalesce_at[index] = 2 * self.rows[index];
    }

    /// Merges small batches of a signal into batches of up to [`COALESCE_ROWS`] rows, each in the place of
    /// its last part.
    fn join_small(&mut self, signal: Signal) {
        let waiting = std::mem::take(&mut self.waiting);
        let rows = waiting.iter().filter(|it| it.signal() == signal);
        let mut next_rows = rows
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
            let whole = match parts.len() {
                1 => None,
                _ => Batch::concat(parts.clone()).and_then(|whole| coalesce::compact(&whole)),
            };
            match whole {
                None => self.waiting.extend(parts),
                Some(whole) => {
                    parts.iter().for_each(|part| self.give_back(part));
                    self.charge(&whole);
                    self.waiting.push_back(whole);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
