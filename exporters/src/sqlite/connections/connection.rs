//! One connection. Its running statement can be interrupted by a flag.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection as _};

use super::packing;

/// Steps of SQLite's virtual machine between two reads of the flags: far less than a millisecond.
const STEPS: i32 = 1000;

#[derive(Debug)]
pub(in crate::sqlite) struct Connection {
    sqlite: SqliteConnection,
    interrupted: Arc<AtomicBool>,
}

impl Connection {
    /// Opens a connection whose statements end with `SQLITE_INTERRUPT` when `closing` is set.
    ///
    /// # Errors
    /// When SQLite cannot open the file.
    pub(in crate::sqlite) async fn open(
        options: &SqliteConnectOptions,
        closing: &Arc<AtomicBool>,
    ) -> Result<Connection, sqlx::Error> {
        // Slow statements are logged with their SQL otherwise, which says nothing to a user.
        let options = options.clone().disable_statement_logging();
        let mut sqlite = options.connect().await?;
        let interrupted = Arc::new(AtomicBool::new(false));
        let flags = [interrupted.clone(), closing.clone()];
        let goes_on = move || !flags.iter().any(|flag| flag.load(Ordering::Relaxed));
        let mut handle = sqlite.lock_handle().await?;
        handle.set_progress_handler(STEPS, goes_on);
        packing::register(&mut handle)?;
        drop(handle);
        Ok(Connection {
            sqlite,
            interrupted,
        })
    }

    pub(in crate::sqlite) fn sqlite(&mut self) -> &mut SqliteConnection {
        &mut self.sqlite
    }

    /// Ends the statement that runs, and all later ones that take more than [`STEPS`] until
    /// [`Connection::resume`].
    pub(super) fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
    }

    /// Lets statements run again. Call it when a statement has ended that was sent after the
    /// interrupted ones: the connection's thread takes them in their order.
    pub(super) fn resume(&self) {
        self.interrupted.store(false, Ordering::Relaxed);
    }

    /// Resolves once SQLite has closed the connection. What fails at this is not reported: whatever
    /// was committed is in the write-ahead log, and the next connection finds it there.
    pub(super) async fn close(self) {
        if let Err(error) = self.sqlite.close().await {
            tracing::debug!(%error, "close a connection");
        }
    }
}
