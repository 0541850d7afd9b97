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
//! A batch is one transaction; `Ok` means that it is on the disk. What is stored, and what is current,
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

use std::sync::Arc;

use async_trait::async_trait;
use pipeline::component::{
    BuildError, ExportError, Exporter, Host, Listening, RunError, StartError, Tasks, UnixNanos,
};
use pipeline::counters::{Counter, Gauges};
use pipeline::registry::{BuildExporter, Described, Stability};
use pipeline::reports::ReportBatch;
use pipeline::store::rows::RowsError;
use pipeline::store::{Settings, Store};
use pipeline::{Batch, SignalSet};

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
        let reports = ReportBatch::of(batch, UnixNanos::now());
        let written = self.store.write(&reports).await;
        let (_, counted) = written.map_err(|error| failed(batch, error))?;
        let signal = batch.signal();
        self.too_old.add(counted.too_old);
        if counted.late_completions > 0 {
            let (exporter, scans) = (&self.id, counted.late_completions);
            tracing::warn!(
                exporter,
                scans,
                "scans arrived after 14 newer ones: they end nothing"
            );
        }
        // Only now: what is tried again is not rejected twice.
        let mut reasons = Vec::new();
        if reports.rejected.total() > 0 {
            reasons.push(reports.rejected.reason());
        }
        if counted.too_old > 0 {
            let rows = counted.too_old;
            reasons.push(format!("{rows} older than exporters.{}.retention", self.id));
        }
        let rows = reports.rejected.total() as u64 + counted.too_old;
        if rows > 0 {
            let reason = format!("{signal}: {}", reasons.join(", "));
            tracing::warn!(exporter = self.id, rows, reason, "rows were rejected");
            batch.delivery().reject_rows(rows, &reason);
        }
        Ok(())
    }

    async fn stop(&self) -> Result<(), RunError> {
        if let Ok(database) = self.store.backend().database() {
            database.close().await;
        }
        Ok(())
    }
}

/// An error that the rows themselves cause is permanent; any other may pass.
fn failed(batch: &Batch, error: RowsError) -> ExportError {
    let is_retryable = error.is_retryable;
    let reason = format!(
        "write {} rows of {}: {}",
        batch.num_rows(),
        batch.signal(),
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
