//! Before which times nothing is kept: a stored row, which only grows.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::Store;
use super::super::rows::{Backend, ReadRows, RowsError, WriteRows};
use super::{MARGIN, Retention};
use crate::Signal;
use crate::component::UnixNanos;
use crate::graph_store::{At, TooOld};
use crate::reports::{Record, ReportBatch};

/// Under which it is stored.
const NAME: &str = "horizon";

const HOUR: u64 = 60 * 60 * 1_000_000_000;

/// It is raised once this share of a retention has passed, so that nodes are not walked all the time.
const SHARE: u64 = 64;

/// The oldest times that are kept; 0 where all are. As stored: nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Horizon {
    history: u64,
    edge_stats: u64,
    edge_stats_hourly: u64,
    records: u64,
}

impl Horizon {
    /// The oldest moment that reads may be about.
    pub fn history(&self) -> UnixNanos {
        UnixNanos(self.history)
    }

    /// Minutes before it are hours, or are going to be; the begin of an hour.
    pub fn edge_stats(&self) -> UnixNanos {
        UnixNanos(self.edge_stats)
    }

    pub fn edge_stats_hourly(&self) -> UnixNanos {
        UnixNanos(self.edge_stats_hourly)
    }

    pub fn records(&self) -> UnixNanos {
        UnixNanos(self.records)
    }

    /// What ended before it may be removed.
    pub(super) fn cut(&self) -> UnixNanos {
        below(self.history)
    }

    /// The horizon that is due. Each part that moves at all moves by a fair step.
    fn raised(self, now: UnixNanos, retention: &Retention) -> Horizon {
        let raise = |known: u64, kept: Duration, unit: u64| {
            let kept = u64::try_from(kept.as_nanos()).unwrap_or(u64::MAX);
            let due = now.0.saturating_sub(kept) / unit * unit;
            let step = (kept / SHARE).max(1);
            match kept > 0 && due >= known.saturating_add(step) {
                true => due,
                false => known,
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

/// A time less the margin; 0 for 0.
pub(super) fn below(time: u64) -> UnixNanos {
    let margin = u64::try_from(MARGIN.as_nanos()).unwrap_or(u64::MAX);
    UnixNanos(time.saturating_sub(margin))
}

pub(in crate::store) async fn read(rows: &mut impl ReadRows) -> Result<Horizon, RowsError> {
    let stored = rows.state(NAME).await?;
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
    /// Before which times nothing is kept.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn horizon(&self) -> Result<Horizon, RowsError> {
        read(&mut self.backend.read().await?).await
    }

    /// Raises the horizon where that is due, before anything is removed.
    pub(super) async fn raise_horizon(
        &self,
        now: UnixNanos,
        retention: &Retention,
    ) -> Result<Horizon, RowsError> {
        let known = self.horizon().await?;
        if known.raised(now, retention) == known {
            return Ok(known);
        }
        let mut rows = self.backend.write().await?;
        // Another process may have raised it meanwhile.
        let raised = read(&mut rows).await?.raised(now, retention);
        let stored = serde_json::to_vec(&raised).unwrap_or_default();
        rows.put_state(NAME, &stored).await?;
        rows.commit().await?;
        Ok(raised)
    }
}

/// Rejects a moment before the horizon.
pub(in crate::store) async fn check(rows: &mut impl ReadRows, at: At) -> Result<(), RowsError> {
    let At::Time(asked) = at else {
        return Ok(());
    };
    let oldest = read(rows).await?.history();
    if asked >= oldest {
        return Ok(());
    }
    Err(RowsError {
        action: "read the past".to_owned(),
        is_retryable: false,
        source: TooOld { asked, oldest }.into(),
    })
}

/// What of a batch is not older than the horizon.
pub(in crate::store) struct Evidence<'a> {
    /// None where that is all.
    pub(in crate::store) kept: Option<ReportBatch<'a>>,
    pub(in crate::store) too_old: u64,
}

impl<'a> Evidence<'a> {
    pub(in crate::store) fn of(reports: &ReportBatch<'a>, horizon: &Horizon) -> Evidence<'a> {
        let too_old = horizon.too_old(reports);
        Evidence {
            kept: (too_old > 0).then(|| only_kept(reports, horizon)),
            too_old,
        }
    }
}

impl Horizon {
    /// How many reports are older, so that they are rejected.
    pub fn too_old(&self, reports: &ReportBatch<'_>) -> u64 {
        (count(reports) - count_kept(reports, self)) as u64
    }
}

/// When a record is over; none for one that is open.
pub(super) fn over(
    signal: Signal,
    opened: UnixNanos,
    resolved: Option<UnixNanos>,
) -> Option<UnixNanos> {
    match signal {
        Signal::Changes => Some(opened),
        _ => resolved,
    }
}

fn is_kept_record(record: &Record<'_>, horizon: &Horizon) -> bool {
    let over = over(record.signal, record.opened, record.resolved);
    over.is_none_or(|over| over >= horizon.records())
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
            .filter(|it| is_kept_record(it, horizon))
            .count()
}

fn only_kept<'a>(reports: &ReportBatch<'a>, horizon: &Horizon) -> ReportBatch<'a> {
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
        records: kept(&reports.records, |it| is_kept_record(it, horizon)),
        rejected: reports.rejected,
        now: reports.now,
    }
}
