//! The graph store: one logic over any backend that keeps rows.
//!
//! ```text
//!  ReportBatch ──write/──▶ rows of a Backend ──read/──▶ GraphStore
//! ```

use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Duration;

mod check;
mod follow;
mod housekeeping;
mod inspect;
mod leases;
mod log_entry;
pub mod memory;
mod read;
mod release;
pub mod rows;
mod snapshot;
mod texts;
mod words;
mod write;

use crate::component::UnixNanos;
use crate::graph_store::Commit;
use crate::reports::ReportBatch;
pub use check::{CheckReport, Difference, Table};
use follow::Subscribers;
use housekeeping::{Evidence, Rounds, read_horizon};
pub use housekeeping::{Horizon, Progress, Retention, StoreFigures};
pub use inspect::Inspection;
pub use release::{ReleaseError, ReleasedScope};
use rows::{Backend, RowsError, WriteRows};
pub use write::Counted;

/// A graph kept by a backend.
#[derive(Debug)]
pub struct Store<B> {
    backend: B,
    settings: Settings,
    subscribers: Subscribers,
    /// Marks the commits of this store, so that it knows them in the log.
    writer: u64,
    /// The part of housekeeping whose turn is next.
    next_part: AtomicUsize,
    scope_rounds: Rounds,
    /// When this store last took its turn to keep house, in nanoseconds.
    turn_taken: AtomicU64,
}

/// What a transaction of several batches did.
#[derive(Debug)]
pub struct Written {
    pub commit: Commit,
    /// See [`Counted`].
    pub late_completions: u64,
    /// Of each batch, see [`Counted`].
    pub too_old: Vec<u64>,
    /// What of a part of a batch was too old: [`Horizon::too_old`].
    pub horizon: Horizon,
}

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long an edge that was seen by itself, and a node that only telemetry names, is current after
    /// it was last seen; for ever where zero.
    pub seen_for: Duration,
}

impl<B: Backend> Store<B> {
    pub fn new(backend: B, settings: Settings) -> Store<B> {
        Store {
            backend,
            settings,
            subscribers: Subscribers::new(),
            writer: rand::random_range(1..=u64::MAX),
            next_part: AtomicUsize::new(0),
            scope_rounds: Rounds::default(),
            turn_taken: AtomicU64::new(0),
        }
    }

    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// Writes all that a batch reports, in a transaction of the caller: it is neither durable nor announced.
    ///
    /// # Errors
    /// When the transaction must not be committed.
    pub async fn write_in(
        rows: &mut B::Write,
        reports: &ReportBatch<'_>,
        now: UnixNanos,
    ) -> Result<(Commit, Counted), RowsError> {
        write::write(rows, reports, now).await
    }

    /// Writes all that a batch reports, durably.
    ///
    /// # Errors
    /// When nothing of it was written.
    pub async fn write(&self, reports: &ReportBatch<'_>) -> Result<(Commit, Counted), RowsError> {
        self.write_at(reports, UnixNanos::now()).await
    }

    /// Likewise, with a clock that says `now`.
    ///
    /// # Errors
    /// When nothing of it was written.
    pub async fn write_at(
        &self,
        reports: &ReportBatch<'_>,
        now: UnixNanos,
    ) -> Result<(Commit, Counted), RowsError> {
        let written = self.write_together(vec![reports.clone()], now).await?;
        let too_old = written.too_old.iter().sum();
        let late_completions = written.late_completions;
        Ok((
            written.commit,
            Counted {
                late_completions,
                too_old,
            },
        ))
    }

    /// Writes all that several batches report, durably, in one transaction.
    ///
    /// # Errors
    /// When nothing of it was written.
    pub async fn write_together(
        &self,
        batches: Vec<ReportBatch<'_>>,
        now: UnixNanos,
    ) -> Result<Written, RowsError> {
        let mut rows = self.backend.write().await?;
        let mut all = ReportBatch {
            now: Some(now),
            ..ReportBatch::default()
        };
        // Housekeeping may be removing what is older: nothing is written there any more.
        let horizon = read_horizon(&mut rows).await?;
        let mut too_old = Vec::with_capacity(batches.len());
        for reports in batches {
            let evidence = Evidence::of(&reports, &horizon);
            too_old.push(evidence.too_old);
            all.append(evidence.kept.unwrap_or(reports));
        }
        let (commit, counted) = write::write(&mut rows, &all, now).await?;
        Ok(Written {
            commit: self.finish(rows, commit).await?,
            late_completions: counted.late_completions,
            too_old,
            horizon,
        })
    }

    /// Commits, and sends what is new to the subscribers.
    async fn finish(&self, mut rows: B::Write, mut commit: Commit) -> Result<Commit, RowsError> {
        commit.truncate();
        (commit.writer, commit.is_own) = (self.writer, true);
        if commit.is_empty() {
            rows.commit().await?;
            return Ok(commit);
        }
        commit.sequence = rows.append_commit(&log_entry::encode(&commit)).await?;
        rows.commit().await?;
        self.publish(&commit);
        Ok(commit)
    }
}

#[cfg(test)]
mod tests;
