//! A timer for work that repeats at an interval.

use std::time::Duration;

use pipeline::component::UnixNanos;

/// Work that is due within this time is done now, since ticks come a little early or late.
const SLACK: Duration = Duration::from_millis(50);

/// Keeps the time at which repeated work is due.
#[derive(Debug)]
pub(super) struct IntervalTimer {
    every: Duration,
    next: Option<UnixNanos>,
}

impl IntervalTimer {
    pub(super) fn new(every: Duration) -> IntervalTimer {
        IntervalTimer { every, next: None }
    }

    pub(super) fn every(&self) -> Duration {
        self.every
    }

    /// The time until the work is due.
    pub(super) fn until_due(&self, now: UnixNanos) -> Duration {
        let next = self.next.map_or(0, |next| next.0.saturating_sub(now.0));
        Duration::from_nanos(next).min(self.every)
    }

    /// Makes the work due one interval from now, unless the timer has been started.
    pub(super) fn start(&mut self, now: UnixNanos) {
        self.next.get_or_insert(now + self.every);
    }

    /// Whether the work is due; if so, starts the next interval. Work of a timer that was not started is due.
    pub(super) fn restart_if_due(&mut self, now: UnixNanos) -> bool {
        let due = self.next.is_none_or(|next| next <= now + SLACK);
        if due {
            self.next = Some(now + self.every);
        }
        due
    }
}
