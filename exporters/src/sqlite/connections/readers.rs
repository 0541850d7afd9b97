//! The connections that read: a few, each lent to one session at a time.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Connection, Opener};

/// Sessions at a time; others wait for one of these to end.
const SESSIONS: u32 = 4;

#[derive(Debug)]
pub(in crate::sqlite) struct Readers {
    opener: Opener,
    permits: Arc<Semaphore>,
    /// Open connections that no session has. The last was used last, so its cache is warm.
    idle: Mutex<Vec<Connection>>,
}

/// A read transaction: all its statements see one state of the file. Dropping it interrupts the
/// statement that runs, and returns the connection.
#[derive(Debug)]
pub(in crate::sqlite) struct ReadSession {
    /// There from the beginning of the transaction on.
    connection: Option<Connection>,
    readers: Arc<Readers>,
    _permit: OwnedSemaphorePermit,
}

impl Readers {
    /// Opens nothing before the first session.
    pub(in crate::sqlite) fn new(opener: Opener) -> Readers {
        Readers {
            opener,
            permits: Arc::new(Semaphore::new(SESSIONS as usize)),
            idle: Mutex::default(),
        }
    }

    /// # Errors
    /// When the file cannot be read, when it is not the same file as at the start, and after
    /// [`Readers::close`].
    pub(in crate::sqlite) async fn session(
        self: &Arc<Readers>,
    ) -> Result<ReadSession, sqlx::Error> {
        let closed = |_| sqlx::Error::PoolClosed;
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(closed)?;
        if let Err(changed) = self.opener.file.check_seldom().await {
            // The space of a deleted file is free once no connection has it open.
            drop(self.take_idle());
            return Err(changed.into());
        }
        let mut session = ReadSession {
            connection: None,
            readers: Arc::clone(self),
            _permit: permit,
        };
        while let Some(connection) = self.pop_idle() {
            if session.begin(connection).await.is_ok() {
                return Ok(session);
            }
        }
        session.begin(self.opener.open().await?).await?;
        Ok(session)
    }

    /// Waits until all sessions have ended, and closes their connections. It may be cut off and
    /// called again.
    pub(in crate::sqlite) async fn close(&self) {
        let all = self.permits.acquire_many(SESSIONS).await;
        self.permits.close();
        for connection in self.take_idle() {
            connection.close().await;
        }
        drop(all);
    }

    fn pop_idle(&self) -> Option<Connection> {
        self.idle().pop()
    }

    fn take_idle(&self) -> Vec<Connection> {
        mem::take(&mut *self.idle())
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReadSession {
    /// # Errors
    /// When the connection cannot be used: its thread is gone, or a transaction is left in it.
    async fn begin(&mut self, connection: Connection) -> Result<(), sqlx::Error> {
        let connection = self.connection.insert(connection);
        // Short enough not to be interrupted. It ends after what the session before has left.
        let begun = sqlx::query("BEGIN").execute(connection.sqlite()).await;
        match begun {
            Ok(_) => connection.resume(),
            Err(error) => {
                self.connection = None;
                return Err(error);
            }
        }
        Ok(())
    }

    pub(in crate::sqlite) fn connection(&mut self) -> &mut SqliteConnection {
        let connection = self.connection.as_mut();
        connection.expect("a session has begun").sqlite()
    }
}

impl Drop for ReadSession {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        // The thread of the connection ends the statement that runs, then executes the next one.
        connection.interrupt();
        // Polled once, the rollback is queued: the connection must not hold back checkpoints of the
        // write-ahead log while it is idle. If it fails, the next `begin` on the connection does, too.
        let rollback = sqlx::query("ROLLBACK").execute(connection.sqlite());
        let _ = rollback.now_or_never();
        self.readers.idle().push(connection);
    }
}
