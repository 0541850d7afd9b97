//! A processor as a connector between pipelines: its output is only the batches that the processor produces.

use std::time::Duration;

use async_trait::async_trait;

use crate::component::{ProcessError, Processor, StartError, UnixNanos};
use crate::{Batch, SignalSet};

/// Drops batches of signals that the processor does not produce. As in the Collector, the input of a pipeline ends
/// in a connector.
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

    fn retain_produced(&self, mut made: Vec<Batch>) -> Vec<Batch> {
        made.retain(|batch| self.produces.contains(batch.signal()));
        made
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
        let made = self.processor.process(batch, now)?;
        Ok(self.retain_produced(made))
    }

    fn tick_within(&self, now: UnixNanos) -> Option<Duration> {
        self.processor.tick_within(now)
    }

    fn tick(&mut self, now: UnixNanos) -> Vec<Batch> {
        let made = self.processor.tick(now);
        self.retain_produced(made)
    }

    fn can_release(&self, now: UnixNanos) -> bool {
        self.processor.can_release(now)
    }

    fn release(&mut self, now: UnixNanos) -> Vec<Batch> {
        let made = self.processor.release(now);
        self.retain_produced(made)
    }

    fn finish(&mut self, now: UnixNanos) -> Vec<Batch> {
        let made = self.processor.finish(now);
        self.retain_produced(made)
    }
}
