//! What every read needs: a session, the members of scans, how long a sighting holds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use pipeline::facts::Members;
use sqlx::SqliteConnection;

use super::connections::ReadSession;
use super::database::Database;

/// Members of scans that are held in memory, in bytes.
const MEMBERS: usize = 32 << 20;

#[derive(Debug)]
pub(super) struct Reader {
    database: OnceLock<Database>,
    members: Mutex<HashMap<i64, Arc<Members>>>,
    /// How long what was seen by itself holds; for ever where zero.
    seen_for: Duration,
}

impl Reader {
    pub(super) fn new(seen_for: Duration) -> Reader {
        Reader {
            database: OnceLock::new(),
            members: Mutex::default(),
            seen_for,
        }
    }

    pub(super) fn open(&self, database: Database) {
        // It is opened once, when the exporter starts.
        let _ = self.database.set(database);
    }

    pub(super) fn database(&self) -> Result<&Database, sqlx::Error> {
        self.database.get().ok_or(sqlx::Error::PoolClosed)
    }

    /// Opens what one answer is read through: all its statements see one state of the file.
    pub(super) async fn session(&self) -> Result<Session<'_>, sqlx::Error> {
        Ok(Session {
            read: self.database()?.readers.session().await?,
            reader: self,
        })
    }

    pub(super) fn seen_for(&self) -> Duration {
        self.seen_for
    }

    pub(super) fn known_members(&self, hash: i64) -> Option<Arc<Members>> {
        let known = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&hash).cloned()
    }

    pub(super) fn remember_members(&self, hash: i64, members: Arc<Members>) {
        let mut known = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        let mut held: usize = known.values().map(|members| members.as_bytes().len()).sum();
        held += members.as_bytes().len();
        // Whichever goes is read again when it is needed.
        known.retain(|_, other| {
            let keeps = held <= MEMBERS;
            if !keeps {
                held -= other.as_bytes().len();
            }
            keeps
        });
        known.insert(hash, members);
    }
}

/// One answer's view of the file. What still runs when it is dropped is interrupted.
#[derive(Debug)]
pub(super) struct Session<'r> {
    read: ReadSession<'r>,
    pub(super) reader: &'r Reader,
}

impl Session<'_> {
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        self.read.connection()
    }
}
