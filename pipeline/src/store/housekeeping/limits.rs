//! The times before which housekeeping removes rows.

use crate::claims::{ClaimClass, ClaimInterval};
use crate::component::UnixNanos;

/// Housekeeping removes rows from before these times.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExpiryLimits {
    /// Claims that ended before this time.
    pub(super) ended_before: UnixNanos,
    /// Observations that were last seen before this time; `None` if they never expire.
    pub(super) observed_before: Option<UnixNanos>,
    /// Unreferenced versions that were last written before this time. A newer one may belong to a report in flight.
    pub(super) written_before: UnixNanos,
    /// Edge statistics of hours before this time.
    pub(super) stats_before: UnixNanos,
}

impl ExpiryLimits {
    /// Whether an observation with this last sighting is expired.
    pub(super) fn is_expired(&self, seen: UnixNanos) -> bool {
        self.observed_before.is_some_and(|limit| seen < limit)
    }
}

/// Whether a claim with this last interval is expired. A claim that ended is expired if its end and all its reports are
/// before the limit. An open claim is expired if no scan can end it and its last report is older than observations are
/// kept.
pub(super) fn is_claim_expired(
    class: ClaimClass,
    last: &ClaimInterval,
    limits: &ExpiryLimits,
) -> bool {
    let reported = last.last_report().max(last.seen);
    match last.until {
        Some(_) => reported < limits.ended_before,
        // No scan ends a claim of these classes.
        None => {
            let is_never_scanned = matches!(
                class,
                ClaimClass::Telemetry
                    | ClaimClass::Health
                    | ClaimClass::Edges
                    | ClaimClass::Aliases
            );
            is_never_scanned && limits.is_expired(reported)
        }
    }
}
