//! Counts failed calls. Logs a failure when it begins, and not again in the following scans while it lasts.

use std::collections::{BTreeSet, HashSet};
use std::sync::Mutex;

use pipeline::counters::Counter;
use pipeline::sync::lock;
use tracing::{debug, info, warn};

use super::failure::{FailureReason, ScanFailure};

/// Service, operation, region and account.
type CallKey = (&'static str, &'static str, Box<str>, Box<str>);

/// Failures with the same key are the same failure.
type FailureKey = (CallKey, FailureReason);

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

    /// Ends a scan of all scopes. Logs the calls that failed in the previous scan and did not fail in this one.
    pub(in crate::aws) fn finish_scan(&self) {
        let mut failing = lock(&self.failing);
        let now = std::mem::take(&mut failing.now);
        for (service, operation, region, account) in recovered_calls(&failing.before, &now) {
            let receiver = &self.source;
            info!(
                receiver,
                service, operation, region, account, "AWS API call no longer fails"
            );
        }
        failing.before = now;
    }
}

/// Returns each call that has a failure in `before` and none, of whatever reason, in `now`.
fn recovered_calls<'k>(
    before: &'k HashSet<FailureKey>,
    now: &HashSet<FailureKey>,
) -> BTreeSet<&'k CallKey> {
    let failing: HashSet<&CallKey> = now.iter().map(|(call, _)| call).collect();
    let calls = before.iter().map(|(call, _)| call);
    calls.filter(|call| !failing.contains(call)).collect()
}

fn key(failure: &ScanFailure) -> FailureKey {
    let call = &failure.call;
    let (region, account) = (call.region.clone(), call.account.clone());
    let call = (call.service.0, call.operation, region, account);
    (call, failure.reason)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{FailureKey, FailureReason, recovered_calls};

    #[test]
    fn a_call_that_fails_for_another_reason_has_not_recovered() {
        let failure = |operation, reason| -> FailureKey {
            (("ec2", operation, "eu-west-1".into(), "1".into()), reason)
        };
        let before = HashSet::from([
            failure("DescribeVpcs", FailureReason::Denied),
            failure("DescribeVolumes", FailureReason::Denied),
        ]);
        let now = HashSet::from([failure("DescribeVpcs", FailureReason::Throttled)]);
        let recovered = recovered_calls(&before, &now).into_iter();
        let operations: Vec<&str> = recovered.map(|(_, operation, ..)| *operation).collect();
        assert_eq!(operations, ["DescribeVolumes"]);
    }
}
