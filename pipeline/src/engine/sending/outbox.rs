//! Exports the batches of an outbox in order, several in one attempt. Retries each batch until the exporter
//! acknowledges it or rejects it permanently.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::{error, info};

use super::attempt::{ExporterPanic, ExporterSender};
use super::backoff::Backoff;
use crate::Batch;
use crate::component::{ErrorChain, ExportError, RowCounts};
use crate::engine::outbox::Outbox;
use crate::engine::task_set::TaskFailure;

/// The time limit of an attempt if the exporter has limited concurrency, even if it has no `timeout`.
const MAX_ATTEMPT: Duration = Duration::from_secs(60);

/// The maximum number of rows of a merged batch. Batches are merged for an exporter with unlimited concurrency that
/// does not support joint exports.
const MAX_MERGED_ROWS: usize = 1024;

/// Exports until the outbox is closed and empty, or until the shutdown deadline. The batches that are still in the
/// outbox at that deadline are lost, and the engine logs how many there are.
pub(in crate::engine) async fn export_outbox(
    sender: Arc<ExporterSender>,
    outbox: Outbox,
) -> Result<(), TaskFailure> {
    loop {
        let take = outbox.take(|before, first, next| sender.goes_with(before, first, next));
        let taken = sender.give_up.run_until_cancelled(take);
        let Some(batches) = taken.await.flatten() else {
            return Ok(());
        };
        if !sender.export_until_done(&batches, &outbox).await? {
            return Ok(());
        }
    }
}

impl ExporterSender {
    /// Whether `next` is exported in one attempt with the batches before it. `first` is the first of them, and `before`
    /// counts their rows.
    fn goes_with(&self, before: &RowCounts, first: &Batch, next: &Batch) -> bool {
        if self.accepts_several(first) {
            return self.exporter.can_join(before, next);
        }
        // Merging saves requests to a remote destination. An exporter with limited concurrency, such as `file`, sends
        // no requests.
        self.permits.is_none()
            && next.signal() == first.signal()
            && before.total() + next.num_rows() <= MAX_MERGED_ROWS
    }

    /// Whether other batches can join `first` in a joint export.
    fn accepts_several(&self, first: &Batch) -> bool {
        self.exporter.can_join(&RowCounts::default(), first)
    }

    /// Makes one attempt for all batches. If it fails, exports each batch alone, in order. Returns false at the
    /// shutdown deadline.
    async fn export_until_done(
        &self,
        batches: &[Batch],
        outbox: &Outbox,
    ) -> Result<bool, ExporterPanic> {
        if batches.len() > 1 {
            let attempt = self.attempt(self.export_all(batches), self.attempt_deadline());
            let Some(attempt) = self.give_up.run_until_cancelled(attempt).await else {
                return Ok(false);
            };
            if attempt?.is_ok() {
                for batch in batches {
                    self.counters.sent.add(batch.signal(), batch.num_rows());
                    outbox.complete_oldest();
                }
                return Ok(true);
            }
        }
        for batch in batches {
            if !self.export_one_until_done(batch).await? {
                return Ok(false);
            }
            outbox.complete_oldest();
        }
        Ok(true)
    }

    /// Exports all batches in one call of the exporter.
    async fn export_all(&self, batches: &[Batch]) -> Result<(), ExportError> {
        if self.accepts_several(&batches[0]) {
            return self.exporter.export_joint(batches).await;
        }
        match Batch::concat(batches.to_vec()) {
            Some(merged) => self.exporter.export(&merged).await,
            None => Ok(()),
        }
    }

    /// The deadline of an attempt, if it needs a permit. Without it, an attempt that hangs would never release the
    /// permit.
    fn attempt_deadline(&self) -> Option<Instant> {
        self.permits.as_ref().map(|_| Instant::now() + MAX_ATTEMPT)
    }

    /// Exports one batch and retries without a limit, unless `retry_on_failure` is off. Returns false at the shutdown
    /// deadline.
    async fn export_one_until_done(&self, batch: &Batch) -> Result<bool, ExporterPanic> {
        let (signal, rows) = (batch.signal(), batch.num_rows());
        let mut backoff = Backoff::new(&self.settings.retry_on_failure);
        loop {
            let attempt = self.attempt(self.exporter.export(batch), self.attempt_deadline());
            let Some(attempt) = self.give_up.run_until_cancelled(attempt).await else {
                return Ok(false);
            };
            let Err(failed) = attempt? else {
                self.counters.sent.add(signal, rows);
                return Ok(true);
            };
            let cause = ErrorChain(&failed).to_string();
            let after = match failed {
                ExportError::Retryable { after, .. } if self.settings.retry_on_failure.enabled => {
                    after
                }
                _ => {
                    self.counters.send_failed.add(signal, rows);
                    error!(exporter = %self.name, %signal, rows, cause, "rows lost: no sender can send them again");
                    return Ok(true);
                }
            };
            let wait = backoff.next(after);
            info!(exporter = %self.name, cause, wait = ?wait, "export failed, will retry");
            let waited = self.give_up.run_until_cancelled(sleep(wait));
            if waited.await.is_none() {
                return Ok(false);
            }
        }
    }
}
