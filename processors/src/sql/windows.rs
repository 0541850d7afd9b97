//! Which window is over, by the rows' own time, and with which rows.

use std::time::Duration;

use arrow_array::RecordBatch;
use pipeline::component::{Host, UnixNanos};
use pipeline::counters::Counter;
use pipeline::{Batch, Signal};
use tracing::warn;

use super::config::Window;
use super::held::{Held, Kept};
use crate::query::{Query, Span};

/// How often it is said at most that rows are not seen by any window.
const WARNING: Duration = Duration::from_secs(10);
const LONGEST_TICK: Duration = Duration::from_secs(1);

/// The rows of each signal.
type Tables = Vec<(Signal, Vec<RecordBatch>)>;

pub(super) struct Windows {
    size: i64,
    every: i64,
    lateness: i64,
    max_bytes: usize,
    held: Vec<Held>,
    /// The newest time of a row, and when that came. The rows' clock goes on from there as real
    /// time does, so that the last window ends though nothing comes any more.
    newest: Option<(i64, UnixNanos)>,
    /// The end of the window that was asked last.
    asked_until: Option<i64>,
    is_last: bool,
    counts: Counts,
    id: String,
}

struct Counts {
    late: Counter,
    without_time: Counter,
    no_room: Counter,
    failed: Counter,
    /// Since the last warning.
    missed: Kept,
    warned: Option<UnixNanos>,
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

impl Windows {
    pub(super) fn new(window: &Window, query: &Query, host: &Host) -> Windows {
        let held = |signal: Signal| Held::new(signal, query, &window.on);
        Windows {
            size: nanos(window.size),
            every: nanos(window.every),
            lateness: nanos(window.lateness),
            max_bytes: window.max_bytes,
            held: query.reads().iter().map(held).collect(),
            newest: None,
            asked_until: None,
            is_last: false,
            counts: Counts {
                late: host.counter("late_rows"),
                without_time: host.counter("rows_without_time"),
                no_room: host.counter("rows_without_room"),
                failed: host.counter("failed_windows"),
                missed: Kept::default(),
                warned: None,
            },
            id: host.id().to_string(),
        }
    }

    /// None while no window has rows.
    pub(super) fn tick_within(&self) -> Option<Duration> {
        self.next_end()?;
        Some(Duration::from_nanos(self.every.unsigned_abs()).min(LONGEST_TICK))
    }

    /// Keeps the rows until their windows are over.
    pub(super) fn hold(&mut self, batch: &Batch, now: UnixNanos) {
        let used: usize = self.held.iter().map(Held::bytes).sum();
        let room = self.max_bytes.saturating_sub(used);
        let earliest = self.earliest_awaited();
        let Some(held) = self
            .held
            .iter_mut()
            .find(|held| held.signal == batch.signal())
        else {
            return;
        };
        let kept = held.keep(batch, earliest, room);
        if let Some(newest) = kept.newest {
            // A row of the future must not end the present.
            let newest = newest.min(now.timestamp());
            let is_newer = self.clock(now).is_none_or(|clock| newest > clock);
            if is_newer {
                self.newest = Some((newest, now));
            }
        }
        self.counts.add(&kept);
        self.counts.warn(&self.id, now);
    }

    /// The time that the rows have reached.
    fn clock(&self, now: UnixNanos) -> Option<i64> {
        let (newest, came) = self.newest?;
        Some(newest.saturating_add(now.timestamp().saturating_sub(came.timestamp()).max(0)))
    }

    /// The start of the earliest window that is still to be asked.
    fn earliest_awaited(&self) -> Option<i64> {
        let asked_until = self.asked_until?;
        Some(
            asked_until
                .saturating_add(self.every)
                .saturating_sub(self.size),
        )
    }

    /// From now on every window is over.
    pub(super) fn nothing_comes_any_more(&mut self) {
        self.is_last = true;
    }

    pub(super) fn failed(&self) {
        self.counts.failed.add(1);
    }

    /// The earliest window that has rows and expects no more, and its rows.
    pub(super) fn next(&mut self, now: UnixNanos) -> Option<(Span, Tables)> {
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
        self.asked_until = Some(end);
        if let Some(awaited) = self.earliest_awaited() {
            self.held
                .iter_mut()
                .for_each(|held| held.forget_before(awaited));
        }
        let time = |nanos: i64| UnixNanos(u64::try_from(nanos).unwrap_or(0));
        let window = Span {
            start: time(start),
            end: time(end),
        };
        Some((window, rows))
    }

    /// The end of the first window after those asked that has a row. Ends are multiples of `every`.
    fn next_end(&self) -> Option<i64> {
        let earliest = self.held.iter().filter_map(Held::earliest).min()?;
        let first = earliest
            .div_euclid(self.every)
            .checked_add(1)?
            .checked_mul(self.every)?;
        Some(match self.asked_until {
            Some(asked_until) => first.max(asked_until.saturating_add(self.every)),
            None => first,
        })
    }
}

impl Counts {
    fn add(&mut self, kept: &Kept) {
        self.late.add(kept.late as u64);
        self.without_time.add(kept.without_time as u64);
        self.no_room.add(kept.no_room as u64);
        self.missed.late += kept.late;
        self.missed.without_time += kept.without_time;
        self.missed.no_room += kept.no_room;
    }

    fn warn(&mut self, processor: &str, now: UnixNanos) {
        let is_due = self
            .warned
            .is_none_or(|warned| now >= warned.after(WARNING));
        if self.missed == Kept::default() || !is_due {
            return;
        }
        let Kept {
            late,
            without_time,
            no_room,
            ..
        } = std::mem::take(&mut self.missed);
        self.warned = Some(now);
        warn!(%processor, late, without_time, no_room, "rows are seen by no window");
    }
}
