//! Holds rows by their event time, closes windows and returns their rows.

use std::time::Duration;

use arrow_array::RecordBatch;
use pipeline::component::{Host, UnixNanos};
use pipeline::counters::Counter;
use pipeline::log_throttle::LogThrottle;
use pipeline::{Batch, Signal};
use tracing::warn;

use super::config::Window;
use super::window_buffer::{HoldOutcome, WindowBuffer};
use crate::query::{Query, WindowBounds};

/// The longest time between two ticks while rows are held.
const MAX_TICK: Duration = Duration::from_secs(1);

/// The rows of each signal.
type Tables = Vec<(Signal, Vec<RecordBatch>)>;

/// The open windows and their rows. Times are in nanoseconds since 1970, durations in nanoseconds.
pub(super) struct Windows {
    size: i64,
    every: i64,
    lateness: i64,
    max_bytes: usize,
    /// A buffer for each signal that the query reads.
    buffers: Vec<WindowBuffer>,
    /// The newest event time, and the time at which its row arrived. From then on, event time advances with real time,
    /// so that the last window closes even if no more rows arrive.
    newest: Option<(i64, UnixNanos)>,
    /// The end of the last closed window.
    last_end: Option<i64>,
    /// Whether all windows are due, since the processor shuts down.
    is_shutdown: bool,
    counts: WindowCounts,
    /// The component id, for log messages.
    id: String,
}

/// Counts of rows that are in no window, and of failed windows.
struct WindowCounts {
    late: Counter,
    without_time: Counter,
    no_room: Counter,
    failed: Counter,
    /// The rows in no window since the last warning.
    unreported: HoldOutcome,
    log: LogThrottle,
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

impl Windows {
    pub(super) fn new(window: &Window, query: &Query, host: &Host) -> Windows {
        let buffer = |signal: Signal| WindowBuffer::new(signal, query, &window.on);
        Windows {
            size: nanos(window.size),
            every: nanos(window.every),
            lateness: nanos(window.lateness),
            max_bytes: window.max_bytes,
            buffers: query.reads().iter().map(buffer).collect(),
            newest: None,
            last_end: None,
            is_shutdown: false,
            counts: WindowCounts {
                late: host.counter("late_rows"),
                without_time: host.counter("rows_without_time"),
                no_room: host.counter("rows_without_room"),
                failed: host.counter("failed_windows"),
                unreported: HoldOutcome::default(),
                log: LogThrottle::default(),
            },
            id: host.id().to_string(),
        }
    }

    /// The time until the next tick; `None` while no rows are held.
    pub(super) fn tick_within(&self) -> Option<Duration> {
        self.next_end()?;
        Some(Duration::from_nanos(self.every.unsigned_abs()).min(MAX_TICK))
    }

    /// Holds the rows of a batch until their windows are closed.
    pub(super) fn hold(&mut self, batch: &Batch, now: UnixNanos) {
        let used: usize = self.buffers.iter().map(WindowBuffer::bytes).sum();
        let room = self.max_bytes.saturating_sub(used);
        let earliest = self.earliest_needed();
        let Some(buffer) = self
            .buffers
            .iter_mut()
            .find(|buffer| buffer.signal == batch.signal())
        else {
            return;
        };
        let outcome = buffer.hold(batch, earliest, room);
        if let Some(newest) = outcome.newest {
            // A row dated in the future must not close windows early.
            let newest = newest.min(now.timestamp());
            let is_newer = self.event_time(now).is_none_or(|time| newest > time);
            if is_newer {
                self.newest = Some((newest, now));
            }
        }
        self.counts.add(&outcome);
        self.counts.warn(&self.id);
    }

    /// The current event time; `None` before the first row.
    fn event_time(&self, now: UnixNanos) -> Option<i64> {
        let (newest, arrived) = self.newest?;
        Some(newest.saturating_add(now.timestamp().saturating_sub(arrived.timestamp()).max(0)))
    }

    /// The start of the earliest open window; `None` if no window was closed yet.
    fn earliest_needed(&self) -> Option<i64> {
        let last_end = self.last_end?;
        Some(
            last_end
                .saturating_add(self.every)
                .saturating_sub(self.size),
        )
    }

    /// Makes all windows due at shutdown: [`Windows::next`] closes them without waiting.
    pub(super) fn close_all(&mut self) {
        self.is_shutdown = true;
    }

    /// Counts a window on which the query failed.
    pub(super) fn record_failure(&self) {
        self.counts.failed.add(1);
    }

    /// Closes the earliest window that has rows, if it is due, and returns its rows.
    pub(super) fn next(&mut self, now: UnixNanos) -> Option<(WindowBounds, Tables)> {
        let end = self.next_end()?;
        let until = self.event_time(now)?.saturating_sub(self.lateness);
        if end > until && !self.is_shutdown {
            return None;
        }
        let start = end.saturating_sub(self.size);
        let rows = self
            .buffers
            .iter()
            .map(|buffer| (buffer.signal, buffer.within(start, end)));
        let rows = rows.collect();
        self.last_end = Some(end);
        if let Some(start) = self.earliest_needed() {
            self.buffers
                .iter_mut()
                .for_each(|buffer| buffer.drop_before(start));
        }
        let time = |nanos: i64| UnixNanos(u64::try_from(nanos).unwrap_or(0));
        let window = WindowBounds {
            start: time(start),
            end: time(end),
        };
        Some((window, rows))
    }

    /// The end of the first open window that has a row. Ends are multiples of `every`.
    fn next_end(&self) -> Option<i64> {
        let oldest_needed = self
            .buffers
            .iter()
            .filter_map(WindowBuffer::oldest_needed)
            .min()?;
        let first = oldest_needed
            .div_euclid(self.every)
            .checked_add(1)?
            .checked_mul(self.every)?;
        Some(match self.last_end {
            Some(last_end) => first.max(last_end.saturating_add(self.every)),
            None => first,
        })
    }
}

impl WindowCounts {
    /// Counts the rows of a batch that are in no window.
    fn add(&mut self, outcome: &HoldOutcome) {
        self.late.add(outcome.late as u64);
        self.without_time.add(outcome.without_time as u64);
        self.no_room.add(outcome.no_room as u64);
        self.unreported.late += outcome.late;
        self.unreported.without_time += outcome.without_time;
        self.unreported.no_room += outcome.no_room;
    }

    /// Logs the rows that are in no window, if the throttle allows it.
    fn warn(&mut self, processor: &str) {
        if self.unreported == HoldOutcome::default() || self.log.allow().is_none() {
            return;
        }
        let HoldOutcome {
            late,
            without_time,
            no_room,
            ..
        } = std::mem::take(&mut self.unreported);
        warn!(%processor, late, without_time, no_room, "rows are in no window");
    }
}
