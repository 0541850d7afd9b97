//! Opens the database file, migrates its schema, and closes it.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pipeline::component::StartError;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::time::timeout;

use super::connections::{
    ConnectionOpener, DatabaseFile, FileChanged, InterruptibleConnection, ReaderPool, SqliteWriter,
};

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("src/sqlite/migrations");

/// The advice in errors of a command that got the wrong file.
const NAME_ANOTHER_FILE: &str = "name another file";

const IS_GRAPH: &str = "SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
/// Returns 1 while the file has tables of an earlier version, else 0.
pub(super) const HAS_EARLIER_TABLES: &str =
    "SELECT count(*) FROM sqlite_master WHERE name = 'earlier_facts'";
const SCHEMA_VERSION: &str = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations";

/// How long a statement waits for the lock of another process.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(3);

/// How long running reads may continue after the exporter stops; then they are interrupted.
const READ_GRACE_PERIOD: Duration = Duration::from_millis(500);

/// How long the exporter waits for SQLite to close the file.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// The connections to one open database file.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) writer: Arc<SqliteWriter>,
    pub(super) readers: Arc<ReaderPool>,
    file: Arc<DatabaseFile>,
    /// While this flag is set, SQLite interrupts the statements of all connections.
    closing: Arc<AtomicBool>,
}

impl Database {
    /// Opens the file for the exporter with this id: creates it if it is missing, and migrates its schema.
    ///
    /// # Errors
    /// If the file cannot be used. The error says what to do.
    pub(super) async fn open(path: &Path, id: &str) -> Result<Database, StartError> {
        // An acknowledgement means that the data is on the disk.
        Database::open_with(path, id, SqliteSynchronous::Full).await
    }

    /// Opens a file for a command: it neither creates the file nor migrates its schema.
    ///
    /// # Errors
    /// If there is no file, or it is not a graph of this version. The error says what to do.
    pub(super) async fn open_existing(path: &Path) -> Result<Database, StartError> {
        verify(path).await?;
        let options = options(path, SqliteSynchronous::Full);
        let closing = Arc::default();
        let failed = |error: &dyn Error| StartError::new(explain(path, NAME_ANOTHER_FILE, error));
        let connection = InterruptibleConnection::open(&options, &closing).await;
        let connection = connection.map_err(|error| failed(&error))?;
        let database = Database::assemble("store", path, options, connection, closing).await;
        database.map_err(|error| failed(&error))
    }

    /// Opens a file whose commits need not survive a crash of the machine.
    #[cfg(test)]
    pub(super) async fn open_without_sync(path: &Path) -> Result<Database, StartError> {
        Database::open_with(path, "test", SqliteSynchronous::Off).await
    }

    async fn open_with(
        path: &Path,
        id: &str,
        synchronous: SqliteSynchronous,
    ) -> Result<Database, StartError> {
        let options = options(path, synchronous);
        let alternative = format!("set exporters.{id}.path to another file");
        let failed = |error: &dyn Error| StartError::new(explain(path, &alternative, error));
        let closing = Arc::default();
        let creating = options
            .clone()
            .create_if_missing(true)
            // Only a new file gets this setting, with which housekeeping frees unused pages in small steps.
            .auto_vacuum(SqliteAutoVacuum::Incremental);
        let mut connection = InterruptibleConnection::open(&creating, &closing)
            .await
            .map_err(|error| failed(&error))?;
        let migrated = MIGRATIONS
            // `run` does the same, but does not compile in a future that must be `Send`.
            .run_direct(None, connection.sqlite(), false)
            .await;
        migrated.map_err(|error| match error {
            MigrateError::VersionMissing(version) => newer_version(path, version, &alternative),
            error => failed(&error),
        })?;
        let database = Database::assemble(id, path, options, connection, closing).await;
        database.map_err(|error| failed(&error))
    }

    async fn assemble(
        id: &str,
        path: &Path,
        options: SqliteConnectOptions,
        connection: InterruptibleConnection,
        closing: Arc<AtomicBool>,
    ) -> Result<Database, FileChanged> {
        let file = Arc::new(DatabaseFile::at(path).await?);
        let opener = |options| ConnectionOpener {
            options,
            file: Arc::clone(&file),
            closing: Arc::clone(&closing),
        };
        let reading = options.clone().read_only(true);
        let reading = reading.pragma("cache_size", READER_CACHE);
        let readers = Arc::new(ReaderPool::new(opener(reading)));
        let writer = Arc::new(SqliteWriter::new(id, opener(options), connection));
        Ok(Database {
            writer,
            readers,
            file,
            closing,
        })
    }

    /// Closes all connections, the writer's last, so that SQLite moves the write-ahead log into the database. Returns
    /// after [`CLOSE_TIMEOUT`] at the latest: committed transactions are durable anyway.
    pub(super) async fn close(&self) {
        let close = async {
            if timeout(READ_GRACE_PERIOD, self.readers.close())
                .await
                .is_err()
            {
                self.closing.store(true, Ordering::Relaxed);
                self.readers.close().await;
            }
            self.writer.close().await;
        };
        if timeout(CLOSE_TIMEOUT, close).await.is_err() {
            let path = self.file.path().display();
            tracing::warn!(%path, within = ?CLOSE_TIMEOUT, "closing the database timed out");
        }
    }
}

/// The limit of the page cache of a reader. A negative number is in KiB.
const READER_CACHE: &str = "-16384";

/// The limit of the page cache of the writer. A batch needs pages all over the indexes of uids and names. With 16 MiB,
/// the writer read most of them again for each batch; with 64 MiB, it read many of them again in a graph of 200,000
/// services.
const WRITER_CACHE: &str = "-131072";

/// The length of the write-ahead log, in pages (16 MB), at which SQLite copies it into the database. A page that was
/// written several times in the meantime is copied once.
const CHECKPOINT_PAGES: &str = "4000";

fn options(path: &Path, synchronous: SqliteSynchronous) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .busy_timeout(BUSY_TIMEOUT)
        // The thread of the connection sends the rows that a write returns one by one. With a smaller buffer it would
        // often wait for the reader, and a wait costs more than a row.
        .row_buffer_size(1024)
        .statement_cache_capacity(256)
        .pragma("cache_size", WRITER_CACHE)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
}

/// Checks that a file is a graph of this version of airdig, without writing.
///
/// # Errors
/// If it is not. The error says what to do.
pub(super) async fn verify(path: &Path) -> Result<(), StartError> {
    let shown = path.display();
    if !path.is_file() {
        return Err(StartError::new(format!(
            "there is no file {shown}: name the file of a `sqlite` exporter"
        )));
    }
    let failed = |error: sqlx::Error| StartError::new(explain(path, NAME_ANOTHER_FILE, &error));
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let connected = options.busy_timeout(BUSY_TIMEOUT).connect().await;
    let mut connection = connected.map_err(failed)?;
    let version = async {
        let tables: i64 = sqlx::query_scalar(IS_GRAPH)
            .fetch_one(&mut connection)
            .await?;
        if tables == 0 {
            return Ok((None, 0));
        }
        let earlier = sqlx::query_scalar(HAS_EARLIER_TABLES)
            .fetch_one(&mut connection)
            .await?;
        let version = sqlx::query_scalar(SCHEMA_VERSION).fetch_one(&mut connection);
        Ok((Some(version.await?), earlier))
    };
    let (version, earlier): (Option<i64>, i64) = version.await.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    let newest = MIGRATIONS.iter().map(|migration| migration.version);
    let newest = newest.max().unwrap_or_default();
    match version {
        None => Err(StartError::new(format!(
            "{shown} is a SQLite database, but no `sqlite` exporter wrote it: {NAME_ANOTHER_FILE}"
        ))),
        Some(version) if version > newest => Err(newer_version(path, version, NAME_ANOTHER_FILE)),
        Some(version) if version < newest || earlier > 0 => Err(StartError::new(format!(
            "{shown} was written by an earlier version of airdig: start airdig with it once (`airdig run`) to \
             upgrade it"
        ))),
        Some(_) => Ok(()),
    }
}

fn newer_version(path: &Path, version: i64, alternative: &str) -> StartError {
    StartError::new(format!(
        "{} was written by a newer version of airdig (its schema has version {version}): run that version, or \
         {alternative}",
        path.display()
    ))
}

/// One line that says why the file cannot be used, and what to do.
fn explain(path: &Path, alternative: &str, error: &dyn Error) -> String {
    let (path, error) = (path.display(), error.to_string());
    if error.contains("locked") {
        return format!("{path} is locked by another process: stop that process, or {alternative}");
    }
    if error.contains("unable to open") {
        return format!(
            "cannot open {path}: create its folder and let this user write to it, or {alternative}"
        );
    }
    if error.contains("not a database") {
        return format!("{path} is not a SQLite database: {alternative}");
    }
    if error.contains("readonly") {
        return format!(
            "this user may not write {path}: change the permissions of the file, or {alternative}"
        );
    }
    format!("cannot use {path}: {error}; fix the cause, or {alternative}")
}
