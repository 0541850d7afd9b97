//! Keeps the graph in one SQLite file: nothing to install.
//!
//! ```yaml
//! exporters:
//!   sqlite:
//!     path: airdig.db
//!     seen_for: 24h
//!     retention: {history: 30d, edge_stats: 14d, edge_stats_hourly: 90d, records: 90d}
//!   graphql: {store: sqlite}
//! ```
//!
//! A batch is one transaction, or a part of one with others that waited for the writer; `Ok` means that it is
//! on the disk. What is stored, and what is current,
//! follows the rules of [`pipeline::claims`], so neither order nor repetition matters and several
//! processes may write one file. Its logic is that of every store ([`pipeline::store`]); this exporter
//! keeps the rows.
//!
//! ```text
//!  Batch ─▶ ReportBatch ─▶ pipeline::store ─▶ backend/ ─▶ connections/ ─▶ WAL file
//!                              ▲ reads ────────┘            one writes, four read
//!                              └─▶ Commit: what is new, to those who follow
//! ```
//!
//! A file that an earlier version wrote is brought up to date when the exporter starts (`earlier/`).
//!
//! A transaction that fails discards its connection (`connections/`), whatever the error: a full
//! disk, an I/O error, no memory, a lock of another process. The sender gets the cause and the path
//! in a retryable error, the first cause is logged once, and the next attempt opens a new connection.
//! So writing resumes by itself when there is space again.
//!
//! When the file is deleted or replaced while airdig runs, writes and reads fail with its path
//! until the same file is back or airdig is restarted. The exporter does not go on in a new file:
//! receivers report only what changed since they last reported it, so that file would lack all
//! that is unchanged. After a restart they compare with the new file and report everything.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use pipeline::component::{
    BuildError, ExportError, Exporter, Host, Listening, RowCounts, RunError, StartError, Tasks,
    UnixNanos,
};
use pipeline::counters::{Counter, Gauges};
use pipeline::graph_store::Commit;
use pipeline::registry::{BuildExporter, Described, Stability};
use pipeline::reports::{Rejected, ReportBatch};
use pipeline::schema::nodes;
use pipeline::store::rows::RowsError;
use pipeline::store::{Settings, Store};
use pipeline::{Batch, Signal, SignalSet};

mod backend;
mod config;
mod connections;
mod copy;
mod database;
mod earlier;
mod existing;
mod upkeep;

pub use backend::SqliteBackend;
pub use config::{Config, InvalidPath};
use connections::WriteError;
pub use copy::copy;
use database::Database;
pub use existing::{close, open_existing};
use upkeep::Upkeep;

#[derive(Debug)]
pub struct Sqlite {
    id: String,
    config: Config,
    store: Arc<Store<SqliteBackend>>,
    gauges: Gauges,
    too_old: Counter,
}

impl Described for Sqlite {
    const TYPE: &'static str = "sqlite";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "the graph in one SQLite file, with its past";
    type Config = Config;
}

impl BuildExporter for Sqlite {
    const ACCEPTS: SignalSet = SignalSet::GRAPH;
    const IDEMPOTENT: bool = true;
    const KEEPS_GRAPH: bool = true;

    fn build(config: Config, host: &Host) -> Result<Sqlite, BuildError> {
        let settings = Settings {
            seen_for: config.seen_for,
        };
        let store = Arc::new(Store::new(SqliteBackend::default(), settings));
        host.provide_graph_store(store.clone());
        Ok(Sqlite {
            id: host.id().to_string(),
            config,
            store,
            gauges: host.gauges(),
            too_old: host.counter("rows_before_horizon"),
        })
    }
}

#[async_trait]
impl Exporter for Sqlite {
    async fn start(&mut self, tasks: &mut Tasks) -> Result<Vec<Listening>, StartError> {
        let database = Database::open(&self.config.path, &self.id).await?;
        self.store.backend().open(database);
        earlier::move_rows(&self.store, &self.config.path, &self.id).await?;
        let upkeep = Upkeep {
            id: self.id.clone(),
            store: Arc::clone(&self.store),
            retention: self.config.retention,
            gauges: self.gauges.clone(),
        };
        upkeep.spawn(tasks);
        Ok(Vec::new())
    }

    /// There is one writer.
    fn concurrency(&self) -> usize {
        1
    }

    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        self.write(std::slice::from_ref(batch)).await
    }

    async fn export_together(&self, batches: &[Batch]) -> Result<(), ExportError> {
        self.write(batches).await
    }

    /// Up to so many rows that the commit is announced whole. A resource is one row with all its edges, the
    /// completion of a scan one for any number of nodes.
    fn joins(&self, before: &RowCounts, batch: &Batch) -> bool {
        let listed_together: &[Signal] = match batch.signal() {
            Signal::Resources => return false,
            Signal::Nodes if batch.column(nodes::MEMBERS).null_count() < batch.num_rows() => {
                return false;
            }
            signal if Signal::RECORDS.contains(&signal) => &Signal::RECORDS,
            signal => &[signal],
        };
        let before: usize = listed_together.iter().map(|it| before.of(*it)).sum();
        before + batch.num_rows() <= Commit::MOST_ROWS
    }

    async fn stop(&self) -> Result<(), RunError> {
        if let Ok(database) = self.store.backend().database() {
            database.close().await;
        }
        Ok(())
    }
}

impl Sqlite {
    /// Writes batches in one transaction.
    async fn write(&self, batches: &[Batch]) -> Result<(), ExportError> {
        let now = UnixNanos::now();
        let reports = batches.iter().map(|batch| ReportBatch::of(batch, now));
        let reports: Vec<ReportBatch<'_>> = reports.collect();
        let rejected: Vec<Rejected> = reports.iter().map(|reports| reports.rejected).collect();
        let written = self.store.write_together(reports, now).await;
        let written = written.map_err(|error| failed(batches, error))?;
        if written.late_completions > 0 {
            let (exporter, scans) = (&self.id, written.late_completions);
            tracing::warn!(
                exporter,
                scans,
                "scans arrived after 14 newer ones: they end nothing"
            );
        }
        // Only now: what is tried again is not rejected twice.
        for ((batch, rejected), &too_old) in batches.iter().zip(&rejected).zip(&written.too_old) {
            self.too_old.add(too_old);
            let Some((rows, reason)) = self.rejection(batch, rejected, too_old) else {
                continue;
            };
            tracing::warn!(exporter = self.id, rows, reason, "rows were rejected");
            match batch.by_sender() {
                parts if parts.len() > 1 => {
                    for part in &parts {
                        let reports = ReportBatch::of(part, now);
                        let too_old = written.horizon.too_old(&reports);
                        let rejection = self.rejection(part, &reports.rejected, too_old);
                        rejection
                            .inspect(|(rows, reason)| part.delivery().reject_rows(*rows, reason));
                    }
                }
                _ => batch.delivery().reject_rows(rows, &reason),
            }
        }
        Ok(())
    }

    /// How many rows of a batch are rejected, and why.
    fn rejection(&self, batch: &Batch, rejected: &Rejected, too_old: u64) -> Option<(u64, String)> {
        let rows = (rejected.total() as u64 + too_old).min(batch.num_rows() as u64);
        let mut reasons = Vec::new();
        if rejected.total() > 0 {
            reasons.push(rejected.reason());
        }
        if too_old > 0 {
            reasons.push(format!(
                "{too_old} older than exporters.{}.retention",
                self.id
            ));
        }
        (rows > 0).then(|| (rows, format!("{}: {}", batch.signal(), reasons.join(", "))))
    }
}

/// An error that the rows themselves cause is permanent; any other may pass.
fn failed(batches: &[Batch], error: RowsError) -> ExportError {
    let is_retryable = error.is_retryable;
    let signals: BTreeSet<&str> = batches.iter().map(|batch| batch.signal().name()).collect();
    let signals: Vec<&str> = signals.into_iter().collect();
    let reason = format!(
        "write {} rows of {}: {}",
        batches.iter().map(Batch::num_rows).sum::<usize>(),
        signals.join(", "),
        error.source
    );
    let cause = match error.source.downcast::<WriteError>() {
        Ok(error) => error.into_cause().into(),
        Err(other) => other,
    };
    match is_retryable {
        true => ExportError::retryable(reason, cause),
        false => ExportError::permanent(reason, cause),
    }
}

#[cfg(test)]
mod tests;
