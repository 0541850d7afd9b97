//! Sends what waits in an outbox: in order, and each batch until it is taken or refused for good.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::{error, info};

use super::attempt::{Panicked, Sending};
use super::backoff::Backoff;
use crate::Batch;
use crate::component::{Chain, ExportError};
use crate::engine::crew::Failure;
use crate::engine::outbox::Outbox;

/// How long an attempt may take at an exporter of few batches at a time, also without a `timeout`.
const LONGEST: Duration = Duration::from_secs(60);

/// Runs until the outbox is closed and empty, or a stop has taken too long: what it holds then is lost, which
/// the engine logs at its end.
pub(in crate::engine) async fn empty(sending: Arc<Sending>, outbox: Outbox) -> Result<(), Failure> {
    let take = sending.give_up.run_until_cancelled(outbox.take());
    let mut next = take.await.flatten();
    while let Some(batch) = next {
        match sending.until_taken(&batch).await {
            Ok(true) => outbox.done(),
            Ok(false) => break,
            Err(Panicked(message)) => {
                let component = None;
                return Err(Failure::Panicked { component, message });
            }
        }
        let take = sending.give_up.run_until_cancelled(outbox.take());
        next = take.await.flatten();
    }
    Ok(())
}

impl Sending {
    /// Whether the batch is done with; not where a stop has taken too long. There is no end to attempts, unless
    /// `retry_on_failure` is off.
    async fn until_taken(&self, batch: &Batch) -> Result<bool, Panicked> {
        let (signal, rows) = (batch.signal(), batch.num_rows());
        let mut backoff = Backoff::new(&self.settings.retry_on_failure);
        loop {
            // Without a timeout an attempt that hangs would keep all others from their turn.
            let until = self.turns.as_ref().map(|_| Instant::now() + LONGEST);
            let attempt = self.attempt(self.exporter.export(batch), until);
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
