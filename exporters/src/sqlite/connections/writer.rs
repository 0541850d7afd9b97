//! The only writing connection. A failed transaction discards it, and the next transaction opens a new one.

use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use pipeline::sync::lock;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{self, OwnedMutexGuard};

use super::file::FileChanged;
use super::{ConnectionOpener, InterruptibleConnection};

/// Runs one write transaction at a time.
///
/// After an error SQLite may have ended the transaction (a full disk, an I/O error) or left it open (a commit that
/// found the file locked). So a transaction that did not commit discards its connection, whatever the error. At most
/// one connection is open, opening or closing, so that repeated attempts on a hanging disk do not pile up threads.
#[derive(Debug)]
pub(in crate::sqlite) struct SqliteWriter {
    /// The id of the exporter, for the log.
    id: String,
    opener: ConnectionOpener,
    slot: Arc<sync::Mutex<Slot>>,
    /// The cause of the first failure since the last commit; `None` while writing works. The writer logs this failure
    /// and the end of the outage, and nothing between them. (`LogThrottle` would repeat the cause and not log the end.)
    outage: Mutex<Option<String>>,
}

/// The state of the connection. If a caller is cancelled while it waits for SQLite to close or open a connection, the
/// next caller continues to wait.
enum Slot {
    Open(InterruptibleConnection),
    /// SQLite closes the discarded connection.
    Closing(BoxFuture<'static, ()>),
    /// SQLite opens a new connection.
    Opening(BoxFuture<'static, Result<InterruptibleConnection, sqlx::Error>>),
    /// The exporter has stopped.
    Closed,
}

/// A write transaction. Dropping it interrupts the running statement and rolls back.
#[derive(Debug)]
pub(in crate::sqlite) struct WriteTransaction {
    writer: Arc<SqliteWriter>,
    /// [`Slot::Open`] until `drop`.
    slot: OwnedMutexGuard<Slot>,
    committed: bool,
}

/// The error of a transaction. Whether its rows are durable is unknown.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(in crate::sqlite) struct WriteError {
    /// The path and the cause, and also the first cause of the outage if it differs.
    reason: String,
    error: sqlx::Error,
}

impl SqliteWriter {
    /// A writer that uses `connection` until a transaction fails. Then `opener` opens a new connection.
    pub(in crate::sqlite) fn new(
        id: &str,
        opener: ConnectionOpener,
        connection: InterruptibleConnection,
    ) -> SqliteWriter {
        SqliteWriter {
            id: id.to_owned(),
            opener,
            slot: Arc::new(sync::Mutex::new(Slot::Open(connection))),
            outage: Mutex::default(),
        }
    }

    /// Begins a transaction and takes the write lock (`BEGIN IMMEDIATE`). A transaction that takes the lock at its
    /// first write fails there if another process has written in the meantime.
    ///
    /// # Errors
    /// If no connection can be opened, or another process holds the write lock.
    pub(in crate::sqlite) async fn begin(
        self: &Arc<SqliteWriter>,
    ) -> Result<WriteTransaction, WriteError> {
        let mut slot = Arc::clone(&self.slot).lock_owned().await;
        if let Err(error) = self.ensure_open(&mut slot).await {
            return Err(self.record_failure(error));
        }
        let mut transaction = WriteTransaction {
            writer: Arc::clone(self),
            slot,
            committed: false,
        };
        let begun = sqlx::query("BEGIN IMMEDIATE").execute(transaction.connection());
        match begun.await {
            Ok(_) => Ok(transaction),
            Err(error) => Err(self.record_failure(error)),
        }
    }

    /// Runs a statement that SQLite rejects inside a transaction, such as `VACUUM`.
    ///
    /// # Errors
    /// If no connection can be opened, or the statement fails.
    pub(in crate::sqlite) async fn run_outside_transaction(
        &self,
        sql: &'static str,
    ) -> Result<(), WriteError> {
        let mut slot = self.slot.lock().await;
        if let Err(error) = self.ensure_open(&mut slot).await {
            return Err(self.record_failure(error));
        }
        let Slot::Open(connection) = &mut *slot else {
            unreachable!("`ensure_open` opened the connection")
        };
        match sqlx::query(sql).execute(connection.sqlite()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.record_failure(error)),
        }
    }

    /// Waits for the running transaction and closes the connection. From then on, `begin` fails.
    pub(in crate::sqlite) async fn close(&self) {
        let mut slot = self.slot.lock().await;
        match mem::replace(&mut *slot, Slot::Closed) {
            Slot::Open(connection) => connection.close().await,
            Slot::Closing(closing) => closing.await,
            Slot::Opening(_) | Slot::Closed => {}
        }
    }

    /// Waits until the connection is open. If it was discarded, waits until it is closed and opens a new one.
    async fn ensure_open(&self, slot: &mut Slot) -> Result<(), sqlx::Error> {
        loop {
            *slot = match slot {
                Slot::Open(_) => return Ok(()),
                Slot::Closed => return Err(sqlx::Error::PoolClosed),
                Slot::Closing(closing) => {
                    closing.await;
                    self.opening()
                }
                Slot::Opening(opening) => match opening.await {
                    Ok(connection) => Slot::Open(connection),
                    Err(error) => {
                        *slot = self.opening();
                        return Err(error);
                    }
                },
            };
        }
    }

    fn opening(&self) -> Slot {
        let opener = self.opener.clone();
        Slot::Opening(async move { opener.open().await }.boxed())
    }

    /// Converts an error of SQLx. If the rows did not cause it and no outage has begun, an outage begins, and the error
    /// is logged.
    fn record_failure(&self, error: sqlx::Error) -> WriteError {
        let path = self.opener.file.path().display();
        let cause = cause(&error);
        let mut reason = match FileChanged::of(&error) {
            Some(changed) => changed.to_string(),
            None => format!("{path}: {cause}"),
        };
        if !is_caused_by_rows(&error) {
            let mut outage = lock(&self.outage);
            match &*outage {
                None => {
                    tracing::error!(exporter = self.id, %path, %error, "writing to the database failed");
                }
                Some(first) if *first != cause => reason += &format!(" (first error: {first})"),
                Some(_) => {}
            }
            outage.get_or_insert(cause);
        }
        WriteError { reason, error }
    }

    /// Ends the outage, if there is one, and logs its end.
    fn record_success(&self) {
        let mut outage = lock(&self.outage);
        if outage.take().is_some() {
            let path = self.opener.file.path().display();
            tracing::info!(exporter = self.id, %path, "writing to the database works again");
        }
    }
}

impl WriteTransaction {
    /// The connection of SQLx, to run statements.
    pub(in crate::sqlite) fn connection(&mut self) -> &mut SqliteConnection {
        match &mut *self.slot {
            Slot::Open(connection) => connection.sqlite(),
            _ => unreachable!("`begin` opened the connection, and only `drop` closes it"),
        }
    }

    /// Converts the error of a statement. If the rows did not cause it and no outage has begun, an outage begins, and
    /// the error is logged.
    pub(in crate::sqlite) fn record_failure(&self, error: sqlx::Error) -> WriteError {
        self.writer.record_failure(error)
    }

    /// Commits the transaction if `written` is `Ok`, else rolls it back. If this function returns `Ok`, the transaction
    /// is on the disk, in the file at the path.
    ///
    /// # Errors
    /// If a statement or the commit failed, or the file was deleted or replaced.
    pub(in crate::sqlite) async fn finish<T>(
        mut self,
        written: Result<T, sqlx::Error>,
    ) -> Result<T, WriteError> {
        let committed = match written {
            Ok(value) => self.commit().await.map(|()| value),
            Err(error) => Err(error),
        };
        match committed {
            Ok(value) => {
                self.committed = true;
                self.writer.record_success();
                Ok(value)
            }
            Err(error) => Err(self.writer.record_failure(error)),
        }
    }

    async fn commit(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query("COMMIT").execute(self.connection()).await?;
        // After the commit, since another process may delete or replace the file during the commit.
        self.writer.opener.file.check().await?;
        Ok(())
    }
}

impl Drop for WriteTransaction {
    fn drop(&mut self) {
        if self.committed {
            return;
        }
        let Slot::Open(connection) = mem::replace(&mut *self.slot, Slot::Closed) else {
            return;
        };
        connection.interrupt();
        let mut closing = connection.close().boxed();
        // One poll makes SQLite begin to close the connection. The next transaction, which polls again, may begin late
        // or never.
        *self.slot = match (&mut closing).now_or_never() {
            Some(()) => self.writer.opening(),
            None => Slot::Closing(closing),
        };
    }
}

impl WriteError {
    /// The error of a write that was attempted before the exporter opened the file.
    pub(in crate::sqlite) fn before_start(error: sqlx::Error) -> WriteError {
        WriteError {
            reason: error.to_string(),
            error,
        }
    }

    /// Whether the rows of the transaction caused the error, so that a retry would fail, too.
    pub(in crate::sqlite) fn is_caused_by_rows(&self) -> bool {
        is_caused_by_rows(&self.error)
    }

    /// The error of SQLx.
    pub(in crate::sqlite) fn into_cause(self) -> sqlx::Error {
        self.error
    }
}

/// Whether SQLite rejects the rows themselves: a constraint violation, a value that is too large or not encodable.
fn is_caused_by_rows(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Encode(_) => true,
        sqlx::Error::Database(error) => {
            error.kind() != sqlx::error::ErrorKind::Other || error.message().contains("too big")
        }
        _ => false,
    }
}

/// The message of the error, without the prefix of SQLx.
fn cause(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Slot::Open(_) => "Open",
            Slot::Closing(_) => "Closing",
            Slot::Opening(_) => "Opening",
            Slot::Closed => "Closed",
        })
    }
}
