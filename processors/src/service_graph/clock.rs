//! A timer for work that repeats at an interval.

use std::time::Duration;

use pipeline::component::UnixNanos;

/// Ticks come a little early or late, so work that is due within this time is due now.
const SLACK: Duration = Duration::from_millis(50);

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

    /// Makes the work due one interval from now. Later calls change nothing.
    pub(super) fn start(&mut self, now: UnixNanos) {
        self.next.get_or_insert(now.after(self.every));
    }

    /// Whether the work is due; if so, the next interval begins. A timer that was not started is due at once.
    pub(super) fn is_due(&mut self, now: UnixNanos) -> bool {
        let due = self.next.is_none_or(|next| next <= now.after(SLACK));
        if due {
            self.next = Some(now.after(self.every));
        }
        due
    }

    pub(super) fn make_due(&mut self) {
        self.next = None;
    }
}
