//! The connections to the database file: opened, interrupted, discarded and closed.
//!
//! ```text
//!  Writer ── begin ─▶ WriteTransaction ── finish ─▶ committed, or the connection is discarded
//!  Readers ─ session ─▶ ReadSession ───── drop ───▶ interrupted and rolled back, used again
//!     └─ Opener ─▶ Connection
//! ```

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sqlx::sqlite::SqliteConnectOptions;

mod connection;
mod readers;
mod writer;

pub(super) use connection::Connection;
pub(super) use readers::{ReadSession, Readers};
pub(super) use writer::{WriteError, Writer};

/// Opens connections to one database file.
#[derive(Clone, Debug)]
pub(super) struct Opener {
    pub(super) options: SqliteConnectOptions,
    pub(super) path: Arc<Path>,
    /// Interrupts the statements of all connections, once it is set.
    pub(super) closing: Arc<AtomicBool>,
}

impl Opener {
    /// # Errors
    /// When SQLite cannot open the file.
    async fn open(&self) -> Result<Connection, sqlx::Error> {
        Connection::open(&self.options, &self.closing).await
    }
}
