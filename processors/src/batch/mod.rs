//! Merges small batches into larger ones. The processor accepts every signal. It has two buffers per signal: one for
//! rows whose senders wait for an acknowledgement, and one for rows without a waiting sender.
//!
//! ```yaml
//! processors:
//!   batch:
//!     send_batch_size: 8192
//!     timeout: 200ms
//!     send_batch_max_size: 0
//!     linger: 0ms
//! ```
//!
//! ```text
//!  batches ──▶ two buffers per signal: with and without waiting senders ──▶ merged batches
//!              released when full, when due, or when all components downstream are idle
//! ```
//!
//! The processor releases rows whose sender waits for an acknowledgement as soon as all components downstream are idle:
//! the queue of the pipeline is empty, and each exporter and connector after it has a free consumer. So a single
//! sender does not wait for the timeout, and while exporters are busy, the rows of many senders are merged. The cost:
//! at low load, 200 requests per second stay 200 exports per second. For a backend that charges per export, set
//! `linger`: it delays the release to idle components until the oldest row has been held for that long. `timeout`
//! releases rows in any case, so it must be at least as long as `linger`.
//!
//! Independent of idle components, the processor releases a buffer
//!
//! - when it has `send_batch_size` rows or keeps 8 MiB of memory alive,
//! - when the first row has been held for `timeout`,
//! - when half of the time to the earliest deadline of a sender has passed.
//!
//! Rows without a waiting sender are released only because of one of the two sizes or because of `timeout`. They are
//! never merged with rows that have a waiting sender. A batch of at least `send_batch_size` rows passes unchanged only
//! if its buffer is empty and the batch is not larger than `send_batch_max_size`.
//!
//! A sender gets its acknowledgement when all batches with its rows are delivered. If a batch is refused, all senders
//! with rows in this batch get the refusal. So no acknowledged row is lost when the process ends.
//!
//! Rows of one snapshot (edges or aliases of one uid, source, scope and time) stay in one batch, even if there are more
//! than `send_batch_max_size`. Merged batches of unchanged OTLP requests keep the bytes of these requests.

use std::collections::BTreeMap;
use std::time::Duration;

use pipeline::component::{BuildError, Host, ProcessError, Processor, UnixNanos};
use pipeline::registry::{BuildProcessor, ComponentMeta, Stability};
use pipeline::{Batch, Signal, SignalSet};

mod config;
mod timed_buffer;

pub use config::Config;

use timed_buffer::TimedBuffer;

/// The processor `batch`.
#[derive(Debug)]
pub struct BatchProcessor {
    config: Config,
    /// The buffers, by signal and by whether senders wait for the rows.
    buffers: BTreeMap<(Signal, bool), TimedBuffer>,
}

impl ComponentMeta for BatchProcessor {
    const TYPE: &'static str = "batch";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str =
        "merges small batches while exporters are busy; senders are acknowledged after export";
    type Config = Config;
}

impl BuildProcessor for BatchProcessor {
    const ACCEPTS: SignalSet = SignalSet::ALL;
    const PRODUCES: SignalSet = SignalSet::NONE;

    fn build(config: Config, _: &Host) -> Result<BatchProcessor, BuildError> {
        Ok(BatchProcessor {
            config,
            buffers: BTreeMap::new(),
        })
    }
}

impl Processor for BatchProcessor {
    fn process(&mut self, batch: Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        if batch.num_rows() == 0 {
            return Ok(vec![batch]);
        }
        let max_rows = self.config.max_rows();
        let key = (batch.signal(), batch.delivery().is_awaited());
        let buffer = self.buffers.entry(key).or_default();
        let Some(timeout) = self.config.timeout else {
            buffer.add(batch, now, now);
            return Ok(buffer.take_all(max_rows));
        };
        let due = match batch.delivery().time_left() {
            Some(left) => now + timeout.min(left / 2),
            None => now + timeout,
        };
        buffer.add(batch, now, due);
        let mut output = Vec::new();
        while buffer.rows() >= self.config.send_batch_size {
            output.extend(buffer.take(max_rows));
        }
        if buffer.is_too_large() || buffer.is_due(now) {
            output.extend(buffer.take_all(max_rows));
        }
        Ok(output)
    }

    fn tick_within(&self, now: UnixNanos) -> Option<Duration> {
        let buffers = self.buffers.values();
        let due = buffers.filter_map(|buffer| buffer.time_until_due(now));
        let linger = self
            .awaited()
            .filter_map(|buffer| buffer.time_until_lingered(now, self.config.linger));
        due.chain(linger).min()
    }

    fn tick(&mut self, now: UnixNanos) -> Vec<Batch> {
        let max_rows = self.config.max_rows();
        let buffers = self.buffers.values_mut();
        let due = buffers.filter(|buffer| buffer.is_due(now));
        due.flat_map(|buffer| buffer.take_all(max_rows)).collect()
    }

    fn can_release(&self, now: UnixNanos) -> bool {
        self.awaited()
            .any(|buffer| buffer.has_lingered(now, self.config.linger))
    }

    fn release(&mut self, now: UnixNanos) -> Vec<Batch> {
        let (max_rows, linger) = (self.config.max_rows(), self.config.linger);
        let awaited = self
            .buffers
            .iter_mut()
            .filter(|((_, is_awaited), _)| *is_awaited);
        let lingered = awaited
            .map(|(_, buffer)| buffer)
            .filter(|buffer| buffer.has_lingered(now, linger));
        lingered
            .flat_map(|buffer| buffer.take_all(max_rows))
            .collect()
    }

    fn finish(&mut self, _: UnixNanos) -> Vec<Batch> {
        let max_rows = self.config.max_rows();
        let buffers = self.buffers.values_mut();
        buffers
            .flat_map(|buffer| buffer.take_all(max_rows))
            .collect()
    }
}

impl BatchProcessor {
    /// The buffers of rows with waiting senders.
    fn awaited(&self) -> impl Iterator<Item = &TimedBuffer> {
        let awaited = self
            .buffers
            .iter()
            .filter(|((_, is_awaited), _)| *is_awaited);
        awaited.map(|(_, buffer)| buffer)
    }
}

#[cfg(test)]
mod tests;
