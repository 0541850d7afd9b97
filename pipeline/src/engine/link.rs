//! One processor of a chain, with its counters.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracing::warn;

use super::metrics::ProcessorCounters;
use crate::Batch;
use crate::component::{ErrorChain, Processor, UnixNanos};
use crate::delivery::{Refusal, Retry};

/// One processor of a pipeline, or the processor of a connector.
pub(super) struct Link {
    /// The name in refusals: `processors/graph`.
    pub(super) component: String,
    /// The name in logs and errors: `processors/graph of pipeline unified`.
    pub(super) name: String,
    pub(super) processor: Box<dyn Processor>,
    pub(super) counters: Arc<ProcessorCounters>,
}

impl Link {
    /// Processes a batch and counts its rows. If the processor rejects the batch, the batch is refused.
    pub(super) fn process(&mut self, batch: Batch, now: UnixNanos) -> Vec<Batch> {
        let (signal, rows) = (batch.signal(), batch.num_rows());
        let delivery = batch.delivery().clone();
        self.counters
            .incoming
            .fetch_add(rows as u64, Ordering::Relaxed);
        let error = match self.processor.process(batch, now) {
            Ok(output) => {
                self.count_outgoing(&output);
                return output;
            }
            Err(error) => error,
        };
        let refused = &self.counters.refused;
        refused.fetch_add(rows as u64, Ordering::Relaxed);
        warn!(processor = %self.name, %signal, rows, error = %ErrorChain(&error), "batch refused");
        delivery.refuse(&Refusal {
            component: self.component.clone(),
            reason: error.to_string(),
            retry: Retry::Never,
        });
        Vec::new()
    }

    /// Counts the rows of batches that the processor returned.
    pub(super) fn count_outgoing(&self, output: &[Batch]) {
        let rows: usize = output.iter().map(Batch::num_rows).sum();
        self.counters
            .outgoing
            .fetch_add(rows as u64, Ordering::Relaxed);
    }
}
