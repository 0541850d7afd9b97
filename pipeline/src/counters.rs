//! What is counted on the way.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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

/// A number that a component counts for itself. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters that components asked for, with their names and labels.
#[derive(Clone, Debug, Default)]
pub struct OwnCounters(Arc<Mutex<Vec<OwnCounter>>>);

#[derive(Clone, Debug)]
pub(crate) struct OwnCounter {
    /// `airdig_processor_late_rows`.
    pub(crate) name: String,
    /// `processor="sql/x"`, `pipeline="traces"`.
    pub(crate) labels: Vec<(&'static str, String)>,
    pub(crate) counter: Counter,
}

impl OwnCounters {
    pub(crate) fn add(&self, name: String, labels: Vec<(&'static str, String)>) -> Counter {
        let counter = Counter::default();
        let own = OwnCounter {
            name,
            labels,
            counter: counter.clone(),
        };
        self.lock().push(own);
        counter
    }

    pub(crate) fn all(&self) -> Vec<OwnCounter> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<OwnCounter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
