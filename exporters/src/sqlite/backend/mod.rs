//! The rows of a graph store in one SQLite file.
//!
//! ```text
//!                      ┌─ write() ─▶ the one writer ──┐
//!  pipeline::store ────┤                              ├─▶ Session ─▶ nodes, claims, edges, texts …
//!                      └─ read() ──▶ a reader ────────┘      │        a file for each group of tables
//!                                                            └─▶ WordCache: words that have committed
//! ```
//!
//! Rows are written in the order of their keys, with a few statements of fixed sizes ([`bulk`]). Sets
//! are read with one statement. Pages start where the one before ended ([`walk`], [`list`]).

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use pipeline::store::rows::{Backend, RowsError, Sizes};

mod aliases;
mod bulk;
mod cells;
mod claims;
mod commits;
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
mod walk;
mod words;
mod write;

use super::connections::WriteError;
use super::database::Database;
pub(super) use session::Session;
use session::{SessionConnection, read_failed, write_failed};
use words::{SessionWords, WordCache};

/// The rows in a file, once that is open.
#[derive(Debug, Default)]
pub struct SqliteBackend {
    /// Set when the exporter starts.
    database: OnceLock<Database>,
    words: Arc<WordCache>,
}

impl SqliteBackend {
    pub(super) fn open(&self, database: Database) {
        // The exporter starts once.
        let _ = self.database.set(database);
    }

    /// Rewrites the file without its free pages. It waits for writers, and they for it.
    pub(super) async fn rewrite(&self) -> Result<(), RowsError> {
        let rewritten = async {
            let database = self.database().map_err(WriteError::before_start)?;
            database.writer.outside_transaction("VACUUM").await
        };
        let rewritten = rewritten.await;
        rewritten.map_err(|error| write_failed("rewrite the file", error))
    }

    /// # Errors
    /// Before the exporter has started.
    pub(super) fn database(&self) -> Result<&Database, sqlx::Error> {
        self.database.get().ok_or(sqlx::Error::PoolClosed)
    }
}

#[async_trait]
impl Backend for SqliteBackend {
    type Read = Session;
    type Write = Session;

    async fn read(&self) -> Result<Session, RowsError> {
        let begun = async { self.database()?.readers.session().await }.await;
        let session = begun.map_err(|error| read_failed("begin to read", error))?;
        let words = SessionWords::new(self.words.clone(), false);
        Ok(Session::new(SessionConnection::Read(session), words))
    }

    async fn write(&self) -> Result<Session, RowsError> {
        let begun = async {
            let database = self.database().map_err(WriteError::before_start)?;
            database.writer.begin().await
        };
        let transaction = begun.await;
        let transaction = transaction.map_err(|error| write_failed("begin to write", error))?;
        let words = SessionWords::new(self.words.clone(), true);
        Ok(Session::new(SessionConnection::Write(transaction), words))
    }

    async fn commits(&self, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, RowsError> {
        let mut session = self.read().await?;
        let commits = commits::read(session.connection.sqlite(), after, limit).await;
        commits.map_err(session.failed("read the log of commits"))
    }

    async fn last_commit(&self) -> Result<u64, RowsError> {
        let mut session = self.read().await?;
        let last = commits::last(session.connection.sqlite()).await;
        last.map_err(session.failed("read the number of the last commit"))
    }

    async fn sizes(&self) -> Result<Sizes, RowsError> {
        let mut session = self.read().await?;
        let sizes = housekeeping::sizes(session.connection.sqlite()).await;
        sizes.map_err(session.failed("read how large the file is"))
    }

    async fn compact(&self, pages: usize) -> Result<bool, RowsError> {
        let mut session = self.write().await?;
        let compacted = housekeeping::compact(session.connection.sqlite(), pages).await;
        let has_more = compacted.map_err(session.failed("give free pages back"))?;
        session.connection.commit().await?;
        Ok(has_more)
    }
}

#[cfg(test)]
mod tests;
