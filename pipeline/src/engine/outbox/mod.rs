//! Rows for which no sender waits, as they wait for one exporter.
//!
//! What a processor makes by itself (windows, statistics, metrics on a tick) no sender can send again. So it
//! stays here, in order, until the exporter has taken it or refuses it for good; retries have no end. At the
//! bound the oldest rows leave, counted and logged.
//!
//! Rows that later ones replace leave earlier (coalesce.rs): statistics of an edge's minute, and points of a
//! cumulative series. So an outage costs the room of the minutes and series that it lasts, and not that of all
//! that was flushed meanwhile.

mod coalesce;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tracing::error;

use crate::{Batch, Signal};

/// How often it is logged at most that rows leave at the bound.
const WARNING: Duration = Duration::from_secs(10);

/// Rows of a signal that wait before the first look for those that are replaced.
const FEW: usize = 1024;

/// The outbox of one exporter. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Outbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// `exporters/sqlite`.
    name: String,
    /// In bytes.
    bound: usize,
    state: Mutex<State>,
    /// Notified when a batch comes, and when no more comes.
    changed: Notify,
    /// Rows that left at the bound.
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Batch>,
    taken: Option<Batch>,
    /// Of all buffers.
    bytes: usize,
    /// The buffers of those that wait and of the one that is taken, by their places: how many batches share
    /// each. Slices of one batch share all of them.
    buffers: HashMap<usize, usize>,
    is_closed: bool,
    /// Rows of each of [`coalesce::SIGNALS`] with which to look for those that are replaced again.
    look_at: [usize; coalesce::SIGNALS.len()],
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

    /// Keeps a batch until the exporter has it. It never waits; at the bound the oldest leave.
    pub(super) fn put(&self, batch: Batch) {
        let mut state = self.state();
        let signal = batch.signal();
        state.charge(&batch);
        state.waiting.push_back(batch);
        state.coalesce(signal);
        let mut dropped = 0;
        // One batch above the bound passes alone.
        while state.bytes > self.0.bound && state.waiting.len() > 1 {
            let Some(oldest) = state.waiting.pop_front() else {
                break;
            };
            state.give_back(&oldest);
            dropped += oldest.num_rows() as u64;
        }
        if dropped > 0 {
            self.0.dropped.fetch_add(dropped, Ordering::Relaxed);
            state.unlogged += dropped;
            let now = Instant::now();
            if state.warned.is_none_or(|warned| now - warned >= WARNING) {
                state.warned = Some(now);
                self.log_dropped(&mut state);
            }
        }
        drop(state);
        self.0.changed.notify_one();
    }

    /// The oldest batch, which stays counted until [`Outbox::done`]; none when no more comes.
    pub(super) async fn take(&self) -> Option<Batch> {
        loop {
            {
                let mut state = self.state();
                if let Some(batch) = state.waiting.pop_front() {
                    state.taken = Some(batch.clone());
                    return Some(batch);
                }
                if state.is_closed {
                    return None;
                }
            }
            self.0.changed.notified().await;
        }
    }

    /// The batch that was taken is exported, or refused for good.
    pub(super) fn done(&self) {
        let mut state = self.state();
        if let Some(taken) = state.taken.take() {
            state.give_back(&taken);
        }
    }

    fn log_dropped(&self, state: &mut State) {
        let rows = std::mem::take(&mut state.unlogged);
        if rows > 0 {
            let (exporter, bound) = (&self.0.name, self.0.bound);
            error!(%exporter, rows, bound, "lost: the outbox is full, and the oldest rows leave it");
        }
    }

    /// Nothing comes any more.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        self.log_dropped(&mut state);
        drop(state);
        self.0.changed.notify_one();
    }

    /// What it holds: batches and rows.
    pub(super) fn held(&self) -> (usize, usize) {
        let state = self.state();
        let waiting = state.waiting.iter().map(Batch::num_rows);
        let taken = state.taken.iter().map(Batch::num_rows);
        let rows = waiting.chain(taken);
        (
            state.waiting.len() + usize::from(state.taken.is_some()),
            rows.sum(),
        )
    }

    pub(super) fn bytes(&self) -> usize {
        self.state().bytes
    }

    /// Rows that left at the bound.
    pub(super) fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }
}

impl State {
    fn charge(&mut self, batch: &Batch) {
        for (place, bytes) in batch.buffers() {
            let sharers = self.buffers.entry(place).or_default();
            if *sharers == 0 {
                self.bytes += bytes;
            }
            *sharers += 1;
        }
    }

    fn give_back(&mut self, batch: &Batch) {
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

    /// Removes the rows of a signal that others replace, where so many wait that it pays.
    fn coalesce(&mut self, signal: Signal) {
        let Some(index) = coalesce::SIGNALS.iter().position(|it| *it == signal) else {
            return;
        };
        let of_signal = self.waiting.iter().filter(|it| it.signal() == signal);
        let batches: Vec<&Batch> = of_signal.collect();
        let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
        if rows < self.look_at[index].max(FEW) {
            return;
        }
        let mut newest = coalesce::newest(signal, &batches).into_iter();
        let mut left = 0;
        for mut batch in std::mem::take(&mut self.waiting) {
            if batch.signal() == signal {
                let only = newest.next().and_then(|stay| coalesce::only(&batch, &stay));
                if let Some(only) = only {
                    self.charge(&only);
                    self.give_back(&batch);
                    batch = only;
                }
                left += batch.num_rows();
            }
            match batch.num_rows() {
                0 => self.give_back(&batch),
                _ => self.waiting.push_back(batch),
            }
        }
        self.look_at[index] = 2 * left;
    }
}

#[cfg(test)]
mod tests;
