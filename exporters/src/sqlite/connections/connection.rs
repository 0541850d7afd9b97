//! A connection whose running statement another thread can interrupt.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection as _};

use super::packing;

/// Instructions of SQLite's virtual machine between two checks of the flags: far less than a millisecond.
const INSTRUCTIONS_PER_CHECK: i32 = 1000;

/// A connection to SQLite with the functions `pack_row` and `pack_rows`.
#[derive(Debug)]
pub(in crate::sqlite) struct InterruptibleConnection {
    sqlite: SqliteConnection,
    interrupted: Arc<AtomicBool>,
}

impl InterruptibleConnection {
    /// Opens a connection whose statements fail with `SQLITE_INTERRUPT` while `closing` is set.
    ///
    /// # Errors
    /// If SQLite cannot open the file.
    pub(in crate::sqlite) async fn open(
        options: &SqliteConnectOptions,
        closing: &Arc<AtomicBool>,
    ) -> Result<InterruptibleConnection, sqlx::Error> {
        // SQLx would log slow statements with their SQL, which does not help a user.
        let options = options.clone().disable_statement_logging();
        let mut sqlite = options.connect().await?;
        let interrupted = Arc::new(AtomicBool::new(false));
        let flags = [interrupted.clone(), closing.clone()];
        let may_continue = move || !flags.iter().any(|flag| flag.load(Ordering::Relaxed));
        let mut handle = sqlite.lock_handle().await?;
        handle.set_progress_handler(INSTRUCTIONS_PER_CHECK, may_continue);
        packing::register(&mut handle)?;
        drop(handle);
        Ok(InterruptibleConnection {
            sqlite,
            interrupted,
        })
    }

    /// The connection of SQLx, to run statements.
    pub(in crate::sqlite) fn sqlite(&mut self) -> &mut SqliteConnection {
        &mut self.sqlite
    }

    /// Interrupts the running statement and, until [`InterruptibleConnection::resume`], each later statement that
    /// takes more than [`INSTRUCTIONS_PER_CHECK`].
    pub(super) fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
    }

    /// Lets statements run again. Call it after a statement that was sent after the interrupted ones has ended:
    /// the connection's thread runs statements in the order in which they were sent.
    pub(super) fn resume(&self) {
        self.interrupted.store(false, Ordering::Relaxed);
    }

    /// Closes the connection, and resolves when SQLite has closed it. A failure is logged, not returned: committed
    /// transactions are in the write-ahead log, and the next connection reads them there.
    pub(super) async fn close(self) {
        if let Err(error) = self.sqlite.close().await {
            tracing::debug!(%error, "closing a SQLite connection failed");
        }
    }
}
