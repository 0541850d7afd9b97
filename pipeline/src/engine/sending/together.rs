//! Sends several queued batches together.
//!
//! The exporter gets one attempt for all of them. If it fails, each batch is sent by itself, with retries as
//! configured. So the rows of one sender do not fail those of another, and each sender gets the reason for
//! its own.

use tokio::time::Instant;
use tracing::info;

use super::attempt::{HeldBatch, Panicked, Sending};
use crate::Batch;
use crate::component::Chain;

impl Sending {
    /// Sends batches together where there are several, in their order.
    pub(super) async fn send_all(&self, batches: Vec<Batch>) -> Result<(), Panicked> {
        let held = batches.into_iter().map(|batch| self.hold(batch));
        let mut left: Vec<HeldBatch<'_>> = held.collect();
        let now = Instant::now();
        // A sender whose deadline is over sends again: its rows are refused below, not exported with the
        // others.
        let is_late = |it: &HeldBatch<'_>| self.until(&it.batch).is_some_and(|until| until <= now);
        let late: Vec<HeldBatch<'_>> = left.extract_if(.., |it| is_late(it)).collect();
        if left.len() > 1 {
            match self.export_together(&left).await {
                Ok(false) => {}
                Ok(true) => {
                    for held in left.drain(..) {
                        let batch = held.release();
                        self.counters.sent.add(batch.signal(), batch.num_rows());
                    }
                }
                Err(panicked) => {
                    let all = late.into_iter().chain(left);
                    all.for_each(|held| self.refuse_panicked(&held.release()));
                    return Err(panicked);
                }
            }
        }
        self.send_in_turn(late.into_iter().chain(left)).await
    }

    /// Sends batches one after the other.
    pub(super) async fn send_each(&self, batches: Vec<Batch>) -> Result<(), Panicked> {
        let held: Vec<HeldBatch<'_>> = batches.into_iter().map(|batch| self.hold(batch)).collect();
        self.send_in_turn(held.into_iter()).await
    }

    async fn send_in_turn(
        &self,
        mut batches: impl Iterator<Item = HeldBatch<'_>>,
    ) -> Result<(), Panicked> {
        while let Some(held) = batches.next() {
            if let Err(panicked) = self.send(held).await {
                batches.for_each(|held| self.refuse_panicked(&held.release()));
                return Err(panicked);
            }
        }
        Ok(())
    }

    /// Makes one attempt, until the last of the senders' deadlines: a sender with an earlier deadline gets a
    /// reply from its receiver. Returns whether all batches are durable.
    async fn export_together(&self, held: &[HeldBatch<'_>]) -> Result<bool, Panicked> {
        let batches: Vec<Batch> = held.iter().map(|it| it.batch.clone()).collect();
        let deadlines = batches.iter().map(|batch| self.until(batch));
        // No deadline where one batch has none.
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
            let (batches, cause) = (batches.len(), Chain(error).to_string());
            info!(exporter = %self.name, batches, cause, "export of several batches failed, sending each by itself");
        }
        Ok(sent.is_ok())
    }
}
