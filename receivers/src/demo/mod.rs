//! Simulates a web shop, so that airdig can be tried without other data.
//!
//! ```yaml
//! receivers:
//!   demo: {seed: 1, speed: 10, rate: 20, scan_interval: 60s}
//! ```
//!
//! The shop has eight services (`shop.rs`) on three cloud instances (`cloud/`). It serves users (`traffic.rs`)
//! while a script runs (`script.rs`): a developer opens the database's security group to the world, and the
//! database slows down. All timestamps are real; the clock of the script runs `speed` times as fast.
//!
//! ```text
//!  shop, script ─▶ stage: batches due now ─┬─ cloud ───▶ resources
//!                                          ├─ changes ─▶ changes
//!                                          └─ traffic ─ spans, telemetry ─▶ traces, logs, metrics
//! ```
//!
//! | signal | when |
//! |---|---|
//! | `resources` | a whole scan each `scan_interval` of script time |
//! | `changes` | when the script has a change |
//! | `traces`, `logs` | five times a second, for the requests that ended |
//! | `metrics` | every 10 s |

use std::time::Duration;

use async_trait::async_trait;
use pipeline::channel::Output;
use pipeline::component::{BuildError, Host, Receiver, RunError, UnixNanos};
use pipeline::registry::{BuildReceiver, ComponentMeta, Stability};
use pipeline::{Signal, SignalSet};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

mod changes;
mod cloud;
mod config;
mod otlp;
mod script;
mod shop;
mod spans;
mod stage;
mod telemetry;
#[cfg(test)]
mod tests;
mod traffic;

pub use config::{Config, DemoConfigError};

use stage::{ClockReading, Simulation};

/// The interval at which the simulation advances.
const TICK: Duration = Duration::from_millis(200);

/// Emits the telemetry, scans and changes of the simulated shop.
#[derive(Debug)]
pub struct Demo {
    config: Config,
    id: String,
}

impl ComponentMeta for Demo {
    const TYPE: &'static str = "demo";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "simulates a web shop, its cloud and the events in it";
    type Config = Config;
}

impl BuildReceiver for Demo {
    const PRODUCES: SignalSet =
        SignalSet::TELEMETRY.union(SignalSet::of(&[Signal::Resources, Signal::Changes]));

    fn build(config: Config, host: &Host) -> Result<Demo, BuildError> {
        Ok(Demo {
            config,
            id: host.id().to_string(),
        })
    }
}

#[async_trait]
impl Receiver for Demo {
    async fn run(self: Box<Self>, output: Output, stop: CancellationToken) -> Result<(), RunError> {
        // No sender waits for these batches, so `stop` may interrupt the simulation while it sends one.
        stop.run_until_cancelled(self.run_simulation(output)).await;
        // The simulation ends earlier only if the pipelines have closed their queues. Then the process is stopping, and
        // `stop` is cancelled soon. A receiver must not return before that.
        stop.cancelled().await;
        Ok(())
    }
}

impl Demo {
    /// Sends the batches of the simulation until the pipelines close their queues.
    async fn run_simulation(self, output: Output) {
        let start = Instant::now();
        let now = || ClockReading {
            wall: UnixNanos::now(),
            elapsed: start.elapsed(),
        };
        let produced = Self::PRODUCES.iter();
        let accepted: Vec<Signal> = produced.filter(|signal| output.accepts(*signal)).collect();
        let mut simulation = Simulation::new(self.config, self.id, SignalSet::of(&accepted), now());
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            for batch in simulation.advance(now()) {
                if output.send(&batch).await.is_err() {
                    return;
                }
            }
        }
    }
}
