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

use std::sync::Arc;

use async_trait::async_trait;
use pipeline::store::rows::{Backend, RowsError, Sizes};
use sqlx::SqlitePool;

mod aliases;
mod bulk;
mod cells;
mod claims;
mod commits;
mod edges;
mod housekeeping;
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

use session::{Session, failed};
use words::{SessionWords, WordCache};

/// A file whose schema is `schema.sql`.
#[derive(Debug)]
pub struct SqliteBackend {
    /// One connection: SQLite has one writer.
    writer: SqlitePool,
    readers: SqlitePool,
    words: Arc<WordCache>,
}

impl SqliteBackend {
    pub fn new(writer: SqlitePool, readers: SqlitePool) -> SqliteBackend {
        SqliteBackend {
            writer,
            readers,
            words: Arc::default(),
        }
    }
}

#[async_trait]
impl Backend for SqliteBackend {
    type Read = Session;
    type Write = Session;

    async fn read(&self) -> Result<Session, RowsError> {
        let begun = self.readers.begin().await;
        let transaction = begun.map_err(failed("begin to read"))?;
        let words = SessionWords::new(self.words.clone(), false);
        Ok(Session::new(transaction, words))
    }

    async fn write(&self) -> Result<Session, RowsError> {
        // A writer from the first statement on: to become one later can fail where another writes.
        let begun = self.writer.begin_with("BEGIN IMMEDIATE").await;
        let transaction = begun.map_err(failed("begin to write"))?;
        let words = SessionWords::new(self.words.clone(), true);
        Ok(Session::new(transaction, words))
    }

    async fn commits(&self, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, RowsError> {
        let commits = commits::read(&self.readers, after, limit).await;
        commits.map_err(failed("read the log of commits"))
    }

    async fn last_commit(&self) -> Result<u64, RowsError> {
        let last = commits::last(&self.readers).await;
        last.map_err(failed("read the number of the last commit"))
    }

    async fn sizes(&self) -> Result<Sizes, RowsError> {
        let sizes = housekeeping::sizes(&self.readers).await;
        sizes.map_err(failed("read how large the file is"))
    }

    async fn compact(&self, pages: usize) -> Result<bool, RowsError> {
        let compacted = housekeeping::compact(&self.writer, pages).await;
        compacted.map_err(failed("give free pages back"))
    }
}

#[cfg(test)]
mod tests;
