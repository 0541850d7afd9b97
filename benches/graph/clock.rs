//! The times of the graph's history. All are before the start of the benchmark, so that no store rejects them as
//! future.

use std::path::Path;
use std::time::Duration;

use pipeline::component::UnixNanos;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
const DAY: u64 = 24 * 60 * 60;

#[derive(Clone, Copy, Debug)]
pub(crate) struct GraphClock(UnixNanos);

impl GraphClock {
    /// The clock of a benchmark that starts now.
    fn now() -> GraphClock {
        GraphClock(UnixNanos::now())
    }

    /// The clock of the benchmark that wrote the file, stored next to it; for a new file, a clock that starts now.
    pub(crate) fn of(file: &Path) -> GraphClock {
        let clock_file = file.with_extension("clock");
        let start = std::fs::read_to_string(&clock_file).ok();
        let start = start.and_then(|start| start.parse().ok());
        let clock = start.map_or_else(GraphClock::now, |start| GraphClock(UnixNanos(start)));
        std::fs::write(clock_file, clock.0.0.to_string()).expect("the folder can be written");
        clock
    }

    fn ago(&self, seconds: u64) -> UnixNanos {
        UnixNanos(self.0.0 - seconds * 1_000_000_000)
    }

    /// When the first scan of every scope began.
    pub(crate) fn first_scan(&self) -> UnixNanos {
        self.ago(10 * DAY)
    }

    /// When the scans of round 1, 2 or 3 began; in each round 5 % of the resources have changed.
    pub(crate) fn round(&self, round: u64) -> UnixNanos {
        self.ago((10 - 2 * round) * DAY)
    }

    /// The time of reads as of T: between round 2 and round 3.
    pub(crate) fn past(&self) -> UnixNanos {
        self.ago(5 * DAY)
    }

    /// When telemetry was last observed; observed edges expire after 24 hours.
    pub(crate) fn telemetry(&self) -> UnixNanos {
        let minute = 60_000_000_000;
        let time = self.ago(30 * 60);
        UnixNanos(time.0 - time.0 % minute)
    }

    /// When the measured writes begin.
    pub(crate) fn writes(&self) -> UnixNanos {
        self.ago(20 * 60)
    }

    /// The start of one of the days of `history`, 0 the first.
    pub(crate) fn day(&self, day: u64) -> UnixNanos {
        let start = self.ago((3 - day) * DAY);
        UnixNanos(start.0 - start.0 % 60_000_000_000)
    }
}
