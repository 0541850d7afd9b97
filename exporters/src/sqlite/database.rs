//! The file: opened, brought up to date, and closed.

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

use super::connections::{Connection, DatabaseFile, FileChanged, Opener, Readers, Writer};

static MIGRATIONS: Migrator = sqlx::migrate!("src/sqlite/migrations");

/// What helps where a command named the wrong file.
const ANOTHER: &str = "name another file";

const IS_GRAPH: &str = "SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
const IS_EARLIER: &str = "SELECT count(*) FROM sqlite_master WHERE name = 'earlier_facts'";
const VERSION: &str = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations";

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

    /// Opens a file for a command, which neither creates it nor brings it up to date.
    pub(super) async fn open_existing(path: &Path) -> Result<Database, StartError> {
        verify(path).await?;
        let options = options(path, SqliteSynchronous::Full);
        let closing = Arc::default();
        let failed = |error: &dyn Error| StartError::new(what_to_do(path, ANOTHER, error));
        let connection = Connection::open(&options, &closing).await;
        let connection = connection.map_err(|error| failed(&error))?;
        let database = Database::of("store", path, options, connection, closing).await;
        database.map_err(|error| failed(&error))
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
        let options = options(path, synchronous);
        let instead = format!("set exporters.{id}.path to another file");
        let failed = |error: &dyn Error| StartError::new(what_to_do(path, &instead, error));
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
            MigrateError::VersionMissing(version) => newer(path, version, &instead),
            error => failed(&error),
        })?;
        let database = Database::of(id, path, options, connection, closing).await;
        database.map_err(|error| failed(&error))
    }

    async fn of(
        id: &str,
        path: &Path,
        options: SqliteConnectOptions,
        connection: Connection,
        closing: Arc<AtomicBool>,
    ) -> Result<Database, FileChanged> {
        let file = Arc::new(DatabaseFile::at(path).await?);
        let opener = |options| Opener {
            options,
            file: Arc::clone(&file),
            closing: Arc::clone(&closing),
        };
        let reading = options.clone().read_only(true);
        let reading = reading.pragma("cache_size", READER_CACHE);
        let readers = Arc::new(Readers::new(opener(reading)));
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

/// Memory that a connection keeps pages in, as SQLite takes it (negative: KiB), if it reads so many.
const READER_CACHE: &str = "-16384";

/// The same of the writer. Rows of a batch lie on pages all over the indexes of uids and names: with 16 MiB it
/// read most of them again for each batch, with 64 MiB many of a graph of 200,000 services.
const WRITER_CACHE: &str = "-131072";

/// Pages of the write-ahead log (16 MB) after which they are copied into the database: a page that is written
/// again and again is then copied once.
const LOG_PAGES: &str = "4000";

fn options(path: &Path, synchronous: SqliteSynchronous) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .busy_timeout(BUSY)
        // Rows that a write returns come one by one from a thread of their own: a wait costs more than a row.
        .row_buffer_size(1024)
        .statement_cache_capacity(256)
        .pragma("cache_size", WRITER_CACHE)
        .pragma("wal_autocheckpoint", LOG_PAGES)
}

/// Checks that a file is a graph of the present version. Nothing is written.
pub(super) async fn verify(path: &Path) -> Result<(), StartError> {
    let shown = path.display();
    if !path.is_file() {
        return Err(StartError::new(format!(
            "there is no file {shown}: name the file of a `sqlite` exporter"
        )));
    }
    let failed = |error: sqlx::Error| StartError::new(what_to_do(path, ANOTHER, &error));
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let connected = options.busy_timeout(BUSY).connect().await;
    let mut connection = connected.map_err(failed)?;
    let version = async {
        let there: i64 = sqlx::query_scalar(IS_GRAPH)
            .fetch_one(&mut connection)
            .await?;
        if there == 0 {
            return Ok((None, 0));
        }
        let earlier = sqlx::query_scalar(IS_EARLIER)
            .fetch_one(&mut connection)
            .await?;
        let version = sqlx::query_scalar(VERSION).fetch_one(&mut connection);
        Ok((Some(version.await?), earlier))
    };
    let (version, earlier): (Option<i64>, i64) = version.await.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    let present = MIGRATIONS.iter().map(|migration| migration.version);
    let present = present.max().unwrap_or_default();
    match version {
        None => Err(StartError::new(format!(
            "{shown} is a SQLite database, but not one of a `sqlite` exporter: {ANOTHER}"
        ))),
        Some(version) if version > present => Err(newer(path, version, ANOTHER)),
        Some(version) if version < present || earlier > 0 => Err(StartError::new(format!(
            "{shown} was written by an earlier airdig: start airdig with it once (`airdig run`), which brings \
             it up to date"
        ))),
        Some(_) => Ok(()),
    }
}

fn newer(path: &Path, version: i64, instead: &str) -> StartError {
    StartError::new(format!(
        "{} was written by a newer airdig (its schema has version {version}): run that, or {instead}",
        path.display()
    ))
}

/// One line on why the file cannot be used, and what helps.
fn what_to_do(path: &Path, instead: &str, error: &dyn Error) -> String {
    let (path, error) = (path.display(), error.to_string());
    if error.contains("locked") {
        return format!("{path} is locked by another process: stop that, or {instead}");
    }
    if error.contains("unable to open") {
        return format!(
            "cannot open {path}: make its folder and let this user write there, or {instead}"
        );
    }
    if error.contains("not a database") {
        return format!("{path} is no SQLite database: {instead}");
    }
    if error.contains("readonly") {
        return format!("{path} may not be written: let this user write it, or {instead}");
    }
    format!("cannot use {path}: {error}; repair the cause, or {instead}")
}
