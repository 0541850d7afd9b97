//! Runs a processor as a connector between pipelines.

use std::time::Duration;

use async_trait::async_trait;

use crate::component::{ProcessError, Processor, StartError, UnixNanos};
use crate::{Batch, SignalSet};

/// A processor that runs as a connector. A connector does not forward its input, as in the Collector. So this drops
/// each output batch whose signal the processor does not produce.
pub(crate) struct ConnectorProcessor<P> {
    processor: P,
    produces: SignalSet,
}

impl<P> ConnectorProcessor<P> {
    pub(crate) fn new(processor: P, produces: SignalSet) -> ConnectorProcessor<P> {
        ConnectorProcessor {
            processor,
            produces,
        }
    }

    fn retain_produced(&self, mut output: Vec<Batch>) -> Vec<Batch> {
        output.retain(|batch| self.produces.contains(batch.signal()));
        output
    }
}

#[async_trait]
impl<P: Processor> Processor for ConnectorProcessor<P> {
    async fn start(&mut self) -> Result<(), StartError> {
        self.processor.start().await
    }

    async fn load(&mut self) {
        self.processor.load().await;
    }

    fn process(&mut self, batch: Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        let output = self.processor.process(batch, now)?;
        Ok(self.retain_produced(output))
    }

    fn tick_within(&self, now: UnixNanos) -> Option<Duration> {
        self.processor.tick_within(now)
    }

    fn tick(&mut self, now: UnixNanos) -> Vec<Batch> {
        let output = self.processor.tick(now);
        self.retain_produced(output)
    }

    fn can_release(&self, now: UnixNanos) -> bool {
        self.processor.can_release(now)
    }

    fn release(&mut self, now: UnixNanos) -> Vec<Batch> {
        let output = self.processor.release(now);
        self.retain_produced(output)
    }

    fn finish(&mut self, now: UnixNanos) -> Vec<Batch> {
        let output = self.processor.finish(now);
        self.retain_produced(output)
    }
}
