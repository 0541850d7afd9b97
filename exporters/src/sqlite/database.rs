//! The file: opened, brought up to date, and closed.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pipeline::component::StartError;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use tokio::time::timeout;

use super::connections::{Connection, DatabaseFile, Opener, Readers, Writer};

static MIGRATIONS: Migrator = sqlx::migrate!("src/sqlite/migrations");

/// How long a statement waits for another process that writes the file.
const BUSY: Duration = Duration::from_secs(3);

/// How long reads may go on once the exporter stops; then they are interrupted.
const LAST_READS: Duration = Duration::from_millis(500);

/// How long the exporter waits for SQLite to close the file.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Database {
    pub(super) writer: Arc<Writer>,
    pub(super) readers: Arc<Readers>,
    file: Arc<DatabaseFile>,
    closing: Arc<AtomicBool>,
}

impl Database {
    /// Opens the file for the exporter of this id, and creates it where it is missing.
    pub(super) async fn open(path: &Path, id: &str) -> Result<Database, StartError> {
        // An answer to a sender says that its data is on the disk.
        Database::open_with(path, id, SqliteSynchronous::Full).await
    }

    /// A file that need not survive the machine.
    #[cfg(test)]
    pub(super) async fn open_unsafely(path: &Path) -> Result<Database, StartError> {
        Database::open_with(path, "test", SqliteSynchronous::Off).await
    }

    async fn open_with(
        path: &Path,
        id: &str,
        synchronous: SqliteSynchronous,
    ) -> Result<Database, StartError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .busy_timeout(BUSY)
            // Rows come from a thread of their own: each time it waits costs more than the row.
            .row_buffer_size(1024)
            .statement_cache_capacity(256);
        let failed = |error: &dyn Error| StartError::new(what_to_do(path, id, &error.to_string()));
        let closing = Arc::default();
        let creating = options
            .clone()
            .create_if_missing(true)
            // Of a new file: what is removed from it gives space back in small steps.
            .auto_vacuum(SqliteAutoVacuum::Incremental);
        let mut connection = Connection::open(&creating, &closing)
            .await
            .map_err(|error| failed(&error))?;
        let migrated = MIGRATIONS
            // As `run`, which does not compile in a future that must be `Send`.
            .run_direct(None, connection.sqlite(), false)
            .await;
        migrated.map_err(|error| match error {
            MigrateError::VersionMissing(version) => StartError::new(format!(
                "{} was written by a newer airdig (its schema has version {version}): run that, or set \
                 exporters.{id}.path to another file",
                path.display()
            )),
            error => failed(&error),
        })?;
        let file = DatabaseFile::at(path).await;
        let file = Arc::new(file.map_err(|error| failed(&error))?);
        let opener = |options| Opener {
            options,
            file: Arc::clone(&file),
            closing: Arc::clone(&closing),
        };
        let readers = Arc::new(Readers::new(opener(options.clone().read_only(true))));
        let writer = Arc::new(Writer::new(id, opener(options), connection));
        Ok(Database {
            writer,
            readers,
            file,
            closing,
        })
    }

    /// Closes all connections. The writer's is the last, so that SQLite moves the write-ahead log
    /// into the database. Returns after [`CLOSE_WITHIN`] in any case: whatever was committed is safe.
    pub(super) async fn close(&self) {
        let close = async {
            if timeout(LAST_READS, self.readers.close()).await.is_err() {
                self.closing.store(true, Ordering::Relaxed);
                self.readers.close().await;
            }
            self.writer.close().await;
        };
        if timeout(CLOSE_WITHIN, close).await.is_err() {
            let path = self.file.path().display();
            tracing::warn!(%path, within = ?CLOSE_WITHIN, "the database did not close in time");
        }
    }
}

/// One line on why the file cannot be used, and what helps.
fn what_to_do(path: &Path, id: &str, error: &str) -> String {
    let path = path.display();
    if error.contains("locked") {
        return format!(
            "{path} is locked by another process: stop that, or set exporters.{id}.path to another file"
        );
    }
    if error.contains("unable to open") {
        return format!(
            "cannot open {path}: make its folder and let this user write there, or set exporters.{id}.path"
        );
    }
    if error.contains("not a database") {
        return format!("{path} is no SQLite database: set exporters.{id}.path to another file");
    }
    if error.contains("readonly") {
        return format!(
            "{path} may not be written: let this user write it, or set exporters.{id}.path to another file"
        );
    }
    format!("cannot use {path} (exporters.{id}.path): {error}")
}
