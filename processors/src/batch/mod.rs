//! Puts batches together, so that what comes after has fewer and larger ones. Takes every signal
//! and holds each apart.
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
//! Rows whose sender waits for an answer go on as soon as what comes after is idle: no other batch waits for
//! this pipeline, and each exporter and connector after it can take a batch at once. So a lone sender waits
//! for no timeout, and while exporters are busy the rows of many senders become one batch. Two hundred
//! independent requests a second may become as many exports; where a backend charges for each, `linger` holds
//! rows for at least so long.
//!
//! Otherwise they go on when there are `send_batch_size` rows, when the first have been held for `timeout`,
//! when half of the time is over that the most impatient sender still waits, or when they keep 8 MiB alive.
//! Rows for which no sender waits obey only `timeout` and the two sizes, and are never in one batch with
//! others. A batch that is full when it comes goes on as it is.
//!
//! A sender is answered when the batch is delivered that its rows went into, and a refusal of that batch
//! answers all whose rows were in it. So nothing is lost when the process ends.
//!
//! Rows of one snapshot (edges or aliases of one uid, source, scope and time) stay in one batch, also above
//! `send_batch_max_size`. Batches of unchanged OTLP requests put together are still sent on as the bytes they
//! came as.

use std::collections::BTreeMap;
use std::time::Duration;

use pipeline::component::{BuildError, Host, ProcessError, Processor, UnixNanos};
use pipeline::registry::{BuildProcessor, Described, Stability};
use pipeline::{Signal, SignalSet};

mod config;
mod waiting;

pub use config::Config;

use waiting::Waiting;

#[derive(Debug)]
pub struct Batch {
    config: Config,
    /// By the signal, and whether senders wait for the rows.
    waiting: BTreeMap<(Signal, bool), Waiting>,
}

impl Described for Batch {
    const TYPE: &'static str = "batch";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "small batches become larger ones";
    type Config = Config;
}

impl BuildProcessor for Batch {
    const ACCEPTS: SignalSet = SignalSet::ALL;
    const PRODUCES: SignalSet = SignalSet::NONE;

    fn build(config: Config, _: &Host) -> Result<Batch, BuildError> {
        Ok(Batch {
            config,
            waiting: BTreeMap::new(),
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
        let most = self.config.most();
        let kind = (batch.signal(), batch.delivery().is_awaited());
        let waiting = self.waiting.entry(kind).or_default();
        let Some(timeout) = self.config.timeout else {
            waiting.add(batch, now, now);
            return Ok(waiting.take_all(most));
        };
        let due = match batch.delivery().time_left() {
            Some(left) => now.after(timeout.min(left / 2)),
            None => now.after(timeout),
        };
        waiting.add(batch, now, due);
        let mut made = Vec::new();
        while waiting.rows() >= self.config.send_batch_size {
            made.extend(waiting.take(most));
        }
        if waiting.is_too_large() || waiting.is_due(now) {
            made.extend(waiting.take_all(most));
        }
        Ok(made)
    }

    fn tick_within(&self, now: UnixNanos) -> Option<Duration> {
        let due = self.waiting.values().filter_map(|it| it.due_within(now));
        let linger = self
            .awaited()
            .filter_map(|it| it.lingers_for(now, self.config.linger));
        due.chain(linger).min()
    }

    fn tick(&mut self, now: UnixNanos) -> Vec<pipeline::Batch> {
        let most = self.config.most();
        let due = self.waiting.values_mut().filter(|it| it.is_due(now));
        due.flat_map(|it| it.take_all(most)).collect()
    }

    fn can_release(&self, now: UnixNanos) -> bool {
        self.awaited()
            .any(|it| it.has_lingered(now, self.config.linger))
    }

    fn release(&mut self, now: UnixNanos) -> Vec<pipeline::Batch> {
        let (most, linger) = (self.config.most(), self.config.linger);
        let waiting = self
            .waiting
            .iter_mut()
            .filter(|((_, is_awaited), _)| *is_awaited);
        let waiting = waiting
            .map(|(_, it)| it)
            .filter(|it| it.has_lingered(now, linger));
        waiting.flat_map(|it| it.take_all(most)).collect()
    }

    fn finish(&mut self, _: UnixNanos) -> Vec<pipeline::Batch> {
        let most = self.config.most();
        let waiting = self.waiting.values_mut();
        waiting.flat_map(|it| it.take_all(most)).collect()
    }
}

impl Batch {
    /// The rows that senders wait for.
    fn awaited(&self) -> impl Iterator<Item = &Waiting> {
        let waiting = self
            .waiting
            .iter()
            .filter(|((_, is_awaited), _)| *is_awaited);
        waiting.map(|(_, it)| it)
    }
}

#[cfg(test)]
mod tests;
