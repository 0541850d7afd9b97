//! A transaction on one connection.

use pipeline::store::rows::RowsError;
use sqlx::SqliteConnection;

use super::nodes::NewNodes;
use super::texts::NewTexts;
use super::words::SessionWords;
use crate::sqlite::connections::{ReadSession, WriteError, WriteTransaction};

/// A transaction on one connection: it reads one state of the file, and its writes become visible when it commits.
/// Dropping it rolls it back. A transaction on a reading connection fails at its first write.
#[derive(Debug)]
pub struct SqliteSession {
    pub(super) connection: SessionConnection,
    pub(super) words: SessionWords,
    pub(super) new_nodes: NewNodes,
    pub(super) new_texts: NewTexts,
    /// Whether a retry of the first failed write can succeed; `None` if no write failed.
    pub(super) failed_write_is_retryable: Option<bool>,
}

/// The connection of a session.
#[derive(Debug)]
pub(super) enum SessionConnection {
    Read(ReadSession),
    Write(WriteTransaction),
}

impl SessionConnection {
    /// The connection of SQLx, to run statements.
    pub(super) fn sqlite(&mut self) -> &mut SqliteConnection {
        match self {
            SessionConnection::Read(session) => session.connection(),
            SessionConnection::Write(transaction) => transaction.connection(),
        }
    }

    /// Commits the transaction.
    pub(super) async fn commit(self) -> Result<(), RowsError> {
        match self {
            SessionConnection::Read(_) => Err(RowsError {
                action: "commit".to_owned(),
                is_retryable: false,
                source: "the session is read-only".into(),
            }),
            SessionConnection::Write(transaction) => {
                let committed = transaction.finish(Ok(())).await;
                committed.map_err(|error| write_error("commit", error))
            }
        }
    }
}

impl SqliteSession {
    pub(super) fn new(connection: SessionConnection, words: SessionWords) -> SqliteSession {
        SqliteSession {
            connection,
            words,
            new_nodes: NewNodes::default(),
            new_texts: NewTexts::default(),
            failed_write_is_retryable: None,
        }
    }

    /// The connection of SQLx, to run statements.
    pub(in crate::sqlite) fn sqlite(&mut self) -> &mut SqliteConnection {
        self.connection.sqlite()
    }

    /// Returns the result of a write. After a failure the session cannot commit, since the write may have written a
    /// part of its rows.
    pub(super) fn check_write<T>(
        &mut self,
        result: Result<T, sqlx::Error>,
        action: impl Into<String>,
    ) -> Result<T, RowsError> {
        let result = result.map_err(self.rows_error(action));
        result.inspect_err(|error| {
            self.failed_write_is_retryable
                .get_or_insert(error.is_retryable);
        })
    }

    /// Converts an error of SQLx; `action` says what failed. An error in a write transaction begins an outage of the
    /// writer, unless the rows caused it.
    pub(in crate::sqlite) fn rows_error(
        &self,
        action: impl Into<String>,
    ) -> impl FnOnce(sqlx::Error) -> RowsError + '_ {
        let action = action.into();
        move |error| match &self.connection {
            SessionConnection::Read(_) => read_error(action, error),
            SessionConnection::Write(transaction) => {
                write_error(action, transaction.record_failure(error))
            }
        }
    }
}

/// The error of a read, which a caller may retry.
pub(super) fn read_error(action: impl Into<String>, error: sqlx::Error) -> RowsError {
    RowsError {
        action: action.into(),
        is_retryable: true,
        source: error.into(),
    }
}

/// The error of a write, which a caller may retry unless the rows caused it.
pub(super) fn write_error(action: impl Into<String>, error: WriteError) -> RowsError {
    RowsError {
        action: action.into(),
        is_retryable: !error.is_caused_by_rows(),
        source: error.into(),
    }
}
