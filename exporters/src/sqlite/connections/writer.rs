//! The one connection that writes. A transaction that fails discards it, and the next opens another.

use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{self, OwnedMutexGuard};

use super::file::FileChanged;
use super::{Connection, Opener};

/// Runs one transaction after the other.
///
/// After an error SQLite may have ended the transaction by itself (a full disk, an I/O error), or
/// have left it open (a commit that found the file locked). So a transaction that did not commit
/// takes its connection with it, whatever the error. At most one connection exists or is being
/// opened, so that attempts on a disk that hangs do not pile up threads.
#[derive(Debug)]
pub(in crate::sqlite) struct Writer {
    /// The exporter, for the log.
    id: String,
    opener: Opener,
    slot: Arc<sync::Mutex<Slot>>,
    /// The first failure since the last commit.
    outage: Mutex<Option<String>>,
}

/// The life of the connection. When a caller stops waiting for a step, the next one waits for it.
enum Slot {
    Open(Connection),
    /// The former connection is being closed.
    Closing(BoxFuture<'static, ()>),
    Opening(BoxFuture<'static, Result<Connection, sqlx::Error>>),
    /// The exporter has stopped.
    Closed,
}

/// A write transaction. Dropping it interrupts the statement that runs, and rolls back.
#[derive(Debug)]
pub(in crate::sqlite) struct WriteTransaction {
    writer: Arc<Writer>,
    /// [`Slot::Open`] until `drop`.
    slot: OwnedMutexGuard<Slot>,
    committed: bool,
}

/// A transaction that is not known to be durable.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(in crate::sqlite) struct WriteError {
    /// The path and the cause, and the first cause of the outage if that is another one.
    reason: String,
    error: sqlx::Error,
}

impl Writer {
    /// `opener` opens the connections after the first.
    pub(in crate::sqlite) fn new(id: &str, opener: Opener, connection: Connection) -> Writer {
        Writer {
            id: id.to_owned(),
            opener,
            slot: Arc::new(sync::Mutex::new(Slot::Open(connection))),
            outage: Mutex::default(),
        }
    }

    /// Begins a transaction that is the file's writer from its first statement on: to become one
    /// later can fail where another process writes.
    ///
    /// # Errors
    /// When there is no connection, or another process does not let it write.
    pub(in crate::sqlite) async fn begin(
        self: &Arc<Writer>,
    ) -> Result<WriteTransaction, WriteError> {
        let mut slot = Arc::clone(&self.slot).lock_owned().await;
        if let Err(error) = self.open(&mut slot).await {
            return Err(self.failed(error));
        }
        let mut transaction = WriteTransaction {
            writer: Arc::clone(self),
            slot,
            committed: false,
        };
        let begun = sqlx::query("BEGIN IMMEDIATE").execute(transaction.connection());
        match begun.await {
            Ok(_) => Ok(transaction),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Runs a statement that SQLite does not take in a transaction.
    ///
    /// # Errors
    /// When there is no connection, or the statement fails.
    pub(in crate::sqlite) async fn outside_transaction(
        &self,
        sql: &'static str,
    ) -> Result<(), WriteError> {
        let mut slot = self.slot.lock().await;
        if let Err(error) = self.open(&mut slot).await {
            return Err(self.failed(error));
        }
        let Slot::Open(connection) = &mut *slot else {
            unreachable!("`open` has opened it")
        };
        match sqlx::query(sql).execute(connection.sqlite()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Waits for the transaction that runs, and closes the connection for good.
    pub(in crate::sqlite) async fn close(&self) {
        let mut slot = self.slot.lock().await;
        match mem::replace(&mut *slot, Slot::Closed) {
            Slot::Open(connection) => connection.close().await,
            Slot::Closing(closing) => closing.await,
            Slot::Opening(_) | Slot::Closed => {}
        }
    }

    async fn open(&self, slot: &mut Slot) -> Result<(), sqlx::Error> {
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

    fn failed(&self, error: sqlx::Error) -> WriteError {
        let path = self.opener.file.path().display();
        let cause = cause(&error);
        let mut reason = match FileChanged::of(&error) {
            Some(changed) => changed.to_string(),
            None => format!("{path}: {cause}"),
        };
        if !concerns_rows(&error) {
            let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
            match &*outage {
                None => {
                    tracing::error!(exporter = self.id, %path, %error, "writing fails");
                }
                Some(first) if *first != cause => reason += &format!(" (at first: {first})"),
                Some(_) => {}
            }
            outage.get_or_insert(cause);
        }
        WriteError { reason, error }
    }

    fn succeeded(&self) {
        let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        if outage.take().is_some() {
            let path = self.opener.file.path().display();
            tracing::info!(exporter = self.id, %path, "writing works again");
        }
    }
}

impl WriteTransaction {
    pub(in crate::sqlite) fn connection(&mut self) -> &mut SqliteConnection {
        match &mut *self.slot {
            Slot::Open(connection) => connection.sqlite(),
            _ => unreachable!("`begin` has opened it, and only `drop` closes it"),
        }
    }

    /// What a statement's failure means to the sender; the first of an outage is logged.
    pub(in crate::sqlite) fn failed(&self, error: sqlx::Error) -> WriteError {
        self.writer.failed(error)
    }

    /// Ends the transaction: commits it if its statements succeeded, else rolls it back. `Ok` means
    /// that it is on the disk, in the file that is at the path.
    ///
    /// # Errors
    /// When a statement or the commit failed, or the file was deleted or replaced.
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
                self.writer.succeeded();
                Ok(value)
            }
            Err(error) => Err(self.writer.failed(error)),
        }
    }

    async fn commit(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query("COMMIT").execute(self.connection()).await?;
        // Not before the commit: the file may be deleted meanwhile.
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
        // Closing begins at once: the next transaction may come late or never.
        *self.slot = match (&mut closing).now_or_never() {
            Some(()) => self.writer.opening(),
            None => Slot::Closing(closing),
        };
    }
}

impl WriteError {
    pub(in crate::sqlite) fn before_start(error: sqlx::Error) -> WriteError {
        WriteError {
            reason: error.to_string(),
            error,
        }
    }

    /// Whether the rows of the transaction are at fault, so that they will fail again.
    pub(in crate::sqlite) fn concerns_rows(&self) -> bool {
        concerns_rows(&self.error)
    }

    pub(in crate::sqlite) fn into_cause(self) -> sqlx::Error {
        self.error
    }
}

fn concerns_rows(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Encode(_) => true,
        sqlx::Error::Database(error) => {
            error.kind() != sqlx::error::ErrorKind::Other || error.message().contains("too big")
        }
        _ => false,
    }
}

/// What failed, without the words that SQLx puts before it.
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
