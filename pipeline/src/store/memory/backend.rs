//! The memory backend and its sessions.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::OwnedMutexGuard;

use super::tables::Tables;
use crate::store::rows::{Backend, RowsError, StoreSize};
use crate::sync::lock;

/// Keeps rows in memory. Clones share the tables.
#[derive(Clone, Debug, Default)]
pub struct MemoryBackend {
    committed: CommittedTables,
    /// Locked by the open write session.
    write_lock: Arc<tokio::sync::Mutex<()>>,
}

/// The tables of the last commit.
#[derive(Clone, Debug, Default)]
struct CommittedTables(Arc<Mutex<Arc<Tables>>>);

impl CommittedTables {
    fn get(&self) -> Arc<Tables> {
        lock(&self.0).clone()
    }

    fn set(&self, tables: Arc<Tables>) {
        *lock(&self.0) = tables;
    }
}

/// A session: its view of the tables, and its access, [`ReadAccess`] or [`WriteAccess`].
#[derive(Debug)]
pub struct MemorySession<A> {
    pub(super) tables: Arc<Tables>,
    access: A,
}

/// The access of a read session.
#[derive(Debug)]
pub struct ReadAccess;

/// The access of a write session.
#[derive(Debug)]
pub struct WriteAccess {
    committed: CommittedTables,
    /// Other write sessions wait until it is dropped.
    _write_lock: OwnedMutexGuard<()>,
}

impl MemorySession<WriteAccess> {
    /// Returns the tables of the session, which are copied at the first change.
    pub(super) fn tables_mut(&mut self) -> &mut Tables {
        Arc::make_mut(&mut self.tables)
    }

    /// Commits the tables of the session.
    pub(super) fn publish(self) {
        self.access.committed.set(self.tables);
    }
}

#[async_trait]
impl Backend for MemoryBackend {
    type Read = MemorySession<ReadAccess>;
    type Write = MemorySession<WriteAccess>;

    async fn read(&self) -> Result<MemorySession<ReadAccess>, RowsError> {
        let tables = self.committed.get();
        let access = ReadAccess;
        Ok(MemorySession { tables, access })
    }

    async fn write(&self) -> Result<MemorySession<WriteAccess>, RowsError> {
        let access = WriteAccess {
            _write_lock: Arc::clone(&self.write_lock).lock_owned().await,
            committed: self.committed.clone(),
        };
        // The tables are read while the lock is held, so that they include the commit of the previous session.
        let tables = self.committed.get();
        Ok(MemorySession { tables, access })
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

    async fn store_size(&self) -> Result<StoreSize, RowsError> {
        let tables = self.committed.get();
        Ok(StoreSize {
            rows: vec![
                ("nodes", tables.nodes.len() as u64),
                ("versions", tables.versions.len() as u64),
                ("records", tables.records.len() as u64),
                ("commits", tables.commits.len() as u64),
            ],
            ..StoreSize::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryBackend;
    use crate::testing::{aging, rows};

    #[tokio::test]
    async fn memory_backend_passes_the_row_suite() {
        rows::check_all(async || MemoryBackend::default()).await;
    }

    #[tokio::test]
    async fn store_over_memory_passes_the_housekeeping_suite() {
        aging::check_all(async || {
            let backend = MemoryBackend::default();
            (backend.clone(), backend)
        })
        .await;
    }
}
