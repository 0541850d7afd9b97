//! Processors that do one thing each.

use std::time::Duration;

use super::uids;
use crate::component::{ProcessError, Processor, UnixNanos};
use crate::rows::Rows;
use crate::{Batch, Signal};

/// Returns every batch as it came.
#[derive(Debug)]
pub struct PassThrough;

impl Processor for PassThrough {
    fn process(&mut self, batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        Ok(vec![batch])
    }
}

/// Returns nothing: every batch is done with.
#[derive(Debug)]
pub struct Drop;

impl Processor for Drop {
    fn process(&mut self, _batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        Ok(Vec::new())
    }
}

/// Refuses every batch for good.
#[derive(Debug)]
pub struct Refuse;

impl Processor for Refuse {
    fn process(&mut self, _batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        Err(ProcessError::new("told to refuse"))
    }
}

#[derive(Debug)]
pub struct PanickingProcessor;

impl Processor for PanickingProcessor {
    fn process(&mut self, _batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        panic!("told to panic")
    }
}

/// Holds batches until a tick, or until the end where it has none.
#[derive(Debug, Default)]
pub struct Hold {
    pub until_tick: Option<Duration>,
    held: Vec<Batch>,
}

impl Hold {
    pub fn until_tick(every: Duration) -> Hold {
        Hold {
            until_tick: Some(every),
            held: Vec::new(),
        }
    }
}

impl Processor for Hold {
    fn process(&mut self, batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        self.held.push(batch);
        Ok(Vec::new())
    }

    fn tick_within(&self, _now: UnixNanos) -> Option<Duration> {
        self.until_tick
    }

    fn tick(&mut self, _now: UnixNanos) -> Vec<Batch> {
        std::mem::take(&mut self.held)
    }
}

/// Returns every batch, and one of another signal with the same uids that was made of it.
#[derive(Debug)]
pub struct Turn(pub Signal);

impl Processor for Turn {
    fn process(&mut self, batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        let mut rows = Rows::new(self.0);
        for uid in uids(&batch) {
            rows.push(None, Some(&uid), "turn", &[]);
        }
        let made = rows.finish(batch.delivery().clone());
        Ok(vec![batch, made])
    }
}
