//! A connection whose running statement another thread can interrupt.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection as _};

use super::packing;

/// The number of instructions that SQLite's virtual machine executes between two checks of the flags. They take far
/// less than a millisecond.
const INSTRUCTIONS_PER_CHECK: i32 = 1000;

/// A connection to SQLite with the functions `pack_row` and `pack_rows`.
#[derive(Debug)]
pub(in crate::sqlite) struct InterruptibleConnection {
    sqlite: SqliteConnection,
    interrupted: Arc<AtomicBool>,
}

impl InterruptibleConnection {
    /// Opens a connection. While `closing` is set, its statements of more than [`INSTRUCTIONS_PER_CHECK`] instructions
    /// fail with `SQLITE_INTERRUPT`.
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

    /// Interrupts the running statement. Until [`InterruptibleConnection::resume`], it also interrupts every other
    /// statement of more than [`INSTRUCTIONS_PER_CHECK`] instructions.
    pub(super) fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
    }

    /// Lets statements run again. The caller first sends a short statement and waits until it has ended. The thread of
    /// the connection runs statements in the order in which they were sent, so the interrupted ones have ended, too.
    pub(super) fn resume(&self) {
        self.interrupted.store(false, Ordering::Relaxed);
    }

    /// Closes the connection and returns when SQLite has closed it. Logs a failure instead of returning it: committed
    /// transactions are in the write-ahead log, where the next connection reads them.
    pub(super) async fn close(self) {
        if let Err(error) = self.sqlite.close().await {
            tracing::debug!(%error, "closing a SQLite connection failed");
        }
    }
}
