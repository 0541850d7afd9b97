//! Whether the path still leads to the file that was opened.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How long a check suffices for reads: a `stat` takes longer than the read of a node.
const TRUSTED: Duration = Duration::from_secs(1);

/// The file that was at the path when the exporter started.
#[derive(Debug)]
pub(in crate::sqlite) struct DatabaseFile {
    path: PathBuf,
    identity: Identity,
    /// When it was last seen to be the same; none after it was not.
    checked: Mutex<Option<Instant>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    /// The number of a deleted inode is given to another file soon. Not all file systems know it.
    created: Option<SystemTime>,
}

/// The path does not lead to the file that was opened.
#[derive(Debug, thiserror::Error)]
pub(in crate::sqlite) enum FileChanged {
    #[error(
        "{path} was deleted or moved while airdig runs: move it back, or restart airdig, which creates a new one"
    )]
    Missing { path: String },
    #[error(
        "{path} was replaced by another file while airdig runs: move the former one back, or stop airdig, \
         delete {path}-wal and {path}-shm if they did not come with the new file, and start airdig"
    )]
    Replaced { path: String },
    #[error("cannot read which file {path} is: {error}")]
    Unknown { path: String, error: io::Error },
}

impl DatabaseFile {
    /// The file that is at the path now.
    ///
    /// # Errors
    /// When there is none, or its metadata cannot be read.
    pub(in crate::sqlite) async fn at(path: &Path) -> Result<DatabaseFile, FileChanged> {
        Ok(DatabaseFile {
            path: path.to_owned(),
            identity: identity(path).await?,
            checked: Mutex::default(),
        })
    }

    pub(in crate::sqlite) fn path(&self) -> &Path {
        &self.path
    }

    /// Costs one `stat`, in another thread.
    ///
    /// # Errors
    /// When another file is at the path now, or none.
    pub(super) async fn check(&self) -> Result<(), FileChanged> {
        let now = identity(&self.path).await;
        let same = now.as_ref().is_ok_and(|now| *now == self.identity);
        *self.checked() = same.then(Instant::now);
        match now {
            Err(changed) => Err(changed),
            Ok(_) if same => Ok(()),
            Ok(_) => Err(FileChanged::Replaced {
                path: self.path.display().to_string(),
            }),
        }
    }

    /// Like [`DatabaseFile::check`], but trusts a check that succeeded less than a second ago.
    pub(super) async fn check_seldom(&self) -> Result<(), FileChanged> {
        let checked = *self.checked();
        if checked.is_some_and(|checked| checked.elapsed() < TRUSTED) {
            return Ok(());
        }
        self.check().await
    }

    fn checked(&self) -> MutexGuard<'_, Option<Instant>> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn identity(path: &Path) -> Result<Identity, FileChanged> {
    let metadata = tokio::fs::metadata(path).await.map_err(|error| {
        let path = path.display().to_string();
        match error.kind() {
            io::ErrorKind::NotFound => FileChanged::Missing { path },
            _ => FileChanged::Unknown { path, error },
        }
    })?;
    Ok(Identity {
        device: metadata.dev(),
        inode: metadata.ino(),
        created: metadata.created().ok(),
    })
}

/// Reads fail with the errors of SQLx; to these it is one of the file.
impl From<FileChanged> for sqlx::Error {
    fn from(changed: FileChanged) -> sqlx::Error {
        sqlx::Error::Io(io::Error::other(changed))
    }
}

impl FileChanged {
    pub(super) fn of(error: &sqlx::Error) -> Option<&FileChanged> {
        let sqlx::Error::Io(error) = error else {
            return None;
        };
        error.get_ref()?.downcast_ref()
    }
}
