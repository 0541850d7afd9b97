//! Runs SQL on batches: the tables are the signals, and the rows that a query yields are rows of a signal.
//!
//! ```yaml
//! processors:
//!   sql/no_health_checks:
//!     query: SELECT * FROM traces WHERE attributes['url.path'] IS DISTINCT FROM '/healthz'
//!     into: traces
//!     keep: false
//!   sql/slow_after_drift:
//!     query: >
//!       SELECT d.uid, t.trace_id, … FROM drift d JOIN traces t ON t.uid = d.uid AND t.time > d.time
//!     into: correlations
//!     window: {size: 5m, every: 1m, lateness: 30s, on: time}
//! ```
//!
//! The processor forwards the rows that the query reads in addition to those that it yields, unless `keep` is
//! false. Columns are matched by name; one that the query does not yield is empty. `SELECT * REPLACE (…)
//! FROM traces` with `keep: false` is a transformation.
//!
//! Without a window, the query runs on each batch, and the sender's acknowledgement waits for the yielded
//! rows. With a window, rows are held by their event time and acknowledged once they are held. Windows of
//! length `size` end at multiples of `every`; the query runs for each when `lateness` has passed after its
//! end. `window_start()` and `window_end()` are its bounds.
//!
//! No sender waits for the rows that a window yields: each exporter keeps them in its outbox until it
//! acknowledges them. An exporter that is not idempotent may repeat them.

use std::time::Duration;

use arrow_array::RecordBatch;
use pipeline::component::{BuildError, Chain, Host, ProcessError, Processor, UnixNanos};
use pipeline::config::{Node, Problem};
use pipeline::counters::Counter;
use pipeline::registry::{BuildProcessor, Described, Signals, Stability};
use pipeline::{Batch, Delivery, Signal, SignalSet};
use tracing::warn;

mod compiled;
mod config;
mod held;
mod windows;

pub use config::Config;

use crate::query::{Query, SignalOutput};
use compiled::Compiled;
use windows::Windows;

/// The shortest time between two warnings about a failing query.
const WARNING_INTERVAL: Duration = Duration::from_secs(10);

pub struct Sql {
    query: Query,
    output: SignalOutput,
    into: Signal,
    reads: SignalSet,
    keep: bool,
    /// Whether no later component accepts what it yields.
    is_idle: bool,
    windows: Option<Windows>,
    /// The component id, which is the `source` of the yielded rows.
    id: String,
    /// Forwarded batches on which the query failed.
    failures: Counter,
    warned: Option<UnixNanos>,
}

impl Described for Sql {
    const TYPE: &'static str = "sql";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "a query makes rows of a signal of those that pass";
    type Config = Config;

    fn problems(config: &Config, node: &Node) -> Vec<Problem> {
        compiled::problems(config, node)
    }

    fn notes(config: &Config) -> Vec<String> {
        let Ok(compiled) = Compiled::new(config) else {
            return Vec::new();
        };
        let reads_its_own = compiled.query.reads().contains(config.into);
        let into = config.into;
        (reads_its_own && config.keep)
            .then(|| {
                format!("emits {into} besides the {into} that it reads; to replace them, set keep: false")
            })
            .into_iter()
            .collect()
    }

    fn explain(config: &Config) -> Option<String> {
        Some(Compiled::new(config).ok()?.query.explain())
    }
}

impl BuildProcessor for Sql {
    const ACCEPTS: SignalSet = SignalSet::ALL;
    const PRODUCES: SignalSet = SignalSet::ALL;

    fn signals(config: &Config) -> Signals {
        let reads = Compiled::new(config).map_or(Self::ACCEPTS, |compiled| compiled.query.reads());
        Signals {
            accepts: reads,
            produces: SignalSet::of(&[config.into]),
            absorbs: config.absorbs(reads),
        }
    }

    fn build(config: Config, host: &Host) -> Result<Sql, BuildError> {
        let Compiled { query, output } = Compiled::new(&config).map_err(|mistakes| {
            let first = mistakes.into_iter().next();
            BuildError::new(first.map_or_else(String::new, |mistake| mistake.message))
        })?;
        Ok(Sql {
            reads: query.reads(),
            into: config.into,
            keep: config.keep,
            is_idle: !host.wanted().contains(config.into),
            windows: config
                .window
                .as_ref()
                .map(|window| Windows::new(window, &query, host)),
            id: host.id().to_string(),
            failures: host.counter("failed_batches"),
            warned: None,
            query,
            output,
        })
    }
}

impl Processor for Sql {
    fn process(&mut self, batch: Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        if !self.reads.contains(batch.signal()) {
            return Ok(vec![batch]);
        }
        let mut made = Vec::new();
        if !self.is_idle {
            match &mut self.windows {
                Some(windows) => {
                    windows.hold(&batch, now);
                    made = self.run_windows(now);
                }
                None => match self.run(&batch, now) {
                    Ok(yielded) => made = yielded,
                    // A failing query must not stop rows that are only forwarded.
                    Err(error) if self.keep => self.record_failure(&error, now),
                    Err(error) => return Err(error),
                },
            }
        }
        if self.keep {
            made.insert(0, batch);
        }
        Ok(made)
    }

    fn tick_within(&self, _now: UnixNanos) -> Option<Duration> {
        self.windows.as_ref().and_then(Windows::tick_within)
    }

    fn tick(&mut self, now: UnixNanos) -> Vec<Batch> {
        self.run_windows(now)
    }

    fn finish(&mut self, now: UnixNanos) -> Vec<Batch> {
        if let Some(windows) = &mut self.windows {
            windows.close_all();
        }
        self.run_windows(now)
    }
}

impl Sql {
    /// Counts and logs a failure of the query on a batch that is forwarded anyway.
    fn record_failure(&mut self, error: &ProcessError, now: UnixNanos) {
        self.failures.add(1);
        if self
            .warned
            .is_none_or(|warned| now >= warned.after(WARNING_INTERVAL))
        {
            self.warned = Some(now);
            warn!(processor = %self.id, error = %Chain(error), "query failed on a forwarded batch");
        }
    }

    fn run(&mut self, batch: &Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        let rows = vec![(batch.signal(), vec![batch.rows().clone()])];
        let yielded = self.query.run(rows, now, None).map_err(|error| {
            ProcessError::because(format!("{} cannot run its query", self.id), error)
        })?;
        // The filter dropped no row: the batch stays the original request.
        let count: usize = yielded.iter().map(RecordBatch::num_rows).sum();
        if self.query.only_filters() && self.into == batch.signal() && count == batch.num_rows() {
            return Ok(vec![batch.clone()]);
        }
        let fitted = yielded
            .iter()
            .map(|rows| self.fitted(rows, batch.delivery().unattributed()));
        fitted.collect()
    }

    fn fitted(&self, yielded: &RecordBatch, delivery: Delivery) -> Result<Batch, ProcessError> {
        let reason = || {
            format!(
                "{} cannot convert the rows of its query to {}",
                self.id, self.into
            )
        };
        let rows = self
            .output
            .rows(yielded, &self.id)
            .map_err(|error| ProcessError::because(reason(), error))?;
        Batch::new(self.into, rows, delivery)
            .map_err(|error| ProcessError::because(reason(), error))
    }

    /// Runs the query for each closed window. No sender waits for the yielded rows.
    fn run_windows(&mut self, now: UnixNanos) -> Vec<Batch> {
        let mut made = Vec::new();
        while let Some((window, rows)) = self.windows.as_mut().and_then(|windows| windows.next(now))
        {
            let yielded = match self.query.run(rows, now, Some(window)) {
                Ok(yielded) => yielded,
                Err(error) => {
                    if let Some(windows) = &self.windows {
                        windows.record_failure();
                    }
                    warn!(processor = %self.id, ?window, error = %Chain(&error), "query failed on a window");
                    continue;
                }
            };
            for rows in yielded {
                match self.fitted(&rows, Delivery::nobody()) {
                    Ok(batch) => made.push(batch),
                    Err(error) => {
                        warn!(processor = %self.id, error = %Chain(&error), "rows of a window lost");
                    }
                }
            }
        }
        made
    }
}

#[cfg(test)]
mod tests;
