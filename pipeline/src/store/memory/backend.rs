//! The backend and its sessions.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::OwnedMutexGuard;

use super::tables::Tables;
use crate::store::rows::{Backend, RowsError, Sizes};

/// Keeps rows in memory. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryBackend {
    committed: Committed,
    /// Held by the write session that is open.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// The tables as of the last commit.
#[derive(Clone, Debug, Default)]
struct Committed(Arc<Mutex<Arc<Tables>>>);

impl Committed {
    fn get(&self) -> Arc<Tables> {
        Arc::clone(&self.lock())
    }

    fn set(&self, tables: Arc<Tables>) {
        *self.lock() = tables;
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Tables>> {
        // What is locked is one pointer, whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tables as one session sees them.
#[derive(Debug)]
pub struct Session<A> {
    pub(super) tables: Arc<Tables>,
    access: A,
}

/// What a read session has beside its tables.
#[derive(Debug)]
pub struct ReadOnly;

/// What a write session has beside its tables.
#[derive(Debug)]
pub struct Writer {
    committed: Committed,
    /// Other write sessions wait until it is dropped.
    _turn: OwnedMutexGuard<()>,
}

impl Session<Writer> {
    /// The session's own tables: copied at its first change.
    pub(super) fn tables_mut(&mut self) -> &mut Tables {
        Arc::make_mut(&mut self.tables)
    }

    /// Makes the session's tables the committed ones.
    pub(super) fn publish(self) {
        self.access.committed.set(self.tables);
    }
}

#[async_trait]
impl Backend for MemoryBackend {
    type Read = Session<ReadOnly>;
    type Write = Session<Writer>;

    async fn read(&self) -> Result<Session<ReadOnly>, RowsError> {
        let tables = self.committed.get();
        let access = ReadOnly;
        Ok(Session { tables, access })
    }

    async fn write(&self) -> Result<Session<Writer>, RowsError> {
        let access = Writer {
            _turn: Arc::clone(&self.turn).lock_owned().await,
            committed: self.committed.clone(),
        };
        // Read after its turn has come: what the session before committed is in it.
        let tables = self.committed.get();
        Ok(Session { tables, access })
    }

    async fn commits(&self, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, RowsError> {
        let tables = self.committed.get();
        let rest = tables.commits.iter();
        let rest = rest.filter(|(number, _)| **number > after);
        let rest = rest.map(|(number, body)| (*number, body.clone()));
        Ok(rest.take(limit).collect())
    }

    async fn last_commit(&self) -> Result<u64, RowsError> {
        Ok(self.committed.get().last_commit)
    }

    async fn sizes(&self) -> Result<Sizes, RowsError> {
        let tables = self.committed.get();
        Ok(Sizes {
            rows: vec![
                ("nodes", tables.nodes.len() as u64),
                ("versions", tables.versions.len() as u64),
                ("records", tables.records.len() as u64),
                ("commits", tables.commits.len() as u64),
            ],
            ..Sizes::default()
        })
    }
}
