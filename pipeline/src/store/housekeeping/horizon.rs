//! The horizon: the times before which reports are rejected and rows are removed. It is a stored value that only grows.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{MARGIN, Retention};
use crate::Signal;
use crate::component::UnixNanos;
use crate::graph_store::{AsOf, TooOld};
use crate::reports::{RecordReport, ReportBatch};
use crate::store::Store;
use crate::store::rows::{Backend, ReadRows, RowsError, WriteRows};

/// The name of the stored value.
const STATE_NAME: &str = "horizon";

const HOUR: u64 = 60 * 60 * 1_000_000_000;

/// A part of the horizon is raised in steps of at least this fraction of its retention, so that housekeeping does not
/// walk over all nodes continuously.
const STEPS_PER_RETENTION: u64 = 64;

/// The oldest times of which rows are kept, as Unix nanoseconds; 0 if all rows are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Horizon {
    history: u64,
    edge_stats: u64,
    edge_stats_hourly: u64,
    records: u64,
}

impl Horizon {
    /// The oldest time as of which reads are accepted.
    pub fn history(&self) -> UnixNanos {
        UnixNanos(self.history)
    }

    /// The begin of an hour. Housekeeping sums edge statistics of earlier minutes to hours.
    pub fn edge_stats(&self) -> UnixNanos {
        UnixNanos(self.edge_stats)
    }

    /// Housekeeping removes edge statistics of earlier hours.
    pub fn edge_stats_hourly(&self) -> UnixNanos {
        UnixNanos(self.edge_stats_hourly)
    }

    /// Housekeeping removes records that were resolved before this time, and changes that were made before it.
    pub fn records(&self) -> UnixNanos {
        UnixNanos(self.records)
    }

    /// Claims that ended before this time may be removed: the history horizon minus the margin.
    pub(super) fn history_cutoff(&self) -> UnixNanos {
        minus_margin(self.history)
    }

    /// Returns the horizon as of `now`. A part that would move by less than a step stays.
    fn raised(self, now: UnixNanos, retention: &Retention) -> Horizon {
        let raise = |current: u64, kept: Duration, unit: u64| {
            let kept = u64::try_from(kept.as_nanos()).unwrap_or(u64::MAX);
            let due = now.0.saturating_sub(kept) / unit * unit;
            let step = (kept / STEPS_PER_RETENTION).max(1);
            match kept > 0 && due >= current.saturating_add(step) {
                true => due,
                false => current,
            }
        };
        Horizon {
            history: raise(self.history, retention.history, 1),
            edge_stats: raise(self.edge_stats, retention.edge_stats, HOUR),
            edge_stats_hourly: raise(self.edge_stats_hourly, retention.edge_stats_hourly, HOUR),
            records: raise(self.records, retention.records, 1),
        }
    }
}

/// Returns a time minus [`MARGIN`], at least 0.
pub(super) fn minus_margin(time: u64) -> UnixNanos {
    let margin = u64::try_from(MARGIN.as_nanos()).unwrap_or(u64::MAX);
    UnixNanos(time.saturating_sub(margin))
}

/// Returns the stored horizon.
pub(in crate::store) async fn read_horizon(rows: &mut impl ReadRows) -> Result<Horizon, RowsError> {
    let stored = rows.state(STATE_NAME).await?;
    let Some(stored) = stored else {
        return Ok(Horizon::default());
    };
    serde_json::from_slice(&stored).map_err(|error| RowsError {
        action: "read the horizon".to_owned(),
        is_retryable: false,
        source: error.into(),
    })
}

impl<B: Backend> Store<B> {
    /// Returns the horizon.
    ///
    /// # Errors
    /// If the backend fails.
    pub async fn horizon(&self) -> Result<Horizon, RowsError> {
        read_horizon(&mut self.backend.read().await?).await
    }

    /// Raises the horizon if it is due, before any row is removed. Returns the horizon.
    pub(super) async fn raise_horizon(
        &self,
        now: UnixNanos,
        retention: &Retention,
    ) -> Result<Horizon, RowsError> {
        let current = self.horizon().await?;
        if current.raised(now, retention) == current {
            return Ok(current);
        }
        let mut rows = self.backend.write().await?;
        // Another process may have raised the horizon since it was read.
        let raised = read_horizon(&mut rows).await?.raised(now, retention);
        let stored = serde_json::to_vec(&raised).unwrap_or_default();
        rows.put_state(STATE_NAME, &stored).await?;
        rows.commit().await?;
        Ok(raised)
    }
}

/// Fails with [`TooOld`] if a read is as of a time before the horizon.
pub(in crate::store) async fn check_horizon(
    rows: &mut impl ReadRows,
    at: AsOf,
) -> Result<(), RowsError> {
    let AsOf::Time(asked) = at else {
        return Ok(());
    };
    let oldest = read_horizon(rows).await?.history();
    if asked >= oldest {
        return Ok(());
    }
    Err(RowsError {
        action: "read as of a past time".to_owned(),
        is_retryable: false,
        source: TooOld { asked, oldest }.into(),
    })
}

/// The reports of a batch that are not older than the horizon.
pub(in crate::store) struct KeptReports<'a> {
    /// The kept reports; `None` if all are kept.
    pub(in crate::store) reports: Option<ReportBatch<'a>>,
    /// The number of dropped reports.
    pub(in crate::store) too_old: u64,
}

impl<'a> KeptReports<'a> {
    /// Splits a batch at the horizon.
    pub(in crate::store) fn of(reports: &ReportBatch<'a>, horizon: &Horizon) -> KeptReports<'a> {
        let too_old = horizon.too_old(reports);
        KeptReports {
            reports: (too_old > 0).then(|| kept_reports(reports, horizon)),
            too_old,
        }
    }
}

impl Horizon {
    /// Returns the number of reports that are older than the horizon. The store drops these.
    pub fn too_old(&self, reports: &ReportBatch<'_>) -> u64 {
        (count(reports) - count_kept(reports, self)) as u64
    }
}

/// Returns the time at which the retention of a record begins; `None` for a record that is open. A change is never
/// open.
pub(super) fn retained_from(
    signal: Signal,
    opened: UnixNanos,
    resolved: Option<UnixNanos>,
) -> Option<UnixNanos> {
    match signal {
        Signal::Changes => Some(opened),
        _ => resolved,
    }
}

fn keeps_record(record: &RecordReport<'_>, horizon: &Horizon) -> bool {
    let retained_from = retained_from(record.signal, record.opened, record.resolved);
    retained_from.is_none_or(|retained_from| retained_from >= horizon.records())
}

fn count(reports: &ReportBatch<'_>) -> usize {
    reports.sightings.len()
        + reports.removals.len()
        + reports.delete_events.len()
        + reports.completions.len()
        + reports.snapshots.len()
        + reports.edges.len()
        + reports.aliases.len()
        + reports.edge_stats.len()
        + reports.records.len()
}

fn count_kept(reports: &ReportBatch<'_>, horizon: &Horizon) -> usize {
    let (oldest, stats) = (horizon.history(), horizon.edge_stats());
    let kept =
        |times: &mut dyn Iterator<Item = UnixNanos>| times.filter(|it| *it >= oldest).count();
    kept(&mut reports.sightings.iter().map(|it| it.time))
        + kept(&mut reports.removals.iter().map(|it| it.time))
        + kept(&mut reports.delete_events.iter().map(|it| it.time))
        + kept(&mut reports.completions.iter().map(|it| it.began))
        + kept(&mut reports.snapshots.iter().map(|it| it.time))
        + kept(&mut reports.edges.iter().map(|it| it.time))
        + kept(&mut reports.aliases.iter().map(|it| it.time))
        + reports
            .edge_stats
            .iter()
            .filter(|it| it.minute >= stats)
            .count()
        + reports
            .records
            .iter()
            .filter(|it| keeps_record(it, horizon))
            .count()
}

fn kept_reports<'a>(reports: &ReportBatch<'a>, horizon: &Horizon) -> ReportBatch<'a> {
    let oldest = horizon.history();
    fn kept<T: Clone>(all: &[T], is_kept: impl Fn(&T) -> bool) -> Vec<T> {
        all.iter().filter(|it| is_kept(it)).cloned().collect()
    }
    ReportBatch {
        sightings: kept(&reports.sightings, |it| it.time >= oldest),
        removals: kept(&reports.removals, |it| it.time >= oldest),
        delete_events: kept(&reports.delete_events, |it| it.time >= oldest),
        completions: kept(&reports.completions, |it| it.began >= oldest),
        snapshots: kept(&reports.snapshots, |it| it.time >= oldest),
        edges: kept(&reports.edges, |it| it.time >= oldest),
        aliases: kept(&reports.aliases, |it| it.time >= oldest),
        edge_stats: kept(&reports.edge_stats, |it| it.minute >= horizon.edge_stats()),
        records: kept(&reports.records, |it| keeps_record(it, horizon)),
        rejected: reports.rejected,
        now: reports.now,
    }
}
