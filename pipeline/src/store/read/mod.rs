//! Reads: a session of the backend, and what it is asked.
//!
//! ```text
//!  GraphStore ─▶ session.rs       rows of one moment: claims, lives, versions
//!                snapshots.rs     what edges and aliases a snapshot had as of T
//!                aliases.rs, same_as.rs, resolve.rs       names
//!                nodes.rs, placeholders.rs, list.rs, kinds.rs, search.rs   nodes
//!                edges.rs, neighborhood.rs, stats.rs       edges
//!                outlines.rs                               nodes with their edges, for a graph in memory
//!                claims.rs, timeline.rs, events.rs         who reported what, and when
//!                records.rs                                changes, drift, health, correlations, alerts
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
mod records;
mod resolve;
mod same_as;
mod search;
mod session;
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
    AliasesPage, At, ClaimInfo, Commit, Direction, Edge, EdgeStats, GraphStore, KindCount,
    KnownAlias, Lease, Neighborhood, NeighborhoodQuery, Node, NodeFilter, OtherName, Outlines,
    OutlinesPage, RecordFilter, RecordsPage, ScannedPage, Search, SearchResult, StoreError,
    TimelineEntry,
};
use session::Session;

const MINUTE: Duration = Duration::from_secs(60);

impl<B: Backend> Store<B> {
    async fn session(&self, at: At) -> Result<Session<B::Read>, RowsError> {
        let mut rows = self.backend.read().await?;
        check_horizon(&mut rows, at).await?;
        Ok(Session::new(rows, self.settings.seen_for, at))
    }
}

/// What it was doing when it failed.
fn failed(action: impl Into<String>) -> impl FnOnce(RowsError) -> StoreError {
    move |error| StoreError::new(action, error)
}

#[async_trait]
impl<B: Backend> GraphStore for Store<B> {
    async fn resolve(&self, names: &[String], at: At) -> Result<Vec<Vec<String>>, StoreError> {
        let resolved = async { self.session(at).await?.resolve(names).await }.await;
        resolved.map_err(failed(format!("look up {} names", names.len())))
    }

    async fn nodes(&self, uids: &[String], at: At) -> Result<Vec<Option<Node>>, StoreError> {
        let nodes = async { self.session(at).await?.nodes(uids).await }.await;
        nodes.map_err(failed(format!("read {} nodes", uids.len())))
    }

    async fn kinds_of(&self, uids: &[String], at: At) -> Result<Vec<String>, StoreError> {
        let kinds = async { self.session(at).await?.kinds_of(uids).await }.await;
        kinds.map_err(failed(format!("read the kinds of {} nodes", uids.len())))
    }

    async fn aliases_of(&self, uids: &[String], at: At) -> Result<Vec<Vec<OtherName>>, StoreError> {
        let names = async { self.session(at).await?.aliases_of(uids).await }.await;
        names.map_err(failed(format!("read the aliases of {} nodes", uids.len())))
    }

    async fn count_kinds(&self, at: At) -> Result<Vec<KindCount>, StoreError> {
        let counts = async { self.session(at).await?.count_kinds().await }.await;
        counts.map_err(failed("count nodes"))
    }

    async fn search(
        &self,
        search: &Search,
        limit: usize,
        at: At,
    ) -> Result<SearchResult, StoreError> {
        let found = async { self.session(at).await?.search(search, limit).await }.await;
        found.map_err(failed(format!("search for {:?}", search.text)))
    }

    async fn list(
        &self,
        filter: &NodeFilter,
        after: Option<&str>,
        limit: usize,
        at: At,
    ) -> Result<Vec<Node>, StoreError> {
        let nodes = async { self.session(at).await?.list(filter, after, limit).await }.await;
        nodes.map_err(failed("list nodes"))
    }

    async fn outlines(
        &self,
        edge_kinds: &[String],
        after: Option<&str>,
        limit: usize,
    ) -> Result<OutlinesPage, StoreError> {
        let page = async {
            let mut session = self.session(At::Now).await?;
            session.outlines(edge_kinds, after, limit).await
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
            let mut session = self.session(At::Now).await?;
            session.outlines_of_uids(edge_kinds, uids).await
        };
        let outlines = outlines.await;
        outlines.map_err(failed(format!("read the outlines of {} nodes", uids.len())))
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
            let mut session = self.session(at).await?;
            session.edges(uids, direction, kinds, limit).await
        };
        let edges = edges.await;
        edges.map_err(failed(format!("read edges of {} nodes", uids.len())))
    }

    async fn neighborhood(
        &self,
        start: &str,
        query: &NeighborhoodQuery<'_>,
        at: At,
    ) -> Result<Option<Neighborhood>, StoreError> {
        let found = async { self.session(at).await?.neighborhood(start, query).await }.await;
        found.map_err(failed(format!("read what {start} is connected with")))
    }

    async fn edge_stats(
        &self,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<EdgeStats>, StoreError> {
        let figures = async {
            // Statistics are kept for longer than what their ends were called.
            let known = to.max(self.horizon().await?.history());
            // The last minute of a span up to now has just begun.
            let at = match known.after(MINUTE) < UnixNanos::now() {
                true => At::Time(known),
                false => At::Now,
            };
            self.session(at).await?.edge_stats(from, to).await
        };
        let figures = figures.await;
        figures.map_err(failed("read edge statistics"))
    }

    async fn timeline(
        &self,
        uid: &str,
        from: UnixNanos,
        to: UnixNanos,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, StoreError> {
        let entries = async {
            let mut session = self.session(At::Now).await?;
            session.timeline(uid, from, to, limit).await
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
            let mut session = self.session(At::Now).await?;
            session.scanned(source, after, limit).await
        };
        let page = page.await;
        page.map_err(failed(format!("read what {source} scanned")))
    }

    async fn open_scopes(&self, source: &str) -> Result<Vec<String>, StoreError> {
        let scopes = async { self.session(At::Now).await?.open_scopes(source).await }.await;
        scopes.map_err(failed(format!("read the scopes of {source}")))
    }

    async fn lease(
        &self,
        source: &str,
        scope: &str,
        holder: &str,
        lasts: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        let taken = self.take_lease((source, scope), holder, lasts).await;
        taken.map_err(failed(format!("take the lease of {scope}")))
    }

    async fn end_lease(&self, source: &str, scope: &str, holder: &str) -> Result<(), StoreError> {
        let ended = self.give_back_lease((source, scope), holder).await;
        ended.map_err(failed(format!("give back the lease of {scope}")))
    }

    async fn aliases(
        &self,
        kinds: &[&str],
        after: Option<&str>,
        limit: usize,
    ) -> Result<AliasesPage, StoreError> {
        let page = async {
            let mut session = self.session(At::Now).await?;
            session.alias_page(kinds, after, limit).await
        };
        page.await.map_err(failed("read aliases"))
    }

    async fn aliases_of_uids(
        &self,
        kinds: &[&str],
        uids: &[String],
    ) -> Result<Vec<KnownAlias>, StoreError> {
        let aliases = async {
            let mut session = self.session(At::Now).await?;
            session.aliases_of_uids(kinds, uids).await
        };
        let aliases = aliases.await;
        aliases.map_err(failed(format!("read the names of {} nodes", uids.len())))
    }

    async fn claims_of(&self, uid: &str) -> Result<Vec<ClaimInfo>, StoreError> {
        let claims = self.claims(&[uid.to_owned()]).await?;
        Ok(claims.into_iter().flatten().collect())
    }

    async fn claims(&self, uids: &[String]) -> Result<Vec<Vec<ClaimInfo>>, StoreError> {
        let claims = async { self.session(At::Now).await?.claims_of(uids).await }.await;
        claims.map_err(failed(format!("read the claims of {} nodes", uids.len())))
    }

    async fn records(
        &self,
        filter: &RecordFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<RecordsPage, StoreError> {
        let page = async {
            let mut session = self.session(At::Now).await?;
            session.record_list(filter, after, limit).await
        };
        page.await.map_err(failed(format!("read {limit} records")))
    }

    fn commits(&self) -> broadcast::Receiver<Arc<Commit>> {
        self.subscribers.subscribe()
    }
}
