//! Copies a file while others write it.
//!
//! `VACUUM INTO` reads one state of the file, so the copy has all that was committed before it began. It is
//! written under a name of its own, synced and then renamed: a file with the final name is complete.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pipeline::component::StartError;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::database::verify;

/// How long it waits for a process that has the file locked.
const BUSY: Duration = Duration::from_secs(3);

const COPY: &str = "VACUUM INTO ?1";

/// Removes the file under the temporary name, if it is left.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Copies the graph in a file into a new file; how many bytes that has.
///
/// # Errors
/// When the first is no graph, the second exists, or it cannot be written. Each says what to do.
pub async fn copy(from: &Path, to: &Path) -> Result<u64, StartError> {
    verify(from).await?;
    let folder = folder_of(to)?;
    check_free(to)?;
    let mut name = OsString::from(".");
    name.push(to.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = Temporary(folder.join(name));
    // What a process of this number left when it was killed.
    let _ = fs::remove_file(&temporary.0);
    write(from, &temporary.0)
        .await
        .map_err(|error| failed(from, to, &error.to_string()))?;
    let bytes = publish(&temporary.0, to, &folder);
    bytes.map_err(|error| failed(from, to, &error.to_string()))
}

async fn write(from: &Path, to: &Path) -> Result<(), sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(from).read_only(true);
    let mut connection = options.busy_timeout(BUSY).connect().await?;
    let to = to
        .to_str()
        .ok_or_else(|| sqlx::Error::Io(io::Error::other("the path of the copy is not UTF-8")))?;
    let copied = sqlx::query(COPY).bind(to).execute(&mut connection).await;
    connection.close().await?;
    copied.map(|_| ())
}

/// Gives the complete file its name.
fn publish(temporary: &Path, to: &Path, folder: &Path) -> io::Result<u64> {
    let file = File::open(temporary)?;
    file.sync_all()?;
    let bytes = file.metadata()?.len();
    if to.try_exists()? {
        return Err(io::Error::other("it was created meanwhile"));
    }
    fs::rename(temporary, to)?;
    File::open(folder)?.sync_all()?;
    Ok(bytes)
}

fn folder_of(to: &Path) -> Result<PathBuf, StartError> {
    let parent = to.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new(".")).to_owned();
    match (folder.is_dir(), to.file_name()) {
        (true, Some(_)) => Ok(folder),
        (true, None) => Err(StartError::new(format!(
            "{} names no file: name the file that the copy is to be",
            to.display()
        ))),
        (false, _) => Err(StartError::new(format!(
            "there is no folder {}: make it, or name a file elsewhere",
            folder.display()
        ))),
    }
}

/// A log of another database would be taken for one of the copy.
fn check_free(to: &Path) -> Result<(), StartError> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut path = to.as_os_str().to_owned();
        path.push(suffix);
        let path = Path::new(&path);
        if path.symlink_metadata().is_ok() {
            return Err(StartError::new(format!(
                "{} exists already: name another file for the copy, or delete that one",
                path.display()
            )));
        }
    }
    Ok(())
}

fn failed(from: &Path, to: &Path, error: &str) -> StartError {
    let (shown, copy) = (from.display(), to.display());
    let helps = if error.contains("full") || error.contains("No space") {
        let bytes = fs::metadata(from).map_or(0, |it| it.len());
        let mebibytes = bytes.div_ceil(1 << 20);
        format!(
            "there is no space left: make room for up to {mebibytes} MiB, or name a file elsewhere"
        )
    } else if error.contains("unable to open") || error.contains("denied") {
        format!("let this user write {copy}, or name a file elsewhere ({error})")
    } else {
        error.to_owned()
    };
    StartError::new(format!("cannot copy {shown} to {copy}: {helps}"))
}
