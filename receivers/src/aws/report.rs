//! Failures, each told once for as long as it lasts.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pipeline::counters::Counter;
use tracing::{debug, info, warn};

use super::failure::{Failure, Why};

/// The same call that fails in the same way is one failure.
type Key = (&'static str, &'static str, Box<str>, Box<str>, Why);

#[derive(Debug, Default)]
pub(super) struct Report {
    source: String,
    failed_calls: Counter,
    failing: Mutex<Failing>,
}

#[derive(Debug, Default)]
struct Failing {
    before: HashSet<Key>,
    now: HashSet<Key>,
}

impl Report {
    pub(super) fn new(source: &str, failed_calls: Counter) -> Report {
        Report {
            source: source.to_owned(),
            failed_calls,
            failing: Mutex::default(),
        }
    }

    /// Whether it is new: neither in this scan nor in the one before has it been told.
    pub(super) fn failed(&self, failure: &Failure) -> bool {
        self.failed_calls.add(1);
        let key = key(failure);
        let mut failing = self.failing();
        let is_known = failing.before.contains(&key);
        let is_first = failing.now.insert(key);
        let receiver = &self.source;
        let is_new = is_first && !is_known;
        match is_new {
            true => warn!(receiver, %failure, "a call failed: what it would have told is unknown"),
            false => debug!(receiver, %failure, "a call failed again"),
        }
        is_new
    }

    /// A scan of everything has ended.
    pub(super) fn turn(&self) {
        let mut failing = self.failing();
        let now = std::mem::take(&mut failing.now);
        for (service, operation, region, account, _) in failing.before.difference(&now) {
            let receiver = &self.source;
            info!(
                receiver,
                service, operation, region, account, "answers again"
            );
        }
        failing.before = now;
    }

    fn failing(&self) -> MutexGuard<'_, Failing> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(failure: &Failure) -> Key {
    let call = &failure.call;
    let (region, account) = (call.region.clone(), call.account.clone());
    (call.service.0, call.operation, region, account, failure.why)
}
