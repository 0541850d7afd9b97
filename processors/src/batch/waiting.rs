//! What is held, and since when.

use std::time::Duration;

use pipeline::Batch;
use pipeline::component::UnixNanos;
use pipeline::held::Held;

/// What is held of one signal keeps about this much alive at most, in bytes.
const MOST_BYTES: usize = 8 << 20;

/// Batches of one signal that wait for more.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    held: Held,
    times: Option<Times>,
}

#[derive(Clone, Copy, Debug)]
struct Times {
    since: UnixNanos,
    due: UnixNanos,
}

impl Waiting {
    pub(super) fn add(&mut self, batch: Batch, now: UnixNanos, due: UnixNanos) {
        self.held.add(batch);
        let times = self.times.get_or_insert(Times { since: now, due });
        times.due = times.due.min(due);
    }

    pub(super) fn rows(&self) -> usize {
        self.held.rows()
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.held.bytes() >= MOST_BYTES
    }

    /// A clock that was set back makes it due.
    pub(super) fn is_due(&self, now: UnixNanos) -> bool {
        self.times
            .is_some_and(|times| times.due <= now || now < times.since)
    }

    /// None where nothing is held.
    pub(super) fn due_within(&self, now: UnixNanos) -> Option<Duration> {
        self.times.map(|times| until(times.due, now))
    }

    /// Whether it is held, and has been for `linger`.
    pub(super) fn has_lingered(&self, now: UnixNanos, linger: Duration) -> bool {
        self.times
            .is_some_and(|times| times.since.after(linger) <= now || now < times.since)
    }

    /// None where nothing is held, or it has been for `linger`.
    pub(super) fn lingers_for(&self, now: UnixNanos, linger: Duration) -> Option<Duration> {
        let times = self.times.filter(|_| !self.has_lingered(now, linger))?;
        Some(until(times.since.after(linger), now))
    }

    /// As [`Held::take`]. When what stays is due does not change.
    pub(super) fn take(&mut self, most: usize) -> Option<Batch> {
        let taken = self.held.take(most);
        if self.held.is_empty() {
            self.times = None;
        }
        taken
    }

    pub(super) fn take_all(&mut self, most: usize) -> Vec<Batch> {
        self.times = None;
        self.held.take_all(most)
    }
}

fn until(time: UnixNanos, now: UnixNanos) -> Duration {
    Duration::from_nanos(time.0.saturating_sub(now.0))
}
