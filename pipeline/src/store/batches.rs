//! Writes batches of reports, each call in one transaction, and publishes the commit.

use super::housekeeping::{KeptReports, read_horizon};
use super::rows::{Backend, RowsError, WriteRows};
use super::write::{DroppedReports, write_reports};
use super::{Horizon, Store, log_entry};
use crate::component::UnixNanos;
use crate::graph_store::Commit;
use crate::reports::ReportBatch;

/// The result of a transaction that wrote several batches.
#[derive(Debug)]
pub struct WriteOutcome {
    pub commit: Commit,
    /// [`DroppedReports::late_completions`] of all batches together.
    pub late_completions: u64,
    /// [`DroppedReports::too_old`] of each batch, in the order of the batches.
    pub too_old: Vec<u64>,
    /// The horizon that the transaction applied. With it, [`Horizon::too_old`] counts the dropped reports of a part of
    /// a batch.
    pub horizon: Horizon,
}

impl<B: Backend> Store<B> {
    /// Writes the reports of a batch in a transaction of the caller. It neither commits nor publishes them.
    ///
    /// # Errors
    /// When the backend fails. The caller must then drop the transaction without a commit.
    pub async fn write_in_transaction(
        rows: &mut B::Write,
        reports: &ReportBatch<'_>,
        now: UnixNanos,
    ) -> Result<(Commit, DroppedReports), RowsError> {
        write_reports(rows, reports, now).await
    }

    /// Writes the reports of a batch; they are durable on return.
    ///
    /// # Errors
    /// When the backend fails. Nothing is written then.
    pub async fn write(
        &self,
        reports: &ReportBatch<'_>,
    ) -> Result<(Commit, DroppedReports), RowsError> {
        self.write_at(reports, UnixNanos::now()).await
    }

    /// Like [`Store::write`], with `now` as the time of the store's clock.
    ///
    /// # Errors
    /// When the backend fails. Nothing is written then.
    pub async fn write_at(
        &self,
        reports: &ReportBatch<'_>,
        now: UnixNanos,
    ) -> Result<(Commit, DroppedReports), RowsError> {
        let written = self.write_batches(vec![reports.clone()], now).await?;
        let dropped = DroppedReports {
            late_completions: written.late_completions,
            too_old: written.too_old.iter().sum(),
        };
        Ok((written.commit, dropped))
    }

    /// Writes the reports of several batches in one transaction; they are durable on return.
    ///
    /// # Errors
    /// When the backend fails. Nothing is written then.
    pub async fn write_batches(
        &self,
        batches: Vec<ReportBatch<'_>>,
        now: UnixNanos,
    ) -> Result<WriteOutcome, RowsError> {
        let mut rows = self.backend.write().await?;
        let mut all = ReportBatch {
            now: Some(now),
            ..ReportBatch::default()
        };
        // Housekeeping may be removing rows from before the horizon, so no transaction may write such rows.
        let horizon = read_horizon(&mut rows).await?;
        let mut too_old = Vec::with_capacity(batches.len());
        for reports in batches {
            let kept = KeptReports::of(&reports, &horizon);
            too_old.push(kept.too_old);
            all.append(kept.reports.unwrap_or(reports));
        }
        let (commit, dropped) = write_reports(&mut rows, &all, now).await?;
        Ok(WriteOutcome {
            commit: self.commit_and_publish(rows, commit).await?,
            late_completions: dropped.late_completions,
            too_old,
            horizon,
        })
    }

    /// Commits the transaction. Unless `commit` is empty, appends it to the log of commits and publishes it to the
    /// subscribers.
    pub(super) async fn commit_and_publish(
        &self,
        mut rows: B::Write,
        mut commit: Commit,
    ) -> Result<Commit, RowsError> {
        commit.truncate();
        (commit.writer, commit.is_own) = (self.writer_id, true);
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
