//! Runs a SQL query on rows. The tables are the signals, and the rows that the query yields are rows of a signal.
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
//! The processor emits the rows that the query yields, and forwards the rows that it reads unless `keep` is false.
//! Columns are matched by name; a column that the query does not yield is null, or empty if it cannot be null.
//! `SELECT * REPLACE (…) FROM traces` with `keep: false` transforms spans.
//!
//! Without a window, the query runs on each batch, and the sender's acknowledgement waits for the yielded rows. With a
//! window, the processor holds copies of the rows by their event time, and no acknowledgement waits for the window.
//! Windows of length `size` end at multiples of `every`. The query runs for a window when `lateness` has passed after
//! its end; `window_start()` and `window_end()` are the bounds of the window.
//!
//! ```text
//!  batch ──▶ query ──▶ output ──▶ rows of `into`       without a window
//!  batch ──▶ windows ── a window closes ──▶ query ──▶ output ──▶ rows of `into`
//! ```
//!
//! No sender waits for the rows that a window yields: each exporter keeps them in its outbox until they are delivered.
//! If an exporter is not idempotent, its destination may get them twice.

use std::time::Duration;

use arrow_array::RecordBatch;
use pipeline::component::{BuildError, ErrorChain, Host, ProcessError, Processor, UnixNanos};
use pipeline::config::{Problem, YamlNode};
use pipeline::counters::Counter;
use pipeline::log_throttle::LogThrottle;
use pipeline::registry::{BuildProcessor, ComponentMeta, ComponentSignals, Stability};
use pipeline::{Batch, Delivery, Signal, SignalSet};
use tracing::warn;

mod compiled;
mod config;
mod window_buffer;
mod windows;

pub use config::Config;

use crate::query::{Query, SignalOutput};
use compiled::CompiledQuery;
use windows::Windows;

/// The processor `sql`.
pub struct Sql {
    query: Query,
    output: SignalOutput,
    into: Signal,
    reads: SignalSet,
    keep: bool,
    /// Whether no downstream component accepts the yielded rows.
    is_output_unused: bool,
    windows: Option<Windows>,
    /// The component id, which is the `source` of the yielded rows.
    id: String,
    /// Counts forwarded batches on which the query failed.
    failures: Counter,
    failure_log: LogThrottle,
}

impl ComponentMeta for Sql {
    const TYPE: &'static str = "sql";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str =
        "runs a SQL query over batches and emits the result as rows of a chosen signal";
    type Config = Config;

    fn problems(config: &Config, node: &YamlNode) -> Vec<Problem> {
        compiled::problems(config, node)
    }

    fn notes(config: &Config) -> Vec<String> {
        let Ok(compiled) = CompiledQuery::new(config) else {
            return Vec::new();
        };
        let reads_its_signal = compiled.query.reads().contains(config.into);
        let into = config.into;
        (reads_its_signal && config.keep)
            .then(|| {
                format!("emits {into} besides the {into} that it reads; to replace them, set keep: false")
            })
            .into_iter()
            .collect()
    }

    fn explain(config: &Config) -> Option<String> {
        Some(CompiledQuery::new(config).ok()?.query.explain())
    }
}

impl BuildProcessor for Sql {
    const ACCEPTS: SignalSet = SignalSet::ALL;
    const PRODUCES: SignalSet = SignalSet::ALL;

    fn signals(config: &Config) -> ComponentSignals {
        let reads =
            CompiledQuery::new(config).map_or(Self::ACCEPTS, |compiled| compiled.query.reads());
        ComponentSignals {
            accepts: reads,
            produces: SignalSet::of(&[config.into]),
            absorbs: config.absorbs(reads),
        }
    }

    fn build(config: Config, host: &Host) -> Result<Sql, BuildError> {
        let CompiledQuery { query, output } = CompiledQuery::new(&config).map_err(|problems| {
            let first = problems.into_iter().next();
            BuildError::new(first.map_or_else(String::new, |problem| problem.message))
        })?;
        Ok(Sql {
            reads: query.reads(),
            into: config.into,
            keep: config.keep,
            is_output_unused: !host.accepted_downstream().contains(config.into),
            windows: config
                .window
                .as_ref()
                .map(|window| Windows::new(window, &query, host)),
            id: host.id().to_string(),
            failures: host.counter("failed_batches"),
            failure_log: LogThrottle::default(),
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
        let mut output = Vec::new();
        if !self.is_output_unused {
            match &mut self.windows {
                Some(windows) => {
                    windows.hold(&batch, now);
                    output = self.run_windows(now);
                }
                None => match self.run(&batch, now) {
                    Ok(yielded) => output = yielded,
                    // A failing query must not stop rows that the processor forwards.
                    Err(error) if self.keep => self.record_failure(&error),
                    Err(error) => return Err(error),
                },
            }
        }
        if self.keep {
            output.insert(0, batch);
        }
        Ok(output)
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
    fn record_failure(&self, error: &ProcessError) {
        self.failures.add(1);
        if let Some(suppressed) = self.failure_log.allow() {
            let (processor, error) = (&self.id, ErrorChain(error));
            warn!(%processor, %error, suppressed, "query failed on a forwarded batch");
        }
    }

    /// Runs the query on a batch. The acknowledgement of the batch waits for the yielded rows.
    fn run(&mut self, batch: &Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        let rows = vec![(batch.signal(), vec![batch.rows().clone()])];
        let yielded = self.query.run(rows, now, None).map_err(|error| {
            ProcessError::because(format!("{} cannot run its query", self.id), error)
        })?;
        // If the filter dropped no row, the batch is emitted unchanged, so that it keeps the bytes of its request.
        let count: usize = yielded.iter().map(RecordBatch::num_rows).sum();
        if self.query.only_filters() && self.into == batch.signal() && count == batch.num_rows() {
            return Ok(vec![batch.clone()]);
        }
        let converted = yielded
            .iter()
            .map(|rows| self.convert(rows, batch.delivery().for_derived_rows()));
        converted.collect()
    }

    /// Converts rows that the query yielded to a batch of the signal `into`.
    fn convert(&self, yielded: &RecordBatch, delivery: Delivery) -> Result<Batch, ProcessError> {
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
        let mut output = Vec::new();
        while let Some((window, rows)) = self.windows.as_mut().and_then(|windows| windows.next(now))
        {
            let yielded = match self.query.run(rows, now, Some(window)) {
                Ok(yielded) => yielded,
                Err(error) => {
                    if let Some(windows) = &self.windows {
                        windows.record_failure();
                    }
                    warn!(processor = %self.id, ?window, error = %ErrorChain(&error), "query failed on a window");
                    continue;
                }
            };
            for rows in yielded {
                match self.convert(&rows, Delivery::untracked()) {
                    Ok(batch) => output.push(batch),
                    Err(error) => {
                        warn!(processor = %self.id, error = %ErrorChain(&error), "rows of a window are lost");
                    }
                }
            }
        }
        output
    }
}

#[cfg(test)]
mod tests;
