//! The period for which the answer to a query does not change.

use crate::unix_nanos::UnixNanos;

/// The period around a moment in which the answers for that moment stay the same: `from..until`. A query narrows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidInterval {
    at: UnixNanos,
    from: UnixNanos,
    until: UnixNanos,
}

impl ValidInterval {
    /// An unbounded interval around the moment that queries are about.
    pub fn at(at: UnixNanos) -> ValidInterval {
        ValidInterval {
            at,
            from: UnixNanos(0),
            until: UnixNanos(u64::MAX),
        }
    }

    /// Whether the answers are also valid at this time.
    pub fn contains(&self, time: UnixNanos) -> bool {
        self.from <= time && (time < self.until || time == self.at)
    }

    pub(super) fn moment(&self) -> UnixNanos {
        self.at
    }

    /// Excludes the times beyond `time`, as seen from the moment: a name starts or ends at `time`.
    pub(super) fn narrow(&mut self, time: UnixNanos) {
        if time <= self.at {
            self.from = self.from.max(time);
        } else {
            self.until = self.until.min(time);
        }
    }
}
