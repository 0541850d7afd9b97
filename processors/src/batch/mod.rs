//! Merges small batches into larger ones. The processor accepts every signal and buffers each separately.
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
//!  batches ──▶ a buffer for each signal, with or without waiting senders ──▶ merged batches
//!              released when full, due, or when all components downstream are idle
//! ```
//!
//! The processor releases rows whose sender waits for an acknowledgement as soon as all components downstream are idle:
//! the queue of the pipeline is empty, and each exporter and connector after it can take a batch at once. So a single
//! sender does not wait for the timeout, and while exporters are busy, the rows of many senders are merged. Two hundred
//! independent requests a second may become as many exports. If a backend charges for each export, `linger` sets the
//! minimum time that rows are held.
//!
//! The processor also releases rows when it holds `send_batch_size` of them, when it has held the first for `timeout`,
//! when half of the time to the earliest deadline of a sender has passed, or when they keep 8 MiB of memory alive. It
//! releases rows without a waiting sender only at `timeout` and at the two sizes, and never merges them with rows that
//! have one. A batch that is already full passes unchanged.
//!
//! A sender gets its acknowledgement when all batches with its rows are delivered. If a batch is refused, all senders
//! with rows in it get the refusal. So no acknowledged row is lost when the process ends.
//!
//! Rows of one snapshot (edges or aliases of one uid, source, scope and time) stay in one batch, even above
//! `send_batch_max_size`. Merged batches of unchanged OTLP requests keep the bytes of these requests.

use std::collections::BTreeMap;
use std::time::Duration;

use pipeline::component::{BuildError, Host, ProcessError, Processor, UnixNanos};
use pipeline::registry::{BuildProcessor, ComponentMeta, Stability};
use pipeline::{Signal, SignalSet};

mod config;
mod timed_buffer;

pub use config::Config;

use timed_buffer::TimedBuffer;

/// The processor `batch`.
#[derive(Debug)]
pub struct Batch {
    config: Config,
    /// The buffers by signal, and by whether senders wait for the rows.
    buffers: BTreeMap<(Signal, bool), TimedBuffer>,
}

impl ComponentMeta for Batch {
    const TYPE: &'static str = "batch";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "merges small batches while exporters are busy; no sender waits for a timeout, each gets a response";
    type Config = Config;
}

impl BuildProcessor for Batch {
    const ACCEPTS: SignalSet = SignalSet::ALL;
    const PRODUCES: SignalSet = SignalSet::NONE;

    fn build(config: Config, _: &Host) -> Result<Batch, BuildError> {
        Ok(Batch {
            config,
            buffers: BTreeMap::new(),
        })
    }
}

impl Processor for Batch {
    fn process(
        &mut self,
        batch: pipeline::Batch,
        now: UnixNanos,
    ) -> Result<Vec<pipeline::Batch>, ProcessError> {
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
        let due = self.buffers.values().filter_map(|it| it.due_within(now));
        let linger = self
            .awaited()
            .filter_map(|it| it.linger_left(now, self.config.linger));
        due.chain(linger).min()
    }

    fn tick(&mut self, now: UnixNanos) -> Vec<pipeline::Batch> {
        let max_rows = self.config.max_rows();
        let due = self.buffers.values_mut().filter(|it| it.is_due(now));
        due.flat_map(|it| it.take_all(max_rows)).collect()
    }

    fn can_release(&self, now: UnixNanos) -> bool {
        self.awaited()
            .any(|it| it.has_lingered(now, self.config.linger))
    }

    fn release(&mut self, now: UnixNanos) -> Vec<pipeline::Batch> {
        let (max_rows, linger) = (self.config.max_rows(), self.config.linger);
        let awaited = self
            .buffers
            .iter_mut()
            .filter(|((_, is_awaited), _)| *is_awaited);
        let lingered = awaited
            .map(|(_, it)| it)
            .filter(|it| it.has_lingered(now, linger));
        lingered.flat_map(|it| it.take_all(max_rows)).collect()
    }

    fn finish(&mut self, _: UnixNanos) -> Vec<pipeline::Batch> {
        let max_rows = self.config.max_rows();
        let buffers = self.buffers.values_mut();
        buffers.flat_map(|it| it.take_all(max_rows)).collect()
    }
}

impl Batch {
    /// The buffers of rows with waiting senders.
    fn awaited(&self) -> impl Iterator<Item = &TimedBuffer> {
        let awaited = self
            .buffers
            .iter()
            .filter(|((_, is_awaited), _)| *is_awaited);
        awaited.map(|(_, it)| it)
    }
}

#[cfg(test)]
mod tests;
