//! A processor between two pipelines: it hands over only what it makes.

use std::time::Duration;

use async_trait::async_trait;

use crate::component::{ProcessError, Processor, StartError, UnixNanos};
use crate::{Batch, SignalSet};

/// As in the Collector, what goes into a connector ends there.
pub(crate) struct Connecting<P> {
    processor: P,
    /// What it gives to the pipelines after it.
    gives: SignalSet,
}

impl<P> Connecting<P> {
    pub(crate) fn new(processor: P, gives: SignalSet) -> Connecting<P> {
        Connecting { processor, gives }
    }

    fn only(&self, mut made: Vec<Batch>) -> Vec<Batch> {
        made.retain(|batch| self.gives.contains(batch.signal()));
        made
    }
}

#[async_trait]
impl<P: Processor> Processor for Connecting<P> {
    async fn start(&mut self) -> Result<(), StartError> {
        self.processor.start().await
    }

    async fn load(&mut self) {
        self.processor.load().await;
    }

    fn process(&mut self, batch: Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        let made = self.processor.process(batch, now)?;
        Ok(self.only(made))
    }

    fn tick_within(&self, now: UnixNanos) -> Option<Duration> {
        self.processor.tick_within(now)
    }

    fn tick(&mut self, now: UnixNanos) -> Vec<Batch> {
        let made = self.processor.tick(now);
        self.only(made)
    }

    fn can_release(&self, now: UnixNanos) -> bool {
        self.processor.can_release(now)
    }

    fn release(&mut self, now: UnixNanos) -> Vec<Batch> {
        let made = self.processor.release(now);
        self.only(made)
    }

    fn finish(&mut self, now: UnixNanos) -> Vec<Batch> {
        let made = self.processor.finish(now);
        self.only(made)
    }
}
