//! Sends what waits in an outbox: in order, several batches in one attempt, and each until it is taken or
//! refused for good.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::{error, info};

use super::attempt::{Panicked, Sending};
use super::backoff::Backoff;
use crate::Batch;
use crate::component::{Chain, ExportError, RowCounts};
use crate::engine::crew::Failure;
use crate::engine::outbox::Outbox;

/// How long an attempt may take at an exporter of few batches at a time, also without a `timeout`.
const LONGEST: Duration = Duration::from_secs(60);

/// Rows that are sent as one batch to an exporter that does not take several together.
const MERGED: usize = 1024;

/// Runs until the outbox is closed and empty, or a stop has taken too long: what it holds then is lost, which
/// the engine logs at its end.
pub(in crate::engine) async fn empty(sending: Arc<Sending>, outbox: Outbox) -> Result<(), Failure> {
    loop {
        let take = outbox.take(|before, first, next| sending.goes_with(before, first, next));
        let taken = sending.give_up.run_until_cancelled(take);
        let Some(batches) = taken.await.flatten() else {
            return Ok(());
        };
        match sending.all_until_taken(&batches, &outbox).await {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(Panicked(message)) => {
                let component = None;
                return Err(Failure::Panicked { component, message });
            }
        }
    }
}

impl Sending {
    fn goes_with(&self, before: &RowCounts, first: &Batch, next: &Batch) -> bool {
        match self.takes_several(first) {
            true => self.exporter.joins(before, next),
            false => next.signal() == first.signal() && before.total() + next.num_rows() <= MERGED,
        }
    }

    fn takes_several(&self, first: &Batch) -> bool {
        self.exporter.joins(&RowCounts::default(), first)
    }

    /// Makes one attempt for all batches. If it fails, each is sent by itself, in order. False where a stop has
    /// taken too long.
    async fn all_until_taken(&self, batches: &[Batch], outbox: &Outbox) -> Result<bool, Panicked> {
        if batches.len() > 1 {
            let attempt = self.attempt(self.export_all(batches), self.longest());
            let Some(attempt) = self.give_up.run_until_cancelled(attempt).await else {
                return Ok(false);
            };
            if attempt?.is_ok() {
                for batch in batches {
                    self.counters.sent.add(batch.signal(), batch.num_rows());
                    outbox.done();
                }
                return Ok(true);
            }
        }
        for batch in batches {
            if !self.until_taken(batch).await? {
                return Ok(false);
            }
            outbox.done();
        }
        Ok(true)
    }

    async fn export_all(&self, batches: &[Batch]) -> Result<(), ExportError> {
        if self.takes_several(&batches[0]) {
            return self.exporter.export_together(batches).await;
        }
        match Batch::concat(batches.to_vec()) {
            Some(merged) => self.exporter.export(&merged).await,
            None => Ok(()),
        }
    }

    /// Without a timeout an attempt that hangs would keep all others from their turn.
    fn longest(&self) -> Option<Instant> {
        self.turns.as_ref().map(|_| Instant::now() + LONGEST)
    }

    /// Whether the batch is done with; not where a stop has taken too long. There is no end to attempts, unless
    /// `retry_on_failure` is off.
    async fn until_taken(&self, batch: &Batch) -> Result<bool, Panicked> {
        let (signal, rows) = (batch.signal(), batch.num_rows());
        let mut backoff = Backoff::new(&self.settings.retry_on_failure);
        loop {
            let attempt = self.attempt(self.exporter.export(batch), self.longest());
            let Some(attempt) = self.give_up.run_until_cancelled(attempt).await else {
                return Ok(false);
            };
            let Err(failed) = attempt? else {
                self.counters.sent.add(signal, rows);
                return Ok(true);
            };
            let cause = Chain(&failed).to_string();
            let after = match failed {
                ExportError::Retryable { after, .. } if self.settings.retry_on_failure.enabled => {
                    after
                }
                _ => {
                    self.counters.send_failed.add(signal, rows);
                    error!(exporter = %self.name, %signal, rows, cause, "lost: no sender waits for it");
                    return Ok(true);
                }
            };
            let wait = backoff.next(after);
            info!(exporter = %self.name, cause, wait = ?wait, "sending again");
            let waited = self.give_up.run_until_cancelled(sleep(wait));
            if waited.await.is_none() {
                return Ok(false);
            }
        }
    }
}
