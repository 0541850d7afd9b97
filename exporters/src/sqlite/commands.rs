//! Opens, closes and copies graph files for commands. Another process may write the file at the same time.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pipeline::component::StartError;
use pipeline::store::{Store, StoreSettings};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::SqliteBackend;
use super::database::{BUSY_TIMEOUT, Database, verify};

/// The default of the exporter; no command depends on it.
const OBSERVED_EDGE_TTL: Duration = Duration::from_secs(24 * 60 * 60);

const COPY: &str = "VACUUM INTO ?1";

/// Opens the store in an existing file.
///
/// # Errors
/// If there is no file, or it is not a graph of this version of airdig. Each error says what to do.
pub async fn open_existing(path: &Path) -> Result<Store<SqliteBackend>, StartError> {
    let backend = SqliteBackend::default();
    backend.open(Database::open_existing(path).await?);
    let observed_edge_ttl = OBSERVED_EDGE_TTL;
    Ok(Store::new(backend, StoreSettings { observed_edge_ttl }))
}

/// Closes the file of a store.
pub async fn close(store: &Store<SqliteBackend>) {
    if let Ok(database) = store.backend().database() {
        database.close().await;
    }
}

/// A file that is removed on drop, unless it was renamed.
struct TemporaryFile(PathBuf);

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Copies the graph in a file into a new file; returns the size of the copy in bytes.
///
/// `VACUUM INTO` reads one state of the file, so the copy has all that was committed before it began. The copy is
/// written to a temporary file, synced and then renamed: a file with the final name is complete.
///
/// # Errors
/// If `from` is not a graph of this version, `to` exists, or the copy cannot be written. Each error says what to do.
pub async fn copy(from: &Path, to: &Path) -> Result<u64, StartError> {
    verify(from).await?;
    let folder = folder_of(to)?;
    check_free(to)?;
    let mut name = OsString::from(".");
    name.push(to.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = TemporaryFile(folder.join(name));
    // A killed process with the same process id may have left this file.
    let _ = fs::remove_file(&temporary.0);
    write(from, &temporary.0)
        .await
        .map_err(|error| copy_error(from, to, &error.to_string()))?;
    let bytes = publish(&temporary.0, to, &folder);
    bytes.map_err(|error| copy_error(from, to, &error.to_string()))
}

async fn write(from: &Path, to: &Path) -> Result<(), sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(from).read_only(true);
    let mut connection = options.busy_timeout(BUSY_TIMEOUT).connect().await?;
    let to = to
        .to_str()
        .ok_or_else(|| sqlx::Error::Io(io::Error::other("the path of the copy is not UTF-8")))?;
    let copied = sqlx::query(COPY).bind(to).execute(&mut connection).await;
    connection.close().await?;
    copied.map(|_| ())
}

/// Syncs the complete file and renames it; returns its size in bytes.
fn publish(temporary: &Path, to: &Path, folder: &Path) -> io::Result<u64> {
    let file = File::open(temporary)?;
    file.sync_all()?;
    let bytes = file.metadata()?.len();
    if to.try_exists()? {
        return Err(io::Error::other(
            "another process created the file in the meantime",
        ));
    }
    fs::rename(temporary, to)?;
    File::open(folder)?.sync_all()?;
    Ok(bytes)
}

fn folder_of(to: &Path) -> Result<PathBuf, StartError> {
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new(".")).to_owned();
    match (folder.is_dir(), to.file_name()) {
        (true, Some(_)) => Ok(folder),
        (true, None) => Err(StartError::new(format!(
            "{} is not the path of a file: name the file to create",
            to.display()
        ))),
        (false, _) => Err(StartError::new(format!(
            "there is no folder {}: create it, or name a file elsewhere",
            folder.display()
        ))),
    }
}

/// Checks that neither the copy nor one of the files that SQLite keeps beside it exists: SQLite would apply the log of
/// another database to the copy.
fn check_free(to: &Path) -> Result<(), StartError> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut path = to.as_os_str().to_owned();
        path.push(suffix);
        let path = Path::new(&path);
        if path.symlink_metadata().is_ok() {
            return Err(StartError::new(format!(
                "{} already exists: name another file for the copy, or delete this one",
                path.display()
            )));
        }
    }
    Ok(())
}

/// Says why a copy failed, and what to do.
fn copy_error(from: &Path, to: &Path, error: &str) -> StartError {
    let (shown, copy) = (from.display(), to.display());
    let reason = if error.contains("full") || error.contains("No space") {
        let bytes = fs::metadata(from).map_or(0, |metadata| metadata.len());
        let mebibytes = bytes.div_ceil(1 << 20);
        format!("the disk is full: free up to {mebibytes} MiB, or name a file elsewhere")
    } else if error.contains("unable to open") || error.contains("denied") {
        format!("let this user write to {copy}, or name a file elsewhere ({error})")
    } else {
        error.to_owned()
    };
    StartError::new(format!("cannot copy {shown} to {copy}: {reason}"))
}
