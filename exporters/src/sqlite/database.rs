//! The file: opened, brought up to date, and its connections.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use pipeline::component::StartError;
use sqlx::SqlitePool;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

static MIGRATIONS: Migrator = sqlx::migrate!("src/sqlite/migrations");

/// How long a statement waits for another process that writes the file.
const BUSY: Duration = Duration::from_secs(3);

#[derive(Clone, Debug)]
pub(super) struct Database {
    /// One connection: SQLite has one writer.
    pub(super) writer: SqlitePool,
    pub(super) readers: SqlitePool,
}

impl Database {
    /// Opens the file for the exporter of this id.
    pub(super) async fn open(path: &Path, id: &str) -> Result<Database, StartError> {
        let options = SqliteConnectOptions::from_str("sqlite:")
            .unwrap_or_default()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An answer to a sender says that its data is on the disk.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            // Rows come from a thread of their own: each time it waits costs more than the row.
            .row_buffer_size(1024)
            .statement_cache_capacity(64);
        let failed = |error: sqlx::Error| StartError::new(what_to_do(path, id, &error.to_string()));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone())
            .await
            .map_err(failed)?;
        MIGRATIONS.run(&writer).await.map_err(|error| {
            StartError::new(match error {
                MigrateError::VersionMissing(version) => format!(
                    "{} was written by a newer airdig (its schema has version {version}): run that, or set \
                     exporters.{id}.path to another file",
                    path.display()
                ),
                error => what_to_do(path, id, &error.to_string()),
            })
        })?;
        let readers = SqlitePoolOptions::new()
            .min_connections(0)
            .max_connections(4)
            .idle_timeout(Duration::from_secs(60))
            .connect_with(options.read_only(true))
            .await
            .map_err(failed)?;
        Ok(Database { writer, readers })
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
