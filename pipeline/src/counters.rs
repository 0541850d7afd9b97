//! What is counted on the way.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::Signal;

/// One counter for each signal.
#[derive(Debug, Default)]
pub struct PerSignal([AtomicU64; Signal::ALL.len()]);

impl PerSignal {
    pub(crate) fn add(&self, signal: Signal, items: usize) {
        self.0[signal as usize].fetch_add(items as u64, Ordering::Relaxed);
    }

    pub fn get(&self, signal: Signal) -> u64 {
        self.0[signal as usize].load(Ordering::Relaxed)
    }
}

/// Of one receiver, for all pipelines that it feeds.
#[derive(Debug, Default)]
pub struct ReceiverCounters {
    /// Taken by the pipelines.
    pub accepted: PerSignal,
    /// Not taken: there was no room.
    pub refused: PerSignal,
    /// Requests that were answered with a refusal, by signal and reason.
    pub requests: Mutex<BTreeMap<(Signal, &'static str), u64>>,
}

impl ReceiverCounters {
    pub(crate) fn request_refused(&self, signal: Signal, reason: &'static str) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((signal, reason)).or_default() += 1;
    }
}
