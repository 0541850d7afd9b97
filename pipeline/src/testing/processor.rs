//! Processors with one fixed behaviour each.

use std::time::Duration;

use super::uids;
use crate::component::{ProcessError, Processor, UnixNanos};
use crate::rows::Rows;
use crate::{Batch, Signal};

/// Returns every batch unchanged.
#[derive(Debug)]
pub struct PassThroughProcessor;

impl Processor for PassThroughProcessor {
    fn process(&mut self, batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        Ok(vec![batch])
    }
}

/// Drops every batch, which acknowledges it.
#[derive(Debug)]
pub struct DroppingProcessor;

impl Processor for DroppingProcessor {
    fn process(&mut self, _batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        Ok(Vec::new())
    }
}

/// Rejects every batch permanently.
#[derive(Debug)]
pub struct RejectingProcessor;

impl Processor for RejectingProcessor {
    fn process(&mut self, _batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        Err(ProcessError::new("rejected on purpose"))
    }
}

/// Panics at the first batch.
#[derive(Debug)]
pub struct PanickingProcessor;

impl Processor for PanickingProcessor {
    fn process(&mut self, _batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        panic!("on purpose")
    }
}

/// Holds all batches until the next tick. Without a tick interval, it holds them until the pipeline stops.
#[derive(Debug, Default)]
pub struct HoldingProcessor {
    tick_interval: Option<Duration>,
    batches: Vec<Batch>,
}

impl HoldingProcessor {
    /// Returns a processor that releases its batches at this interval.
    pub fn with_tick_interval(interval: Duration) -> HoldingProcessor {
        HoldingProcessor {
            tick_interval: Some(interval),
            batches: Vec::new(),
        }
    }
}

impl Processor for HoldingProcessor {
    fn process(&mut self, batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        self.batches.push(batch);
        Ok(Vec::new())
    }

    fn tick_within(&self, _now: UnixNanos) -> Option<Duration> {
        self.tick_interval
    }

    fn tick(&mut self, _now: UnixNanos) -> Vec<Batch> {
        std::mem::take(&mut self.batches)
    }
}

/// Returns every batch and a second batch that it derives: one row of this signal for each row, with the same uid. Both
/// batches carry the same delivery.
#[derive(Debug)]
pub struct DerivingProcessor(pub Signal);

impl Processor for DerivingProcessor {
    fn process(&mut self, batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        let mut rows = Rows::new(self.0);
        for uid in uids(&batch) {
            rows.push(None, Some(&uid), "derived", &[]);
        }
        let derived = rows.finish(batch.delivery().clone());
        Ok(vec![batch, derived])
    }
}
