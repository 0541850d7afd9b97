//! Runs SQL on what passes: the tables are signals, and the rows that a query yields are a signal.
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
//! The rows that a query reads pass on beside what it yields, unless `keep` is false. Columns are
//! matched by name; one that the query does not yield is empty. `SELECT * REPLACE (…) FROM traces`
//! with `keep: false` is a transformation.
//!
//! Without a window a query sees one batch, and who waits for that waits for what was made of it.
//! With one, rows are held by their own time, senders are answered once a row is held, and the
//! query is run for each window when no row of it is expected any more: `every` so long, over the
//! last `size`, `lateness` after its end. `window_start()` and `window_end()` say which.
//!
//! No sender waits for the rows of a window: each exporter keeps them in its outbox until it acknowledges
//! them. An exporter that is not idempotent may repeat them.

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

use crate::query::{Output, Query};
use compiled::Compiled;
use windows::Windows;

/// How often it is said at most that a query fails.
const WARNING: Duration = Duration::from_secs(10);

pub struct Sql {
    query: Query,
    output: Output,
    into: Signal,
    reads: SignalSet,
    keep: bool,
    /// Nobody after it takes what it yields.
    is_idle: bool,
    windows: Option<Windows>,
    /// Its id, which is the source of what it yields.
    id: String,
    /// Batches that passed and that the query failed on.
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
                format!("yields {into} beside the {into} that it read: with keep: false instead")
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
                    // What only passes is not to suffer from what is made of it.
                    Err(error) if self.keep => self.failed(&error, now),
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
            windows.nothing_comes_any_more();
        }
        self.run_windows(now)
    }
}

impl Sql {
    /// A batch that the query could not be run on, though it passes.
    fn failed(&mut self, error: &ProcessError, now: UnixNanos) {
        self.failures.add(1);
        if self
            .warned
            .is_none_or(|warned| now >= warned.after(WARNING))
        {
            self.warned = Some(now);
            warn!(processor = %self.id, error = %Chain(error), "nothing is made of a batch that passes");
        }
    }

    fn run(&mut self, batch: &Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        let rows = vec![(batch.signal(), vec![batch.rows().clone()])];
        let yielded = self.query.run(rows, now, None).map_err(|error| {
            ProcessError::because(format!("{} cannot run its query", self.id), error)
        })?;
        // Nothing was dropped: then it is still the request that it came as.
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
                "{} cannot make {} of what its query yields",
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

    /// Runs the query for each window that is over. Nobody waits for what that yields.
    fn run_windows(&mut self, now: UnixNanos) -> Vec<Batch> {
        let mut made = Vec::new();
        while let Some((window, rows)) = self.windows.as_mut().and_then(|windows| windows.next(now))
        {
            let yielded = match self.query.run(rows, now, Some(window)) {
                Ok(yielded) => yielded,
                Err(error) => {
                    if let Some(windows) = &self.windows {
                        windows.failed();
                    }
                    warn!(processor = %self.id, ?window, error = %Chain(&error), "a window was not asked");
                    continue;
                }
            };
            for rows in yielded {
                match self.fitted(&rows, Delivery::nobody()) {
                    Ok(batch) => made.push(batch),
                    Err(error) => {
                        warn!(processor = %self.id, error = %Chain(&error), "rows of a window are lost");
                    }
                }
            }
        }
        made
    }
}

#[cfg(test)]
mod tests;
