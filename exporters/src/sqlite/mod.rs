//! Stores the graph and its history in one SQLite file. No other software is needed.
//!
//! ```yaml
//! exporters:
//!   sqlite:
//!     path: airdig.db
//!     observed_edge_ttl: 24h
//!     retention: {history: 30d, edge_stats: 14d, edge_stats_hourly: 90d, records: 90d}
//!   graphql: {store: sqlite}
//! ```
//!
//! The exporter writes one batch, or several queued batches, in one transaction. `Ok` means that all accepted rows
//! are on the disk.
//! The rules of [`pipeline::claims`] merge reports, so neither their order nor repetition matters, and several
//! processes may write one file. [`pipeline::store`] has the logic of every store; this exporter stores its rows.
//!
//! ```text
//!  Batch ─▶ ReportBatch ─▶ pipeline::store ─▶ backend/ ─▶ connections/ ─▶ database file
//!                              ▲ reads ────────┘            one writer, four readers
//!                              └─▶ Commit: the changes of a transaction, to all subscribers
//! ```
//!
//! When the exporter starts, it upgrades a file that an earlier version wrote (`earlier/`).
//!
//! A failed transaction discards its connection (`connections/`), whatever the error: a full disk, an I/O error, no
//! memory, a lock of another process. The next transaction opens a new connection, so writing resumes when the cause is
//! gone. The sender gets a retryable error with the cause and the path (a permanent one if its rows caused the error).
//! The exporter logs the first error of an outage, and the end of the outage.
//!
//! If the file is deleted or replaced while airdig runs, writes and reads fail and name its path until the same file
//! is back or airdig restarts. The exporter does not continue in a new file: receivers report only changes since their
//! last report, so the new file would lack everything unchanged. After a restart, receivers compare with the
//! new file and report everything.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use pipeline::component::{
    BuildError, ExportError, Exporter, Host, ListenAddress, RowCounts, RunError, StartError, Tasks,
    UnixNanos,
};
use pipeline::counters::{Counter, Gauges};
use pipeline::graph_store::Commit;
use pipeline::registry::{BuildExporter, ComponentMeta, Stability};
use pipeline::reports::{RejectedRows, ReportBatch};
use pipeline::schema::nodes;
use pipeline::store::rows::RowsError;
use pipeline::store::{Store, StoreSettings};
use pipeline::{Batch, Signal, SignalSet};

mod backend;
mod background_tasks;
mod clock_guard;
mod commands;
mod config;
mod connections;
mod database;
mod earlier;

pub use backend::SqliteBackend;
use background_tasks::BackgroundTasks;
pub use commands::{close, copy, open_existing};
pub use config::{Config, InvalidPath};
use connections::WriteError;
use database::Database;

/// The exporter `sqlite`.
#[derive(Debug)]
pub struct Sqlite {
    id: String,
    config: Config,
    store: Arc<Store<SqliteBackend>>,
    gauges: Gauges,
    /// Counts the rows that were rejected because they are older than the retention.
    rows_before_horizon: Counter,
}

impl ComponentMeta for Sqlite {
    const TYPE: &'static str = "sqlite";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "stores the graph and its history in one file";
    type Config = Config;
}

impl BuildExporter for Sqlite {
    const ACCEPTS: SignalSet = SignalSet::GRAPH;
    const IDEMPOTENT: bool = true;
    const IS_GRAPH_STORE: bool = true;

    fn build(config: Config, host: &Host) -> Result<Sqlite, BuildError> {
        let settings = StoreSettings {
            observed_edge_ttl: config.observed_edge_ttl,
        };
        let store = Arc::new(Store::new(SqliteBackend::default(), settings));
        host.provide_graph_store(store.clone());
        Ok(Sqlite {
            id: host.id().to_string(),
            config,
            store,
            gauges: host.gauges(),
            rows_before_horizon: host.counter("rows_before_horizon"),
        })
    }
}

#[async_trait]
impl Exporter for Sqlite {
    async fn start(&mut self, tasks: &mut Tasks) -> Result<Vec<ListenAddress>, StartError> {
        let database = Database::open(&self.config.path, &self.id).await?;
        self.store.backend().open(database);
        earlier::import_rows(&self.store, &self.config.path, &self.id).await?;
        let background_tasks = BackgroundTasks {
            id: self.id.clone(),
            store: Arc::clone(&self.store),
            retention: self.config.retention,
            gauges: self.gauges.clone(),
        };
        background_tasks.spawn(tasks);
        Ok(Vec::new())
    }

    /// SQLite allows one writer at a time.
    fn concurrency(&self) -> usize {
        1
    }

    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        self.write(std::slice::from_ref(batch)).await
    }

    async fn export_joint(&self, batches: &[Batch]) -> Result<(), ExportError> {
        self.write(batches).await
    }

    /// Accepts a batch if the commit of the joint export still names every changed uid: the commit of more than
    /// [`Commit::MAX_ROWS`] rows of a signal may be truncated. A batch with resources or scan completions is written
    /// alone, since one of its rows can change any number of nodes or edges.
    fn can_join(&self, before: &RowCounts, batch: &Batch) -> bool {
        // A commit has one list for the records of all signals, so they count together.
        let counted_together: &[Signal] = match batch.signal() {
            Signal::Resources => return false,
            Signal::Nodes if batch.column(nodes::MEMBERS).null_count() < batch.num_rows() => {
                return false;
            }
            signal if Signal::RECORDS.contains(&signal) => &Signal::RECORDS,
            signal => &[signal],
        };
        let rows_before = counted_together.iter().map(|signal| before.of(*signal));
        rows_before.sum::<usize>() + batch.num_rows() <= Commit::MAX_ROWS
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
        let reports = batches
            .iter()
            .map(|batch| ReportBatch::from_batch(batch, now));
        let reports: Vec<ReportBatch<'_>> = reports.collect();
        let rejected: Vec<RejectedRows> = reports.iter().map(|reports| reports.rejected).collect();
        let written = self.store.write_batches(reports, now).await;
        let written = written.map_err(|error| export_error(batches, error))?;
        if written.late_completions > 0 {
            let (exporter, scans) = (&self.id, written.late_completions);
            tracing::warn!(
                exporter,
                scans,
                "ignored scan completions, since more than 14 newer ones of their scope had arrived: they end no claims"
            );
        }
        // Reports rejected rows after the commit, so that a retry does not report them twice.
        for ((batch, rejected), &too_old) in batches.iter().zip(&rejected).zip(&written.too_old) {
            self.rows_before_horizon.add(too_old);
            let Some((rows, reason)) = self.rejection(batch, rejected, too_old) else {
                continue;
            };
            tracing::warn!(exporter = self.id, rows, reason, "rejected rows");
            match batch.by_sender() {
                parts if parts.len() > 1 => {
                    for part in &parts {
                        let reports = ReportBatch::from_batch(part, now);
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

    /// The number of rejected rows of a batch, and the reason; `None` if the store accepted all rows.
    fn rejection(
        &self,
        batch: &Batch,
        rejected: &RejectedRows,
        too_old: u64,
    ) -> Option<(u64, String)> {
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

/// Converts an error of the store to a permanent error if the rows caused it, else to a retryable one.
fn export_error(batches: &[Batch], error: RowsError) -> ExportError {
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
