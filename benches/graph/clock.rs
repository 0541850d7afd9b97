//! The moments of the graph's past. All are before the start of the benchmark, so no store has to
//! reject them.

use std::path::Path;
use std::time::Duration;

use pipeline::component::UnixNanos;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
const DAY: u64 = 24 * 60 * 60;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(UnixNanos);

impl Clock {
    /// Of a benchmark that starts now.
    fn now() -> Clock {
        Clock(UnixNanos::now())
    }

    /// Of the benchmark that wrote a file, which keeps its clock beside it; else of one that starts now.
    pub(crate) fn of(file: &Path) -> Clock {
        let kept = file.with_extension("clock");
        let start = std::fs::read_to_string(&kept).ok();
        let start = start.and_then(|start| start.parse().ok());
        let clock = start.map_or_else(Clock::now, |start| Clock(UnixNanos(start)));
        std::fs::write(kept, clock.0.0.to_string()).expect("the folder can be written");
        clock
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
