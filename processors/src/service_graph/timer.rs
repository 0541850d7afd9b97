//! A timer for work that repeats at an interval.

use std::time::Duration;

use pipeline::component::UnixNanos;

/// Work that is due within this time counts as due, since a tick may come a little early.
const SLACK: Duration = Duration::from_millis(50);

/// Keeps the time at which repeated work is due.
#[derive(Debug)]
pub(super) struct IntervalTimer {
    interval: Duration,
    next: Option<UnixNanos>,
}

impl IntervalTimer {
    pub(super) fn new(interval: Duration) -> IntervalTimer {
        IntervalTimer {
            interval,
            next: None,
        }
    }

    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    /// The time until the work is due.
    pub(super) fn until_due(&self, now: UnixNanos) -> Duration {
        let next = self.next.map_or(0, |next| next.0.saturating_sub(now.0));
        Duration::from_nanos(next).min(self.interval)
    }

    /// Makes the work due one interval from now, unless the timer has been started.
    pub(super) fn start(&mut self, now: UnixNanos) {
        self.next.get_or_insert(now + self.interval);
    }

    /// Returns whether the work is due, and if so, starts the next interval. The work of a timer that was never started
    /// is due.
    pub(super) fn restart_if_due(&mut self, now: UnixNanos) -> bool {
        let due = self.next.is_none_or(|next| next <= now + SLACK);
        if due {
            self.next = Some(now + self.interval);
        }
        due
    }
}
