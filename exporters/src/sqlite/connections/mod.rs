//! Opens, interrupts, discards and closes the connections to the database file.
//!
//! ```text
//!  SqliteWriter ── begin ───▶ WriteTransaction ── finish ─▶ commits, or discards the connection
//!  ReaderPool ──── session ─▶ ReadSession ─────── drop ───▶ interrupts, rolls back, returns the connection
//!     └─ both use ConnectionOpener ─▶ InterruptibleConnection, if the path still leads to the same DatabaseFile
//! ```

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sqlx::sqlite::SqliteConnectOptions;

mod connection;
mod file;
pub(super) mod packing;
mod readers;
mod writer;

pub(super) use connection::InterruptibleConnection;
pub(super) use file::{DatabaseFile, FileChanged};
pub(super) use readers::{ReadSession, ReaderPool};
pub(super) use writer::{SqliteWriter, WriteError, WriteTransaction};

/// Opens connections to one database file.
#[derive(Clone, Debug)]
pub(super) struct ConnectionOpener {
    pub(super) options: SqliteConnectOptions,
    pub(super) file: Arc<DatabaseFile>,
    /// While this flag is set, SQLite interrupts the statements of all connections.
    pub(super) closing: Arc<AtomicBool>,
}

impl ConnectionOpener {
    /// Opens a connection to the file that `file` identifies.
    ///
    /// # Errors
    /// If SQLite cannot open the file, or the path no longer leads to it.
    async fn open(&self) -> Result<InterruptibleConnection, sqlx::Error> {
        self.file.check().await?;
        let connection = InterruptibleConnection::open(&self.options, &self.closing).await?;
        // Another process may replace the file between the first check and the opening.
        self.file.check().await?;
        Ok(connection)
    }
}
