//! `demo`: a small company that does not exist, to look at without having one's own.
//!
//! ```yaml
//! receivers:
//!   demo: {seed: 1, speed: 10, rate: 20, scan_interval: 60s}
//! ```
//!
//! A web shop of eight services (`company.rs`) on three instances of a cloud (`cloud/`) serves
//! users (`traffic.rs`) while a story happens to it (`script.rs`): somebody opens the database to
//! the world, and it slows down. All times are real; only the story runs `speed` times as fast.
//!
//! | signal | when |
//! |---|---|
//! | `resources` | a whole scan each `scan_interval` of the story |
//! | `changes` | as they happen in the story |
//! | `traces`, `logs` | five times a second, of requests that have ended |
//! | `metrics` | every 10 s |

use std::time::Duration;

use async_trait::async_trait;
use pipeline::channel::Output;
use pipeline::component::{BuildError, Host, Receiver, RunError, UnixNanos};
use pipeline::registry::{BuildReceiver, Described, Stability};
use pipeline::{Signal, SignalSet};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

mod changes;
mod cloud;
mod company;
mod config;
mod otlp;
mod script;
mod spans;
mod stage;
mod telemetry;
#[cfg(test)]
mod tests;
mod traffic;

pub use config::{Config, Invalid};

use stage::{Now, Stage};

const TICK: Duration = Duration::from_millis(200);

/// Tells of a company that does not exist.
#[derive(Debug)]
pub struct Demo {
    config: Config,
    id: String,
}

impl Described for Demo {
    const TYPE: &'static str = "demo";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "a small company that does not exist, and what happens to it";
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
        // Nobody waits for what it makes: at the stop nothing is owed.
        stop.run_until_cancelled(self.tell(output)).await;
        // A pipeline that takes no more is stopping too, and says so soon.
        stop.cancelled().await;
        Ok(())
    }
}

impl Demo {
    /// Returns once nobody takes any more.
    async fn tell(self, output: Output) {
        let start = Instant::now();
        let now = || Now {
            wall: UnixNanos::now(),
            since: start.elapsed(),
        };
        let produced = Self::PRODUCES.iter();
        let wanted: Vec<Signal> = produced.filter(|signal| output.wants(*signal)).collect();
        let mut stage = Stage::new(self.config, self.id, SignalSet::of(&wanted), now());
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            for batch in stage.advance(now()) {
                if output.send(&batch).await.is_err() {
                    return;
                }
            }
        }
    }
}
