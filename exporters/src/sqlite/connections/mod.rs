//! The connections to the database file: opened, interrupted, discarded and closed.
//!
//! ```text
//!  Writer ── begin ─▶ WriteTransaction ── finish ─▶ committed, or the connection is discarded
//!  Readers ─ session ─▶ ReadSession ───── drop ───▶ interrupted and rolled back, used again
//!     └─ Opener ─▶ Connection, of the DatabaseFile that stood at the path at the start
//! ```

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sqlx::sqlite::SqliteConnectOptions;

mod connection;
mod file;
pub(super) mod packing;
mod readers;
mod writer;

pub(super) use connection::Connection;
pub(super) use file::{DatabaseFile, FileChanged};
pub(super) use readers::{ReadSession, Readers};
pub(super) use writer::{WriteError, WriteTransaction, Writer};

/// Opens connections to one database file.
#[derive(Clone, Debug)]
pub(super) struct Opener {
    pub(super) options: SqliteConnectOptions,
    pub(super) file: Arc<DatabaseFile>,
    /// Interrupts the statements of all connections, once it is set.
    pub(super) closing: Arc<AtomicBool>,
}

impl Opener {
    /// # Errors
    /// When SQLite cannot open the file, or when it is not the same file as at the start.
    async fn open(&self) -> Result<Connection, sqlx::Error> {
        self.file.check().await?;
        let connection = Connection::open(&self.options, &self.closing).await?;
        // The file may have been replaced between the check and the opening.
        self.file.check().await?;
        Ok(connection)
    }
}
