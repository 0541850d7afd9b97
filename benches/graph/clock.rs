//! The moments of the graph's past. All are before the start of the benchmark, so no store has to
//! reject them.

use std::time::Duration;

use pipeline::component::UnixNanos;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
const DAY: u64 = 24 * 60 * 60;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(UnixNanos);

impl Clock {
    /// Of a benchmark that starts now.
    pub(crate) fn now() -> Clock {
        Clock(UnixNanos::now())
    }

    fn ago(&self, seconds: u64) -> UnixNanos {
        UnixNanos(self.0.0 - seconds * 1_000_000_000)
    }

    /// When the first scan of every scope began.
    pub(crate) fn first_scan(&self) -> UnixNanos {
        self.ago(10 * DAY)
    }

    /// When the scans of round 1, 2 or 3 began, which find 5 % of the resources changed.
    pub(crate) fn round(&self, round: u64) -> UnixNanos {
        self.ago((10 - 2 * round) * DAY)
    }

    /// What reads of the past ask for: between round 2 and round 3.
    pub(crate) fn past(&self) -> UnixNanos {
        self.ago(5 * DAY)
    }

    /// When telemetry was last observed; calls hold for 24 hours.
    pub(crate) fn telemetry(&self) -> UnixNanos {
        let minute = 60_000_000_000;
        let time = self.ago(30 * 60);
        UnixNanos(time.0 - time.0 % minute)
    }

    /// When the writes begin that are measured.
    pub(crate) fn writes(&self) -> UnixNanos {
        self.ago(20 * 60)
    }

    /// The start of one of the days of `history`, 0 the first.
    pub(crate) fn day(&self, day: u64) -> UnixNanos {
        let start = self.ago((3 - day) * DAY);
        UnixNanos(start.0 - start.0 % 60_000_000_000)
    }
}
