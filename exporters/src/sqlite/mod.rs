//! Keeps the graph in one SQLite file: nothing to install.
//!
//! ```yaml
//! exporters:
//!   sqlite: {path: airdig.db, seen_for: 24h}
//!   graphql: {store: sqlite}
//! ```
//!
//! A batch is one transaction of upserts; `Ok` means that it is on the disk. What is stored are
//! the facts of [`pipeline::facts`], so neither order nor repetition matters and several processes
//! may write one file. What is current is found when it is read, by the same pure code as in every
//! store.
//!
//! ```text
//!  Batch ─▶ write/ ─▶ one connection, one transaction ─▶ WAL file ◀─ four connections ◀─ read/
//!              └──▶ Commit: what is new, to those who follow
//! ```
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
use pipeline::facts::Told;
use pipeline::registry::{BuildExporter, Described, Stability};
use pipeline::{Batch, SignalSet};

mod backend;
mod bulk;
mod config;
mod connections;
mod database;
mod read;
mod reader;
mod rows;
mod store;
mod write;

pub use backend::SqliteBackend;
pub use config::Config;
use connections::WriteError;
use database::Database;
pub use store::Store;

#[derive(Debug)]
pub struct Sqlite {
    id: String,
    config: Config,
    store: Arc<Store>,
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
        let store = Arc::new(Store::new(config.seen_for));
        host.provide_graph_store(store.clone());
        Ok(Sqlite {
            id: host.id().to_string(),
            config,
            store,
        })
    }
}

#[async_trait]
impl Exporter for Sqlite {
    async fn start(&mut self, _: &mut Tasks) -> Result<Vec<Listening>, StartError> {
        let database = Database::open(&self.config.path, &self.id).await?;
        self.store.open(database);
        Ok(Vec::new())
    }

    /// There is one writer.
    fn concurrency(&self) -> usize {
        1
    }

    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        let told = Told::of(batch, UnixNanos::now());
        let written = self.store.write(&told).await;
        written.map_err(|error| failed(batch, error))?;
        // Only now: what is tried again is not rejected twice.
        if told.without_uid > 0 {
            let (signal, rows) = (batch.signal(), told.without_uid);
            tracing::warn!(exporter = self.id, %signal, rows, "rows without a uid were left out");
            let reason = format!("{rows} rows of {signal} have no uid");
            batch.delivery().reject_rows(rows as u64, &reason);
        }
        Ok(())
    }

    async fn stop(&self) -> Result<(), RunError> {
        self.store.close().await;
        Ok(())
    }
}

/// An error that the rows themselves cause is permanent; any other may pass.
fn failed(batch: &Batch, error: WriteError) -> ExportError {
    let (rows, signal) = (batch.num_rows(), batch.signal());
    let reason = format!("write {rows} rows of {signal}: {error}");
    if error.concerns_rows() {
        return ExportError::permanent(reason, error.into_cause());
    }
    ExportError::retryable(reason, error.into_cause())
}

#[cfg(test)]
mod tests;
