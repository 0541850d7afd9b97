//! One transaction: what it reads is one state of the file, what it writes is there when it commits.

use pipeline::store::rows::RowsError;
use sqlx::SqliteConnection;

use super::nodes::NewNodes;
use super::texts::NewTexts;
use super::words::SessionWords;
use crate::sqlite::connections::{ReadSession, WriteError, WriteTransaction};

/// A transaction on one connection; it is rolled back when it is dropped. One on a connection that
/// only reads fails at the first write.
#[derive(Debug)]
pub struct Session {
    pub(super) connection: SessionConnection,
    pub(super) words: SessionWords,
    pub(super) new_nodes: NewNodes,
    pub(super) new_texts: NewTexts,
    /// Of the first write that failed, whether it may succeed later.
    pub(super) broken: Option<bool>,
}

#[derive(Debug)]
pub(super) enum SessionConnection {
    Read(ReadSession),
    Write(WriteTransaction),
}

impl SessionConnection {
    pub(super) fn sqlite(&mut self) -> &mut SqliteConnection {
        match self {
            SessionConnection::Read(session) => session.connection(),
            SessionConnection::Write(transaction) => transaction.connection(),
        }
    }

    pub(super) async fn commit(self) -> Result<(), RowsError> {
        match self {
            SessionConnection::Read(_) => Err(RowsError {
                action: "commit".to_owned(),
                is_retryable: false,
                source: "the session only reads".into(),
            }),
            SessionConnection::Write(transaction) => {
                let committed = transaction.finish(Ok(())).await;
                committed.map_err(|error| write_failed("commit", error))
            }
        }
    }
}

impl Session {
    pub(super) fn new(connection: SessionConnection, words: SessionWords) -> Session {
        Session {
            connection,
            words,
            new_nodes: NewNodes::default(),
            new_texts: NewTexts::default(),
            broken: None,
        }
    }

    pub(in crate::sqlite) fn sqlite(&mut self) -> &mut SqliteConnection {
        self.connection.sqlite()
    }

    /// A write that failed may have written a part of its rows: the session cannot commit any more.
    pub(super) fn written<T>(
        &mut self,
        done: Result<T, sqlx::Error>,
        action: impl Into<String>,
    ) -> Result<T, RowsError> {
        let done = done.map_err(self.failed(action));
        done.inspect_err(|error| {
            self.broken.get_or_insert(error.is_retryable);
        })
    }

    /// What it was doing when it failed. A failure of a write transaction begins an outage of the writer.
    pub(in crate::sqlite) fn failed(
        &self,
        action: impl Into<String>,
    ) -> impl FnOnce(sqlx::Error) -> RowsError + '_ {
        let action = action.into();
        move |error| match &self.connection {
            SessionConnection::Read(_) => read_failed(action, error),
            SessionConnection::Write(transaction) => {
                write_failed(action, transaction.failed(error))
            }
        }
    }
}

pub(super) fn read_failed(action: impl Into<String>, error: sqlx::Error) -> RowsError {
    RowsError {
        action: action.into(),
        is_retryable: true,
        source: error.into(),
    }
}

/// What concerns the rows themselves never succeeds.
pub(super) fn write_failed(action: impl Into<String>, error: WriteError) -> RowsError {
    RowsError {
        action: action.into(),
        is_retryable: !error.concerns_rows(),
        source: error.into(),
    }
}
