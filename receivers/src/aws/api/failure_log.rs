//! Counts failed calls. Logs a failure when it begins, and not again in the following scans while it lasts.

use std::collections::HashSet;
use std::sync::Mutex;

use pipeline::counters::Counter;
use pipeline::sync::lock;
use tracing::{debug, info, warn};

use super::failure::{FailureReason, ScanFailure};

/// Service, operation, region, account and reason: failures with the same key are the same failure.
type FailureKey = (
    &'static str,
    &'static str,
    Box<str>,
    Box<str>,
    FailureReason,
);

/// The failures of one receiver. It uses no [`LogThrottle`](pipeline::log_throttle::LogThrottle): calls repeat once per
/// scan, so each new failure is worth a line, and a failure that the previous scan had is not.
#[derive(Debug, Default)]
pub(in crate::aws) struct FailureLog {
    source: String,
    failed_calls: Counter,
    failing: Mutex<FailingCalls>,
}

#[derive(Debug, Default)]
struct FailingCalls {
    /// The failures of the previous scan.
    before: HashSet<FailureKey>,
    /// The failures of this scan.
    now: HashSet<FailureKey>,
}

impl FailureLog {
    pub(in crate::aws) fn new(source: &str, failed_calls: Counter) -> FailureLog {
        FailureLog {
            source: source.to_owned(),
            failed_calls,
            failing: Mutex::default(),
        }
    }

    /// Counts and logs the failure. Returns whether it is new: neither this scan nor the previous one had it.
    pub(in crate::aws) fn record(&self, failure: &ScanFailure) -> bool {
        self.failed_calls.add(1);
        let key = key(failure);
        let mut failing = lock(&self.failing);
        let is_known = failing.before.contains(&key);
        let is_first = failing.now.insert(key);
        let receiver = &self.source;
        let is_new = is_first && !is_known;
        match is_new {
            true => {
                warn!(receiver, %failure, "AWS API call failed: the state of its resources is unknown")
            }
            false => debug!(receiver, %failure, "AWS API call failed again"),
        }
        is_new
    }

    /// Ends a scan of all scopes. Logs the failures of the previous scan that this scan did not have.
    pub(in crate::aws) fn finish_scan(&self) {
        let mut failing = lock(&self.failing);
        let now = std::mem::take(&mut failing.now);
        for (service, operation, region, account, _) in failing.before.difference(&now) {
            let receiver = &self.source;
            info!(
                receiver,
                service, operation, region, account, "AWS API call succeeds again"
            );
        }
        failing.before = now;
    }
}

fn key(failure: &ScanFailure) -> FailureKey {
    let call = &failure.call;
    let (region, account) = (call.region.clone(), call.account.clone());
    (
        call.service.0,
        call.operation,
        region,
        account,
        failure.reason,
    )
}
