//! Puts batches together, so that what comes after has fewer and larger ones. Takes every signal
//! and holds each apart.
//!
//! ```yaml
//! processors:
//!   batch:
//!     send_batch_size: 8192
//!     timeout: 200ms
//!     send_batch_max_size: 0
//! ```
//!
//! What is held goes on when it has `send_batch_size` rows, when its first rows have been held for
//! `timeout` (up to an eighth earlier, never later), when half of the time is over that its most
//! impatient sender still waits, or when it keeps 8 MiB alive. A batch that is full when it comes
//! goes on as it is.
//!
//! A sender is answered when the batch is delivered that its rows went into: it waits up to
//! `timeout` longer, and a refusal is told to all whose rows were in the batch. So nothing is lost
//! when the process ends, and senders that wait for an answer before they send more never fill a
//! batch: what ten senders of 512 spans have under way is 5,120 rows, and goes on after `timeout`.
//! With few such senders, leave `batch` out or set `send_batch_size` to what they have under way.
//!
//! Batches of unchanged OTLP requests put together are still sent on as the bytes they came as.

use std::collections::BTreeMap;
use std::time::Duration;

use pipeline::component::{BuildError, Host, ProcessError, Processor, UnixNanos};
use pipeline::registry::{BuildProcessor, Described, Stability};
use pipeline::{Signal, SignalSet};

mod config;
mod held;

pub use config::Config;

use held::Held;

/// The shortest and the longest time between looks at what is due.
const LOOKS: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(100)];

#[derive(Debug)]
pub struct Batch {
    config: Config,
    held: BTreeMap<Signal, Held>,
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
            held: BTreeMap::new(),
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
        let most = self.config.send_batch_max_size.unwrap_or(usize::MAX);
        let look = self.look();
        let held = self.held.entry(batch.signal()).or_default();
        let Some(timeout) = self.config.timeout else {
            held.add(batch, now, now);
            return Ok(held.take_all(most));
        };
        let due = match batch.delivery().time_left() {
            Some(left) => now.after(timeout.min(left / 2)),
            None => now.after(timeout),
        };
        held.add(batch, now, due);
        let mut made = Vec::new();
        while held.rows() >= self.config.send_batch_size {
            made.extend(held.take(most));
        }
        if held.is_too_large() || held.is_due(now, look) {
            made.extend(held.take_all(most));
        }
        Ok(made)
    }

    fn tick_interval(&self) -> Option<Duration> {
        self.config.timeout.map(|_| self.look())
    }

    fn tick(&mut self, now: UnixNanos) -> Vec<pipeline::Batch> {
        let look = self.look();
        let due = self.held.values_mut().filter(|held| held.is_due(now, look));
        let most = self.config.send_batch_max_size.unwrap_or(usize::MAX);
        due.flat_map(|held| held.take_all(most)).collect()
    }

    fn finish(&mut self, _: UnixNanos) -> Vec<pipeline::Batch> {
        let most = self.config.send_batch_max_size.unwrap_or(usize::MAX);
        let held = self.held.values_mut();
        held.flat_map(|held| held.take_all(most)).collect()
    }
}

impl Batch {
    /// How often it is looked at what is due.
    fn look(&self) -> Duration {
        let timeout = self.config.timeout.unwrap_or_default();
        (timeout / 8).clamp(LOOKS[0], LOOKS[1])
    }
}

#[cfg(test)]
mod tests;
