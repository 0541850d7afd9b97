//! One transaction: what it reads is one state of the file, what it writes is there when it commits.

use pipeline::store::rows::RowsError;
use sqlx::{Sqlite, Transaction};

use super::nodes::NewNodes;
use super::words::SessionWords;

/// A transaction on one connection; it is rolled back when it is dropped. One on a connection that
/// only reads fails at the first write.
#[derive(Debug)]
pub struct Session {
    pub(super) transaction: Transaction<'static, Sqlite>,
    pub(super) words: SessionWords,
    pub(super) new_nodes: NewNodes,
    /// Of the first write that failed, whether it may succeed later.
    pub(super) broken: Option<bool>,
}

impl Session {
    pub(super) fn new(transaction: Transaction<'static, Sqlite>, words: SessionWords) -> Session {
        Session {
            transaction,
            words,
            new_nodes: NewNodes::default(),
            broken: None,
        }
    }

    /// A write that failed may have written a part of its rows: the session cannot commit any more.
    pub(super) fn written<T>(
        &mut self,
        done: Result<T, sqlx::Error>,
        action: impl Into<String>,
    ) -> Result<T, RowsError> {
        done.map_err(failed(action)).inspect_err(|error| {
            self.broken.get_or_insert(error.is_retryable);
        })
    }
}

/// What it was doing when it failed, and whether it may succeed later: what concerns the rows
/// themselves never will.
pub(super) fn failed(action: impl Into<String>) -> impl FnOnce(sqlx::Error) -> RowsError {
    move |error| {
        let concerns_rows = match &error {
            sqlx::Error::Encode(_) => true,
            sqlx::Error::Database(error) => {
                error.kind() != sqlx::error::ErrorKind::Other || error.message().contains("too big")
            }
            _ => false,
        };
        RowsError {
            action: action.into(),
            is_retryable: !concerns_rows,
            source: error.into(),
        }
    }
}
