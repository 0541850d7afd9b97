//! When something is to be done again.

use std::time::Duration;

use pipeline::component::UnixNanos;

/// Ticks come a little early or late: what is due this soon is due.
const SLACK: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) struct Clock {
    every: Duration,
    next: Option<UnixNanos>,
}

impl Clock {
    pub(super) fn new(every: Duration) -> Clock {
        Clock { every, next: None }
    }

    pub(super) fn every(&self) -> Duration {
        self.every
    }

    /// How long until it is due.
    pub(super) fn within(&self, now: UnixNanos) -> Duration {
        let next = self.next.map_or(0, |next| next.0.saturating_sub(now.0));
        Duration::from_nanos(next).min(self.every)
    }

    /// The first time is one interval from now; later calls change nothing.
    pub(super) fn start(&mut self, now: UnixNanos) {
        self.next.get_or_insert(now.after(self.every));
    }

    /// A clock that was not started is due at once.
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
