//! Checks that the path still leads to the file that the exporter opened.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use pipeline::sync::lock;

/// How long reads rely on a successful check, since a `stat` takes longer than reading a node.
const CHECK_TTL: Duration = Duration::from_secs(1);

/// The file that was at the path when the exporter started.
#[derive(Debug)]
pub(in crate::sqlite) struct DatabaseFile {
    path: PathBuf,
    identity: FileIdentity,
    /// When the last check succeeded; `None` before the first check and after a failed one.
    last_success: Mutex<Option<Instant>>,
}

#[derive(Debug, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    inode: u64,
    /// Distinguishes files with the same inode number, since file systems soon reuse the number of a deleted file. `None`
    /// if the file system does not store this time.
    created: Option<SystemTime>,
}

/// Why a check failed: the path no longer leads to the file that the exporter opened, or its metadata cannot be read.
#[derive(Debug, thiserror::Error)]
pub(in crate::sqlite) enum FileChanged {
    #[error(
        "{path} was deleted or moved while airdig was running: move it back, or restart airdig, which creates a \
         new file"
    )]
    Missing { path: String },
    #[error(
        "{path} was replaced by another file while airdig was running: move the former file back, or stop airdig, \
         delete {path}-wal and {path}-shm if they do not belong to the new file, and start airdig"
    )]
    Replaced { path: String },
    #[error("cannot read the metadata of {path}: {error}")]
    Unknown { path: String, error: io::Error },
}

impl DatabaseFile {
    /// Remembers the identity of the file that is at the path now.
    ///
    /// # Errors
    /// If there is no file, or its metadata cannot be read.
    pub(in crate::sqlite) async fn at(path: &Path) -> Result<DatabaseFile, FileChanged> {
        Ok(DatabaseFile {
            path: path.to_owned(),
            identity: identity(path).await?,
            last_success: Mutex::default(),
        })
    }

    /// The configured path.
    pub(in crate::sqlite) fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that the same file is still at the path, with one `stat` in another thread.
    ///
    /// # Errors
    /// If another file or no file is at the path, or the metadata cannot be read.
    pub(super) async fn check(&self) -> Result<(), FileChanged> {
        let found = identity(&self.path).await;
        let is_same = found.as_ref().is_ok_and(|found| *found == self.identity);
        *lock(&self.last_success) = is_same.then(Instant::now);
        match found {
            Err(changed) => Err(changed),
            Ok(_) if is_same => Ok(()),
            Ok(_) => Err(FileChanged::Replaced {
                path: self.path.display().to_string(),
            }),
        }
    }

    /// Like [`DatabaseFile::check`], but skips the `stat` if a check succeeded less than [`CHECK_TTL`] ago.
    ///
    /// # Errors
    /// As [`DatabaseFile::check`].
    pub(super) async fn check_cached(&self) -> Result<(), FileChanged> {
        let last_success = *lock(&self.last_success);
        if last_success.is_some_and(|checked| checked.elapsed() < CHECK_TTL) {
            return Ok(());
        }
        self.check().await
    }
}

async fn identity(path: &Path) -> Result<FileIdentity, FileChanged> {
    let metadata = tokio::fs::metadata(path).await.map_err(|error| {
        let path = path.display().to_string();
        match error.kind() {
            io::ErrorKind::NotFound => FileChanged::Missing { path },
            _ => FileChanged::Unknown { path, error },
        }
    })?;
    Ok(FileIdentity {
        device: metadata.dev(),
        inode: metadata.ino(),
        created: metadata.created().ok(),
    })
}

/// Reads return the errors of SQLx, so a changed file becomes an I/O error of SQLx.
impl From<FileChanged> for sqlx::Error {
    fn from(changed: FileChanged) -> sqlx::Error {
        sqlx::Error::Io(io::Error::other(changed))
    }
}

impl FileChanged {
    /// The `FileChanged` that an error of SQLx wraps, if any.
    pub(super) fn of(error: &sqlx::Error) -> Option<&FileChanged> {
        let sqlx::Error::Io(error) = error else {
            return None;
        };
        error.get_ref()?.downcast_ref()
    }
}
