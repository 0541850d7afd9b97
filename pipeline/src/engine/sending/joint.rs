//! Sends several queued batches in one joint attempt.
//!
//! If the joint attempt fails, the engine sends each batch alone, with retries as configured. So rejected rows of one
//! sender do not affect the rows of another sender, and each sender gets the reason for its own rows.

use tokio::time::Instant;
use tracing::info;

use super::attempt::{ExporterPanic, ExporterSender, HeldBatch};
use crate::Batch;
use crate::component::ErrorChain;

impl ExporterSender {
    /// Sends queued batches. First makes a joint attempt for the batches whose deadlines are not over, if there are
    /// several. Then refuses the late batches. If there was no joint attempt or it failed, sends the other batches
    /// last, one after the other in their order.
    pub(super) async fn send_joint(&self, batches: Vec<Batch>) -> Result<(), ExporterPanic> {
        let held = batches.into_iter().map(|batch| self.hold(batch));
        let mut pending: Vec<HeldBatch<'_>> = held.collect();
        let now = Instant::now();
        // After its deadline, a sender sends the rows again, so `send` refuses late batches without an attempt.
        let is_late = |held: &HeldBatch<'_>| {
            let deadline = self.retry_deadline(&held.batch);
            deadline.is_some_and(|deadline| deadline <= now)
        };
        let late: Vec<HeldBatch<'_>> = pending.extract_if(.., |held| is_late(held)).collect();
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

    /// Makes one attempt for all batches, until the deadline of the last sender. The receiver of a sender with an
    /// earlier deadline replies at that deadline. Returns whether all batches are durable.
    async fn attempt_joint(&self, held: &[HeldBatch<'_>]) -> Result<bool, ExporterPanic> {
        let batches: Vec<Batch> = held.iter().map(|held| held.batch.clone()).collect();
        let deadlines = batches.iter().map(|batch| self.retry_deadline(batch));
        // If one batch has no deadline, the attempt has none.
        let until = deadlines
            .reduce(|one, other| one.zip(other).map(|(one, other)| one.max(other)))
            .flatten();
        let export = self.exporter.export_joint(&batches);
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
