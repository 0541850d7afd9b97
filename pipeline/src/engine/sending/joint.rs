//! Sends several queued batches in one joint attempt.
//!
//! If the joint attempt fails, each batch is sent alone, with retries as configured. So the rows of one sender do not
//! fail those of another, and each sender gets the reason for its own rows.

use tokio::time::Instant;
use tracing::info;

use super::attempt::{ExporterPanic, HeldBatch, Sending};
use crate::Batch;
use crate::component::ErrorChain;

impl Sending {
    /// Sends batches, in their order: several in a joint attempt first.
    pub(super) async fn send_joint(&self, batches: Vec<Batch>) -> Result<(), ExporterPanic> {
        let held = batches.into_iter().map(|batch| self.hold(batch));
        let mut pending: Vec<HeldBatch<'_>> = held.collect();
        let now = Instant::now();
        // A sender sends again after its deadline, so its rows are refused below instead of exported with the others.
        let is_late = |it: &HeldBatch<'_>| {
            let deadline = self.retry_deadline(&it.batch);
            deadline.is_some_and(|deadline| deadline <= now)
        };
        let late: Vec<HeldBatch<'_>> = pending.extract_if(.., |it| is_late(it)).collect();
        if pending.len() > 1 {
            match self.attempt_joint(&pending).await {
                Ok(false) => {}
                Ok(true) => {
                    for held in pending.drain(..) {
                        let batch = held.release();
                        self.counters.sent.add(batch.signal(), batch.num_rows());
                    }
                }
                Err(panic) => {
                    let all = late.into_iter().chain(pending);
                    all.for_each(|held| self.refuse_panicked(&held.release()));
                    return Err(panic);
                }
            }
        }
        self.send_in_turn(late.into_iter().chain(pending)).await
    }

    /// Sends batches one after the other.
    pub(super) async fn send_each(&self, batches: Vec<Batch>) -> Result<(), ExporterPanic> {
        let held: Vec<HeldBatch<'_>> = batches.into_iter().map(|batch| self.hold(batch)).collect();
        self.send_in_turn(held.into_iter()).await
    }

    async fn send_in_turn(
        &self,
        mut batches: impl Iterator<Item = HeldBatch<'_>>,
    ) -> Result<(), ExporterPanic> {
        while let Some(held) = batches.next() {
            if let Err(panic) = self.send(held).await {
                batches.for_each(|held| self.refuse_panicked(&held.release()));
                return Err(panic);
            }
        }
        Ok(())
    }

    /// Makes one attempt for all batches, until the last of the senders' deadlines. A sender with an earlier deadline
    /// gets a reply from its receiver. Returns whether all batches are durable.
    async fn attempt_joint(&self, held: &[HeldBatch<'_>]) -> Result<bool, ExporterPanic> {
        let batches: Vec<Batch> = held.iter().map(|it| it.batch.clone()).collect();
        let deadlines = batches.iter().map(|batch| self.retry_deadline(batch));
        // There is no deadline if one batch has none.
        let until = deadlines
            .reduce(|one, other| one.zip(other).map(|(one, other)| one.max(other)))
            .flatten();
        let export = self.exporter.export_together(&batches);
        let sent = tokio::select! {
            biased;
            () = self.give_up.cancelled() => return Ok(false),
            sent = self.attempt(export, until) => sent?,
        };
        if let Err(error) = &sent {
            let (batches, cause) = (batches.len(), ErrorChain(error).to_string());
            info!(exporter = %self.name, batches, cause, "joint export of several batches failed, sending each alone");
        }
        Ok(sent.is_ok())
    }
}
