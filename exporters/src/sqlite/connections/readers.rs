//! A small pool of reading connections; each serves one session at a time.

use std::mem;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use pipeline::sync::lock;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{ConnectionOpener, InterruptibleConnection};

/// The limit of concurrent sessions. While this many are open, a new session waits until one of them ends.
const MAX_SESSIONS: u32 = 4;

/// The pool of reading connections.
#[derive(Debug)]
pub(in crate::sqlite) struct ReaderPool {
    opener: ConnectionOpener,
    permits: Arc<Semaphore>,
    /// Open connections without a session. The last one was used most recently, so its cache is warm.
    idle: Mutex<Vec<InterruptibleConnection>>,
}

/// A read transaction: all its statements read one state of the file. Dropping it interrupts the running statement
/// and returns the connection to the pool.
#[derive(Debug)]
pub(in crate::sqlite) struct ReadSession {
    /// `None` until the transaction begins.
    connection: Option<InterruptibleConnection>,
    readers: Arc<ReaderPool>,
    _permit: OwnedSemaphorePermit,
}

impl ReaderPool {
    /// A pool without connections; the first session opens one.
    pub(in crate::sqlite) fn new(opener: ConnectionOpener) -> ReaderPool {
        ReaderPool {
            opener,
            permits: Arc::new(Semaphore::new(MAX_SESSIONS as usize)),
            idle: Mutex::default(),
        }
    }

    /// Begins a read transaction on an idle connection, or on a new one.
    ///
    /// # Errors
    /// If the file cannot be opened, if the path no longer leads to it, or after [`ReaderPool::close`].
    pub(in crate::sqlite) async fn session(
        self: &Arc<ReaderPool>,
    ) -> Result<ReadSession, sqlx::Error> {
        let closed = |_| sqlx::Error::PoolClosed;
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(closed)?;
        if let Err(changed) = self.opener.file.check_cached().await {
            // The file system frees the space of a deleted file only when no connection has it open.
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

    /// Waits until all sessions have ended, and closes their connections. A caller may cancel this call and repeat it.
    pub(in crate::sqlite) async fn close(&self) {
        let all_permits = self.permits.acquire_many(MAX_SESSIONS).await;
        self.permits.close();
        for connection in self.take_idle() {
            connection.close().await;
        }
        drop(all_permits);
    }

    fn pop_idle(&self) -> Option<InterruptibleConnection> {
        lock(&self.idle).pop()
    }

    fn take_idle(&self) -> Vec<InterruptibleConnection> {
        mem::take(&mut *lock(&self.idle))
    }
}

impl ReadSession {
    /// Begins the transaction.
    ///
    /// # Errors
    /// If the connection is unusable: its thread has ended, or it still has a transaction.
    async fn begin(&mut self, connection: InterruptibleConnection) -> Result<(), sqlx::Error> {
        let connection = self.connection.insert(connection);
        // The connection runs `BEGIN` after all statements of its previous session, so when `BEGIN` has returned, none
        // of them can continue. `BEGIN` itself is too short to be interrupted.
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

    /// The connection of SQLx, to run statements.
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
        // Makes the thread of the connection end the running statement, so that it can execute the rollback.
        connection.interrupt();
        // One poll queues the rollback. Without a rollback, the idle connection would block checkpoints of the
        // write-ahead log. If the rollback fails, the next `begin` on the connection fails, too.
        let rollback = sqlx::query("ROLLBACK").execute(connection.sqlite());
        let _ = rollback.now_or_never();
        lock(&self.readers.idle).push(connection);
    }
}
