//! Closes windows by the event time of the rows, and returns their rows.

use std::time::Duration;

use arrow_array::RecordBatch;
use pipeline::component::{Host, UnixNanos};
use pipeline::counters::Counter;
use pipeline::{Batch, Signal};
use tracing::warn;

use super::config::Window;
use super::held::{HoldOutcome, WindowBuffer};
use crate::query::{Query, WindowBounds};

/// The shortest time between two warnings about rows that are in no window.
const WARNING_INTERVAL: Duration = Duration::from_secs(10);
const LONGEST_TICK: Duration = Duration::from_secs(1);

/// The rows of each signal.
type Tables = Vec<(Signal, Vec<RecordBatch>)>;

pub(super) struct Windows {
    size: i64,
    every: i64,
    lateness: i64,
    max_bytes: usize,
    held: Vec<WindowBuffer>,
    /// The newest event time, and when that row arrived. Event time then advances with real time, so that the
    /// last window closes even if no more rows arrive.
    newest: Option<(i64, UnixNanos)>,
    /// The end of the last closed window.
    last_end: Option<i64>,
    is_last: bool,
    counts: WindowCounts,
    id: String,
}

struct WindowCounts {
    late: Counter,
    without_time: Counter,
    no_room: Counter,
    failed: Counter,
    /// Rows in no window since the last warning.
    missed: HoldOutcome,
    warned: Option<UnixNanos>,
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

impl Windows {
    pub(super) fn new(window: &Window, query: &Query, host: &Host) -> Windows {
        let held = |signal: Signal| WindowBuffer::new(signal, query, &window.on);
        Windows {
            size: nanos(window.size),
            every: nanos(window.every),
            lateness: nanos(window.lateness),
            max_bytes: window.max_bytes,
            held: query.reads().iter().map(held).collect(),
            newest: None,
            last_end: None,
            is_last: false,
            counts: WindowCounts {
                late: host.counter("late_rows"),
                without_time: host.counter("rows_without_time"),
                no_room: host.counter("rows_without_room"),
                failed: host.counter("failed_windows"),
                missed: HoldOutcome::default(),
                warned: None,
            },
            id: host.id().to_string(),
        }
    }

    /// `None` while no rows are held.
    pub(super) fn tick_within(&self) -> Option<Duration> {
        self.next_end()?;
        Some(Duration::from_nanos(self.every.unsigned_abs()).min(LONGEST_TICK))
    }

    /// Holds the rows of a batch until their windows are closed.
    pub(super) fn hold(&mut self, batch: &Batch, now: UnixNanos) {
        let used: usize = self.held.iter().map(WindowBuffer::bytes).sum();
        let room = self.max_bytes.saturating_sub(used);
        let earliest = self.earliest_needed();
        let Some(held) = self
            .held
            .iter_mut()
            .find(|held| held.signal == batch.signal())
        else {
            return;
        };
        let outcome = held.hold(batch, earliest, room);
        if let Some(newest) = outcome.newest {
            // A row dated in the future must not close windows early.
            let newest = newest.min(now.timestamp());
            let is_newer = self.clock(now).is_none_or(|clock| newest > clock);
            if is_newer {
                self.newest = Some((newest, now));
            }
        }
        self.counts.add(&outcome);
        self.counts.warn(&self.id, now);
    }

    /// The current event time.
    fn clock(&self, now: UnixNanos) -> Option<i64> {
        let (newest, arrived) = self.newest?;
        Some(newest.saturating_add(now.timestamp().saturating_sub(arrived.timestamp()).max(0)))
    }

    /// The start of the earliest open window.
    fn earliest_needed(&self) -> Option<i64> {
        let last_end = self.last_end?;
        Some(
            last_end
                .saturating_add(self.every)
                .saturating_sub(self.size),
        )
    }

    /// Closes all windows, at shutdown: [`Windows::next`] no longer waits.
    pub(super) fn close_all(&mut self) {
        self.is_last = true;
    }

    pub(super) fn record_failure(&self) {
        self.counts.failed.add(1);
    }

    /// Closes the earliest window that has rows and waits for no more, and returns its rows.
    pub(super) fn next(&mut self, now: UnixNanos) -> Option<(WindowBounds, Tables)> {
        let end = self.next_end()?;
        let until = self.clock(now)?.saturating_sub(self.lateness);
        if end > until && !self.is_last {
            return None;
        }
        let start = end.saturating_sub(self.size);
        let rows = self
            .held
            .iter()
            .map(|held| (held.signal, held.within(start, end)));
        let rows = rows.collect();
        self.last_end = Some(end);
        if let Some(oldest_needed) = self.earliest_needed() {
            self.held
                .iter_mut()
                .for_each(|held| held.drop_before(oldest_needed));
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
        let earliest = self.held.iter().filter_map(WindowBuffer::earliest).min()?;
        let first = earliest
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
    fn add(&mut self, outcome: &HoldOutcome) {
        self.late.add(outcome.late as u64);
        self.without_time.add(outcome.without_time as u64);
        self.no_room.add(outcome.no_room as u64);
        self.missed.late += outcome.late;
        self.missed.without_time += outcome.without_time;
        self.missed.no_room += outcome.no_room;
    }

    fn warn(&mut self, processor: &str, now: UnixNanos) {
        let is_due = self
            .warned
            .is_none_or(|warned| now >= warned.after(WARNING_INTERVAL));
        if self.missed == HoldOutcome::default() || !is_due {
            return;
        }
        let HoldOutcome {
            late,
            without_time,
            no_room,
            ..
        } = std::mem::take(&mut self.missed);
        self.warned = Some(now);
        warn!(%processor, late, without_time, no_room, "rows are in no window");
    }
}
