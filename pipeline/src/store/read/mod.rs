//! Implements [`GraphStore`] for [`Store`]: every call opens a read session of the backend and a reader on it.
//!
//! ```text
//!  GraphStore ─▶ reader.rs         rows of one time: nodes, claims, versions, lifecycles
//!                snapshots.rs      snapshots that were in force at a past time
//!                aliases.rs, same_as.rs, resolve.rs                         aliases, merged nodes, names
//!                nodes.rs, placeholders.rs, list.rs, kinds.rs, search.rs    nodes
//!                edges.rs, neighborhood.rs, stats.rs                        edges
//!                outlines.rs       nodes with their edges, for a graph in memory
//!                claims.rs         claims and scopes, by source
//!                timeline.rs, events.rs                                     the history of a node
//!                records.rs        changes, drift, health, correlations, alerts
//! ```

mod aliases;
mod claims;
mod edges;
mod events;
mod kinds;
mod list;
mod neighborhood;
mod nodes;
mod outlines;
mod placeholders;
mod reader;
mod records;
mod resolve;
mod same_as;
mod search;
mod snapshots;
mod stats;
mod timeline;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::broadcast;

use super::Store;
use super::housekeeping::check_horizon;
use super::rows::{Backend, RowsError};
use crate::component::UnixNanos;
use crate::graph_store::{
    AliasesPage, AsOf, ClaimInfo, Commit, Directions, Edge, EdgeStats, GraphAlias, GraphStore,
    KindCount, KnownAlias, Lease, Neighborhood, NeighborhoodQuery, Node, NodeFilter, Outlines,
    OutlinesPage, RecordFilter, RecordsPage, ScannedPage, SearchQuery, SearchResult, StoreError,
    TimelineEntry,
};
use reader::GraphReader;

const MINUTE: Duration = Duration::from_secs(60);

impl<B: Backend> Store<B> {
    /// Opens a reader as of a time. Fails if the time is before the horizon.
    async fn reader(&self, at: AsOf) -> Result<GraphReader<B::Read>, RowsError> {
        let mut rows = self.backend.read().await?;
        check_horizon(&mut rows, at).await?;
        Ok(GraphReader::new(rows, self.settings.observed_edge_ttl, at))
    }
}

/// Converts an error of the backend; `action` says what failed.
fn failed(action: impl Into<String>) -> impl FnOnce(RowsError) -> StoreError {
    move |error| StoreError::new(action, error)
}

#[async_trait]
impl<B: Backend> GraphStore for Store<B> {
    async fn resolve(&self, names: &[String], at: AsOf) -> Result<Vec<Vec<String>>, StoreError> {
        let resolved = async { self.reader(at).await?.resolve(names).await }.await;
        resolved.map_err(failed(format!("look up {} names", names.len())))
    }

    async fn nodes(&self, uids: &[String], at: AsOf) -> Result<Vec<Option<Node>>, StoreError> {
        let nodes = async { self.reader(at).await?.nodes(uids).await }.await;
        nodes.map_err(failed(format!("read {} nodes", uids.len())))
    }

    async fn kinds_of(&self, uids: &[String], at: AsOf) -> Result<Vec<String>, StoreError> {
        let kinds = async { self.reader(at).await?.kinds_of(uids).await }.await;
        kinds.map_err(failed(format!("read the kinds of {} nodes", uids.len())))
    }

    async fn aliases_of(
        &self,
        uids: &[String],
        at: AsOf,
    ) -> Result<Vec<Vec<GraphAlias>>, StoreError> {
        let names = async { self.reader(at).await?.aliases_of(uids).await }.await;
        names.map_err(failed(format!("read the aliases of {} nodes", uids.len())))
    }

    async fn count_kinds(&self, at: AsOf) -> Result<Vec<KindCount>, StoreError> {
        let counts = async { self.reader(at).await?.count_kinds().await }.await;
        counts.map_err(failed("count nodes"))
    }

    async fn search(
        &self,
        search: &SearchQuery,
        limit: usize,
        at: AsOf,
    ) -> Result<SearchResult, StoreError> {
        let found = async { self.reader(at).await?.search(search, limit).await }.await;
        found.map_err(failed(format!("search for {:?}", search.text)))
    }

    async fn list(
        &self,
        filter: &NodeFilter,
        after: Option<&str>,
        limit: usize,
        at: AsOf,
    ) -> Result<Vec<Node>, StoreError> {
        let nodes = async { self.reader(at).await?.list(filter, after, limit).await }.await;
        nodes.map_err(failed("list nodes"))
    }

    async fn outlines(
        &self,
        edge_kinds: &[String],
        after: Option<&str>,
        limit: usize,
    ) -> Result<OutlinesPage, StoreError> {
        let page = async {
            let mut reader = self.reader(AsOf::Now).await?;
            reader.outlines(edge_kinds, after, limit).await
        };
        page.await
            .map_err(failed(format!("read the outlines of {limit} nodes")))
    }

    async fn outlines_of(
        &self,
        edge_kinds: &[String],
        uids: &[String],
    ) -> Result<Outlines, StoreError> {
        let outlines = async {
            let mut reader = self.reader(AsOf::Now).await?;
            reader.outlines_of_uids(edge_kinds, uids).await
        };
        let outlines = outlines.await;
        outlines.map_err(failed(format!("read the outlines of {} nodes", uids.len())))
    }

    async fn edges(
        &self,
        uids: &[String],
        directions: Directions,
        kinds: &[String],
        limit: usize,
        at: AsOf,
    ) -> Result<Vec<Edge>, StoreError> {
        let edges = async {
            let mut reader = self.reader(at).await?;
            reader.edges(uids, directions, kinds, limit).await
        };
        let edges = edges.await;
        edges.map_err(failed(format!("read edges of {} nodes", uids.len())))
    }

    async fn neighborhood(
        &self,
        start: &str,
        query: &NeighborhoodQuery<'_>,
        at: AsOf,
    ) -> Result<Option<Neighborhood>, StoreError> {
        let found = async { self.reader(at).await?.neighborhood(start, query).await }.await;
        found.map_err(failed(format!("read the neighborhood of {start}")))
    }

    async fn edge_stats(
        &self,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<EdgeStats>, StoreError> {
        let stats = async {
            // Merged nodes are resolved by the history, which may be shorter than the statistics.
            let as_of = to.max(self.horizon().await?.history());
            // A period that ended less than a minute ago is read as of now.
            let at = match as_of + MINUTE < UnixNanos::now() {
                true => AsOf::Time(as_of),
                false => AsOf::Now,
            };
            self.reader(at).await?.edge_stats(from, to).await
        };
        let stats = stats.await;
        stats.map_err(failed("read edge statistics"))
    }

    async fn timeline(
        &self,
        uid: &str,
        from: UnixNanos,
        to: UnixNanos,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, StoreError> {
        let entries = async {
            let mut reader = self.reader(AsOf::Now).await?;
            reader.timeline(uid, from, to, limit).await
        };
        let entries = entries.await;
        entries.map_err(failed(format!("read the timeline of {uid}")))
    }

    async fn scanned(
        &self,
        source: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ScannedPage, StoreError> {
        let page = async {
            let mut reader = self.reader(AsOf::Now).await?;
            reader.scanned(source, after, limit).await
        };
        let page = page.await;
        page.map_err(failed(format!("read the resources that {source} scanned")))
    }

    async fn open_scopes(&self, source: &str) -> Result<Vec<String>, StoreError> {
        let scopes = async { self.reader(AsOf::Now).await?.open_scopes(source).await }.await;
        scopes.map_err(failed(format!("read the scopes of {source}")))
    }

    async fn lease(
        &self,
        source: &str,
        scope: &str,
        holder: &str,
        lasts: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        let taken = self.acquire_lease((source, scope), holder, lasts).await;
        taken.map_err(failed(format!("acquire the lease of {scope}")))
    }

    async fn end_lease(&self, source: &str, scope: &str, holder: &str) -> Result<(), StoreError> {
        let ended = self.release_lease((source, scope), holder).await;
        ended.map_err(failed(format!("release the lease of {scope}")))
    }

    async fn aliases(
        &self,
        kinds: &[&str],
        after: Option<&str>,
        limit: usize,
    ) -> Result<AliasesPage, StoreError> {
        let page = async {
            let mut reader = self.reader(AsOf::Now).await?;
            reader.alias_page(kinds, after, limit).await
        };
        page.await.map_err(failed("read aliases"))
    }

    async fn aliases_of_uids(
        &self,
        kinds: &[&str],
        uids: &[String],
    ) -> Result<Vec<KnownAlias>, StoreError> {
        let aliases = async {
            let mut reader = self.reader(AsOf::Now).await?;
            reader.aliases_of_uids(kinds, uids).await
        };
        let aliases = aliases.await;
        aliases.map_err(failed(format!("read the aliases of {} nodes", uids.len())))
    }

    async fn claims_of(&self, uid: &str) -> Result<Vec<ClaimInfo>, StoreError> {
        let claims = self.claims(&[uid.to_owned()]).await?;
        Ok(claims.into_iter().flatten().collect())
    }

    async fn claims(&self, uids: &[String]) -> Result<Vec<Vec<ClaimInfo>>, StoreError> {
        let claims = async { self.reader(AsOf::Now).await?.claims_of(uids).await }.await;
        claims.map_err(failed(format!("read the claims of {} nodes", uids.len())))
    }

    async fn records(
        &self,
        filter: &RecordFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<RecordsPage, StoreError> {
        let page = async {
            let mut reader = self.reader(AsOf::Now).await?;
            reader.record_list(filter, after, limit).await
        };
        page.await.map_err(failed(format!("read {limit} records")))
    }

    fn commits(&self) -> broadcast::Receiver<Arc<Commit>> {
        self.subscribers.subscribe()
    }
}
