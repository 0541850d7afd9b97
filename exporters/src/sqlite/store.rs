//! The graph to be written and asked, once the file is open.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use pipeline::component::UnixNanos;
use pipeline::facts::Told;
use pipeline::graph_store::{
    AliasesPage, At, Commit, Direction, Edge, EdgeFigures, Found, GraphStore, KindCount, Node,
    NodeFilter, OtherName, ScannedPage, Search, StoreError, TimelineEntry,
};
use tokio::sync::broadcast;

use super::connections::WriteError;
use super::database::Database;
use super::reader::Reader;
use super::{read, write};

/// Commits that a follower may be behind before it misses some.
const COMMITS: usize = 256;

#[derive(Debug)]
pub struct Store {
    reader: Reader,
    commits: broadcast::Sender<Arc<Commit>>,
    sequence: AtomicU64,
}

impl Store {
    pub(super) fn new(seen_for: Duration) -> Store {
        Store {
            reader: Reader::new(seen_for),
            commits: broadcast::Sender::new(COMMITS),
            sequence: AtomicU64::new(0),
        }
    }

    pub(super) fn open(&self, database: Database) {
        self.reader.open(database);
    }

    /// Writes all that a batch tells, then announces what is new.
    ///
    /// # Errors
    /// When it is not known to be durable. Writing it again has the effect of once.
    pub(super) async fn write(&self, told: &Told<'_>) -> Result<(), WriteError> {
        let database = self.reader.database().map_err(WriteError::before_start)?;
        let mut transaction = database.writer.begin().await?;
        let written = write::write(transaction.connection(), told).await;
        let mut news = transaction.finish(written).await?;
        if news.is_empty() {
            return Ok(());
        }
        news.truncate();
        news.sequence = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        // An error means that nobody follows.
        let _ = self.commits.send(Arc::new(news));
        Ok(())
    }

    pub(super) async fn close(&self) {
        if let Ok(database) = self.reader.database() {
            database.close().await;
        }
    }

    #[cfg(test)]
    pub(super) fn database(&self) -> Option<&Database> {
        self.reader.database().ok()
    }
}

/// What it was doing when it failed.
fn failed(action: impl Into<String>) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |error| StoreError::new(action, error)
}

#[async_trait]
impl GraphStore for Store {
    async fn resolve(&self, names: &[String], at: At) -> Result<Vec<Vec<String>>, StoreError> {
        let resolved =
            async { read::resolve(&mut self.reader.session().await?, names, at).await }.await;
        resolved.map_err(failed(format!("look up {} names", names.len())))
    }

    async fn nodes(&self, uids: &[String], at: At) -> Result<Vec<Option<Node>>, StoreError> {
        let nodes = async { read::nodes(&mut self.reader.session().await?, uids, at).await }.await;
        nodes.map_err(failed(format!("read {} nodes", uids.len())))
    }

    async fn kinds_of(&self, uids: &[String], at: At) -> Result<Vec<String>, StoreError> {
        let kinds =
            async { read::kinds_of(&mut self.reader.session().await?, uids, at).await }.await;
        kinds.map_err(failed(format!("read the kinds of {} nodes", uids.len())))
    }

    async fn aliases_of(&self, uids: &[String], at: At) -> Result<Vec<Vec<OtherName>>, StoreError> {
        let names =
            async { read::aliases_of(&mut self.reader.session().await?, uids, at).await }.await;
        names.map_err(failed(format!("read the names of {} nodes", uids.len())))
    }

    async fn count_kinds(&self, at: At) -> Result<Vec<KindCount>, StoreError> {
        let counts = async { read::count_kinds(&mut self.reader.session().await?, at).await }.await;
        counts.map_err(failed("count the nodes of each kind"))
    }

    async fn search(
        &self,
        search: &Search,
        limit: usize,
        at: At,
    ) -> Result<Vec<Found>, StoreError> {
        let found =
            async { read::search(&mut self.reader.session().await?, search, limit, at).await }
                .await;
        found.map_err(failed("search for a text"))
    }

    async fn list(
        &self,
        filter: &NodeFilter,
        after: Option<&str>,
        limit: usize,
        at: At,
    ) -> Result<Vec<Node>, StoreError> {
        let nodes =
            async { read::list(&mut self.reader.session().await?, filter, after, limit, at).await }
                .await;
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
        let edges = async {
            read::edges(
                &mut self.reader.session().await?,
                uids,
                direction,
                kinds,
                limit,
                at,
            )
            .await
        }
        .await;
        edges.map_err(failed(format!("read the edges of {} nodes", uids.len())))
    }

    async fn edge_figures(
        &self,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<EdgeFigures>, StoreError> {
        let figures =
            async { read::edge_figures(&mut self.reader.session().await?, from, to).await }.await;
        figures.map_err(failed("read the figures of edges"))
    }

    async fn timeline(
        &self,
        uid: &str,
        from: UnixNanos,
        to: UnixNanos,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, StoreError> {
        let entries =
            async { read::timeline(&mut self.reader.session().await?, uid, from, to, limit).await }
                .await;
        entries.map_err(failed(format!("read the timeline of {uid}")))
    }

    async fn scanned(
        &self,
        source: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ScannedPage, StoreError> {
        let page =
            async { read::scanned(&mut self.reader.session().await?, source, after, limit).await }
                .await;
        page.map_err(failed(format!("read what {source} has scanned")))
    }

    async fn aliases(
        &self,
        kinds: &[&str],
        after: Option<&str>,
        limit: usize,
    ) -> Result<AliasesPage, StoreError> {
        let page =
            async { read::names(&mut self.reader.session().await?, kinds, after, limit).await }
                .await;
        page.map_err(failed(format!("read the aliases of {limit} nodes")))
    }

    fn commits(&self) -> broadcast::Receiver<Arc<Commit>> {
        self.commits.subscribe()
    }
}
