//! The graph to be written and asked, once the file is open.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use pipeline::component::UnixNanos;
use pipeline::facts::{Members, Told};
use pipeline::graph_store::{
    At, Commit, Direction, Edge, EdgeFigures, GraphStore, Node, NodeFilter, StoreError,
    TimelineEntry,
};
use sqlx::SqlitePool;
use tokio::sync::broadcast;

use super::database::Database;
use super::{read, write};

/// Commits that a follower may be behind before it misses some.
const COMMITS: usize = 1024;

/// Members of scans that are held in memory, in bytes.
const MEMBERS: usize = 32 << 20;

#[derive(Debug)]
pub struct Store {
    database: OnceLock<Database>,
    commits: broadcast::Sender<Arc<Commit>>,
    sequence: AtomicU64,
    members: Mutex<HashMap<i64, Arc<Members>>>,
    /// How long what was seen by itself holds; for ever where zero.
    seen_for: Duration,
}

impl Store {
    pub(super) fn new(seen_for: Duration) -> Store {
        Store {
            database: OnceLock::new(),
            commits: broadcast::Sender::new(COMMITS),
            sequence: AtomicU64::new(0),
            members: Mutex::default(),
            seen_for,
        }
    }

    pub(super) fn open(&self, database: Database) {
        // It is opened once, when the exporter starts.
        let _ = self.database.set(database);
    }

    /// Writes all that a batch tells, then announces what is new.
    ///
    /// # Errors
    /// When nothing of it was written.
    pub(super) async fn write(&self, told: &Told<'_>) -> Result<(), sqlx::Error> {
        let database = self.database.get().ok_or(sqlx::Error::PoolClosed)?;
        let mut news = write::write(&database.writer, told).await?;
        if news.nodes.is_empty() && news.edges.is_empty() && news.changes.is_empty() {
            return Ok(());
        }
        news.sequence = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        // An error means that nobody follows.
        let _ = self.commits.send(Arc::new(news));
        Ok(())
    }

    pub(super) async fn close(&self) {
        if let Some(database) = self.database.get() {
            database.readers.close().await;
            database.writer.close().await;
        }
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
        let held: usize = known.values().map(|members| members.as_bytes().len()).sum();
        if held + members.as_bytes().len() > MEMBERS {
            known.clear();
        }
        known.insert(hash, members);
    }

    #[cfg(test)]
    pub(super) fn database(&self) -> Option<&Database> {
        self.database.get()
    }

    pub(super) fn readers(&self) -> Result<&SqlitePool, sqlx::Error> {
        let database = self.database.get().ok_or(sqlx::Error::PoolClosed)?;
        Ok(&database.readers)
    }
}

/// What it was doing when it failed.
fn failed(action: impl Into<String>) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |error| StoreError::new(action, error)
}

#[async_trait]
impl GraphStore for Store {
    async fn resolve(&self, names: &[String], at: At) -> Result<Vec<Vec<String>>, StoreError> {
        let resolved = read::resolve(self, names, at).await;
        resolved.map_err(failed(format!("look up {} names", names.len())))
    }

    async fn nodes(&self, uids: &[String], at: At) -> Result<Vec<Option<Node>>, StoreError> {
        let nodes = read::nodes(self, uids, at).await;
        nodes.map_err(failed(format!("read {} nodes", uids.len())))
    }

    async fn list(
        &self,
        filter: &NodeFilter,
        after: Option<&str>,
        limit: usize,
        at: At,
    ) -> Result<Vec<Node>, StoreError> {
        let nodes = read::list(self, filter, after, limit, at).await;
        nodes.map_err(failed(format!("list {limit} nodes")))
    }

    async fn edges(
        &self,
        uids: &[String],
        direction: Direction,
        kinds: &[String],
        limit: usize,
        at: At,
    ) -> Result<Vec<Edge>, StoreError> {
        let edges = read::edges(self, uids, direction, kinds, limit, at).await;
        edges.map_err(failed(format!("read the edges of {} nodes", uids.len())))
    }

    async fn edge_figures(
        &self,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<EdgeFigures>, StoreError> {
        let figures = read::edge_figures(self, from, to).await;
        figures.map_err(failed("read the figures of edges"))
    }

    async fn timeline(
        &self,
        uid: &str,
        from: UnixNanos,
        to: UnixNanos,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, StoreError> {
        let entries = read::timeline(self, uid, from, to, limit).await;
        entries.map_err(failed(format!("read the timeline of {uid}")))
    }

    fn commits(&self) -> broadcast::Receiver<Arc<Commit>> {
        self.commits.subscribe()
    }
}
