//! Rows for which no sender waits, as they wait for one exporter.
//!
//! What a processor makes by itself (windows, statistics, metrics on a tick) no sender can send again. So it
//! stays here, in order, until the exporter has taken it or refuses it for good; retries have no end. At the
//! bound the oldest rows leave, counted and logged.
//!
//! Rows that later ones replace leave earlier (coalesce.rs): statistics of an edge's minute, and points of a
//! cumulative series. So an outage of a day costs about as much room as one of an hour.

mod coalesce;

use std::collections::VecDeque;
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
    waiting: VecDeque<Waiting>,
    /// Of those that wait and of the one that is taken.
    bytes: usize,
    taken: Option<Taken>,
    is_closed: bool,
    /// Rows of each of [`coalesce::SIGNALS`] with which to look for those that are replaced again.
    look_at: [usize; coalesce::SIGNALS.len()],
    warned: Option<Instant>,
    unlogged: u64,
}

#[derive(Debug)]
struct Waiting {
    batch: Batch,
    bytes: usize,
}

#[derive(Clone, Copy, Debug)]
struct Taken {
    bytes: usize,
    rows: usize,
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
        let bytes = batch.memory();
        state.bytes += bytes;
        state.waiting.push_back(Waiting { batch, bytes });
        state.coalesce(signal);
        let mut dropped = 0;
        // One batch above the bound passes alone.
        while state.bytes > self.0.bound && state.waiting.len() > 1 {
            let Some(oldest) = state.waiting.pop_front() else {
                break;
            };
            state.bytes -= oldest.bytes;
            dropped += oldest.batch.num_rows() as u64;
        }
        if dropped > 0 {
            self.0.dropped.fetch_add(dropped, Ordering::Relaxed);
            state.unlogged += dropped;
            let now = Instant::now();
            if state.warned.is_none_or(|warned| now - warned >= WARNING) {
                state.warned = Some(now);
                let rows = std::mem::take(&mut state.unlogged);
                let (exporter, bound) = (&self.0.name, self.0.bound);
                error!(%exporter, rows, bound, "lost: the outbox is full, and the oldest rows leave it");
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
                if let Some(Waiting { batch, bytes }) = state.waiting.pop_front() {
                    let rows = batch.num_rows();
                    state.taken = Some(Taken { bytes, rows });
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
            state.bytes -= taken.bytes;
        }
    }

    /// Nothing comes any more.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.0.changed.notify_one();
    }

    /// What it holds: batches and rows.
    pub(super) fn held(&self) -> (usize, usize) {
        let state = self.state();
        let waiting = state.waiting.iter().map(|it| it.batch.num_rows());
        let taken = state.taken.iter().map(|it| it.rows);
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
    /// Removes the rows of a signal that others replace, where so many wait that it pays.
    fn coalesce(&mut self, signal: Signal) {
        let Some(index) = coalesce::SIGNALS.iter().position(|it| *it == signal) else {
            return;
        };
        let is_of_signal = |it: &Waiting| it.batch.signal() == signal;
        let of_signal = self.waiting.iter().filter(|it| is_of_signal(it));
        let batches: Vec<&Batch> = of_signal.map(|it| &it.batch).collect();
        let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
        if rows < self.look_at[index].max(FEW) {
            return;
        }
        let newest = coalesce::newest(signal, &batches);
        let mut left = 0;
        let of_signal = self.waiting.iter_mut().filter(|it| is_of_signal(it));
        for (it, stay) in of_signal.zip(newest) {
            if let Some(batch) = coalesce::only(&it.batch, &stay) {
                self.bytes -= it.bytes;
                it.bytes = batch.memory();
                self.bytes += it.bytes;
                it.batch = batch;
            }
            left += it.batch.num_rows();
        }
        let bytes = &mut self.bytes;
        self.waiting.retain(|it| {
            let stays = it.batch.num_rows() > 0;
            *bytes -= if stays { 0 } else { it.bytes };
            stays
        });
        self.look_at[index] = 2 * left;
    }
}

#[cfg(test)]
mod tests;
