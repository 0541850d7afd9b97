//! Buffers batches of one signal. Records when the first of them arrived and when they must be released.

use std::time::Duration;

use pipeline::Batch;
use pipeline::batch_buffer::BatchBuffer;
use pipeline::component::UnixNanos;

/// The buffer is released when it keeps this many bytes of memory alive.
const MAX_BYTES: usize = 8 << 20;

/// Batches of one signal that are held to be merged.
#[derive(Debug, Default)]
pub(super) struct TimedBuffer {
    held: BatchBuffer,
    /// `None` if the buffer is empty.
    times: Option<HoldTimes>,
}

/// The times of a buffer that is not empty.
#[derive(Clone, Copy, Debug)]
struct HoldTimes {
    /// The time at which the first of the held batches arrived.
    since: UnixNanos,
    /// The time at which the buffer must be released.
    due: UnixNanos,
}

impl TimedBuffer {
    /// Adds a batch that must be released at `due` at the latest.
    pub(super) fn add(&mut self, batch: Batch, now: UnixNanos, due: UnixNanos) {
        self.held.add(batch);
        let times = self.times.get_or_insert(HoldTimes { since: now, due });
        times.due = times.due.min(due);
    }

    /// The number of rows.
    pub(super) fn rows(&self) -> usize {
        self.held.rows()
    }

    /// Whether the buffer must be released because of its size.
    pub(super) fn is_too_large(&self) -> bool {
        self.held.bytes() >= MAX_BYTES
    }

    /// Whether the buffer must be released now, because of its time or because the clock was set back.
    pub(super) fn is_due(&self, now: UnixNanos) -> bool {
        self.times
            .is_some_and(|times| times.due <= now || now < times.since)
    }

    /// The time until the buffer is due; `None` if the buffer is empty.
    pub(super) fn time_until_due(&self, now: UnixNanos) -> Option<Duration> {
        self.times.map(|times| time_until(times.due, now))
    }

    /// Whether the buffer has held rows for at least `linger`, or the clock was set back.
    pub(super) fn has_lingered(&self, now: UnixNanos, linger: Duration) -> bool {
        self.times
            .is_some_and(|times| times.since + linger <= now || now < times.since)
    }

    /// The time until [`TimedBuffer::has_lingered`]; `None` if the buffer is empty or has already lingered.
    pub(super) fn time_until_lingered(&self, now: UnixNanos, linger: Duration) -> Option<Duration> {
        let times = self.times.filter(|_| !self.has_lingered(now, linger))?;
        Some(time_until(times.since + linger, now))
    }

    /// Takes rows as [`BatchBuffer::take`] does. The rows that stay keep their due time.
    pub(super) fn take(&mut self, max_rows: usize) -> Option<Batch> {
        let taken = self.held.take(max_rows);
        if self.held.is_empty() {
            self.times = None;
        }
        taken
    }

    /// Takes all rows in batches of at most `max_rows`, as [`BatchBuffer::take_all`] does.
    pub(super) fn take_all(&mut self, max_rows: usize) -> Vec<Batch> {
        self.times = None;
        self.held.take_all(max_rows)
    }
}

fn time_until(time: UnixNanos, now: UnixNanos) -> Duration {
    Duration::from_nanos(time.0.saturating_sub(now.0))
}
