//! Stores the rows of a graph store in one SQLite file.
//!
//! ```text
//!                   ┌─ write() ─▶ SqliteWriter ─┐
//!  pipeline::store ─┤                           ├─▶ SqliteSession ─▶ nodes, claims, edges, texts …
//!                   └─ read() ──▶ ReaderPool ───┘     │              one module per group of tables
//!                                                     └─▶ WordCache: committed words
//! ```
//!
//! Rows are written in the order of their keys, and a statement reads or writes many rows ([`bulk`]). A page begins
//! after the last row of the previous page ([`edge_index`], [`list`]).

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use pipeline::store::rows::{Backend, RowsError, StoreSize};

mod aliases;
mod bulk;
mod cells;
mod claims;
mod commits;
mod edge_index;
mod edges;
mod housekeeping;
mod leases;
mod list;
mod nodes;
mod read;
mod records;
mod scopes;
mod session;
mod stats;
mod texts;
mod versions;
mod words;
mod write;

use super::connections::WriteError;
use super::database::Database;
pub(super) use session::SqliteSession;
use session::{SessionConnection, read_error, write_error};
use words::{SessionWords, WordCache};

/// The backend of a graph store in one file. Reads and writes fail until the exporter opens the file.
#[derive(Debug, Default)]
pub struct SqliteBackend {
    /// Set when the exporter starts.
    database: OnceLock<Database>,
    words: Arc<WordCache>,
}

impl SqliteBackend {
    /// Sets the open file.
    pub(super) fn open(&self, database: Database) {
        // The exporter starts once.
        let _ = self.database.set(database);
    }

    /// Rewrites the file without its free pages (`VACUUM`). The statement waits for the running transaction, and blocks
    /// writers while it runs.
    pub(super) async fn vacuum(&self) -> Result<(), RowsError> {
        let vacuumed = async {
            let database = self.database().map_err(WriteError::before_start)?;
            database.writer.run_outside_transaction("VACUUM").await
        };
        let vacuumed = vacuumed.await;
        vacuumed.map_err(|error| write_error("vacuum the file", error))
    }

    /// The open file.
    ///
    /// # Errors
    /// If the exporter has not started.
    pub(super) fn database(&self) -> Result<&Database, sqlx::Error> {
        self.database.get().ok_or(sqlx::Error::PoolClosed)
    }
}

#[async_trait]
impl Backend for SqliteBackend {
    type Read = SqliteSession;
    type Write = SqliteSession;

    async fn read(&self) -> Result<SqliteSession, RowsError> {
        let begun = async { self.database()?.readers.session().await }.await;
        let session = begun.map_err(|error| read_error("begin a read transaction", error))?;
        let words = SessionWords::new(self.words.clone(), false);
        Ok(SqliteSession::new(SessionConnection::Read(session), words))
    }

    async fn write(&self) -> Result<SqliteSession, RowsError> {
        let begun = async {
            let database = self.database().map_err(WriteError::before_start)?;
            database.writer.begin().await
        };
        let transaction = begun.await;
        let transaction =
            transaction.map_err(|error| write_error("begin a write transaction", error))?;
        let words = SessionWords::new(self.words.clone(), true);
        Ok(SqliteSession::new(
            SessionConnection::Write(transaction),
            words,
        ))
    }

    async fn commits(&self, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, RowsError> {
        let mut session = self.read().await?;
        let commits = commits::read(session.connection.sqlite(), after, limit).await;
        commits.map_err(session.rows_error("read the commit log"))
    }

    async fn last_commit(&self) -> Result<u64, RowsError> {
        let mut session = self.read().await?;
        let last = commits::last(session.connection.sqlite()).await;
        last.map_err(session.rows_error("read the number of the last commit"))
    }

    async fn store_size(&self) -> Result<StoreSize, RowsError> {
        let mut session = self.read().await?;
        let size = housekeeping::store_size(session.connection.sqlite()).await;
        size.map_err(session.rows_error("read the size of the file"))
    }

    async fn compact(&self, pages: usize) -> Result<bool, RowsError> {
        let mut session = self.write().await?;
        let compacted = housekeeping::compact(session.connection.sqlite(), pages).await;
        let has_more = compacted.map_err(session.rows_error("free unused pages of the file"))?;
        session.connection.commit().await?;
        Ok(has_more)
    }
}

#[cfg(test)]
mod tests;
