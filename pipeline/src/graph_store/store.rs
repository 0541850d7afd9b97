//! The trait of graph stores.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::broadcast;

use super::{
    AliasesPage, AsOf, ClaimInfo, Commit, Directions, Edge, EdgeStats, GraphAlias, KindCount,
    KnownAlias, Lease, Neighborhood, NeighborhoodQuery, Node, NodeFilter, NodeOutline, Outlines,
    OutlinesPage, RecordFilter, RecordsPage, ScannedPage, SearchQuery, SearchResult, StoreError,
    TimelineEntry,
};
use crate::claims::ClaimClass;
use crate::schema::nodes::group;
use crate::unix_nanos::UnixNanos;

/// The page size of [`GraphStore::open_scopes`].
const PAGE: usize = 2000;

/// The maximum number of edges of one page.
const MAX_EDGES: usize = 1 << 24;

/// A store that answers queries about the graph.
///
/// Each query fails if the store cannot be read. A query as of a time also fails if the time is before the history that
/// the store keeps, see [`TooOld`](super::TooOld). Queries for a list of uids or names answer in the order of the list.
/// A page has up to `limit` items that follow the cursor `after`: the field `last` of the page before.
#[async_trait]
pub trait GraphStore: Send + Sync + std::fmt::Debug {
    /// The uids for each of these names. A name is a uid or an alias. It may have several uids (a private IP in two
    /// VPCs), or none.
    async fn resolve(&self, names: &[String], at: AsOf) -> Result<Vec<Vec<String>>, StoreError>;

    /// The node of each uid; `None` if the store knows nothing about it. A uid that only an edge leads to has a
    /// placeholder.
    async fn nodes(&self, uids: &[String], at: AsOf) -> Result<Vec<Option<Node>>, StoreError>;

    /// The kind of each uid, as [`Node::kind`]; `unknown` if no fact describes it.
    async fn kinds_of(&self, uids: &[String], at: AsOf) -> Result<Vec<String>, StoreError>;

    /// The aliases of each uid, by kind and value. The aliases of merged uids are not included.
    async fn aliases_of(
        &self,
        uids: &[String],
        at: AsOf,
    ) -> Result<Vec<Vec<GraphAlias>>, StoreError>;

    /// The numbers of nodes that have not ended, by kind and provider.
    async fn count_kinds(&self, at: AsOf) -> Result<Vec<KindCount>, StoreError>;

    /// Up to `limit` nodes that have not ended and have the text in a name, an alias, their uid or the value of a tag,
    /// best match first, then by uid. For each rank, the store examines a bounded number of texts, and the result says
    /// whether there may be more hits. A text of one or two letters matches the beginning only. As of a time, the store
    /// finds nodes by their current names, or by their last names if they have ended.
    async fn search(
        &self,
        query: &SearchQuery,
        limit: usize,
        at: AsOf,
    ) -> Result<SearchResult, StoreError>;

    /// Up to `limit` nodes after the node with the uid `after`, in the order in which nodes were first written. The
    /// list is empty if the store does not, or no longer, know `after`. It contains neither uids that were merged into
    /// another node, nor nodes that no scan covers and no source has seen recently. As of a time, it also lacks the
    /// nodes that were merged since then.
    async fn list(
        &self,
        filter: &NodeFilter,
        after: Option<&str>,
        limit: usize,
        at: AsOf,
    ) -> Result<Vec<Node>, StoreError>;

    /// A page of current nodes, in the order of [`GraphStore::list`] without a filter, with their claims and their
    /// outgoing edges of these kinds. For a processor that keeps the graph in memory.
    async fn outlines(
        &self,
        edge_kinds: &[String],
        after: Option<&str>,
        limit: usize,
    ) -> Result<OutlinesPage, StoreError> {
        outlines_by_parts(self, edge_kinds, after, limit).await
    }

    /// The current outlines of these uids, and of the nodes that they were merged into. For a processor that follows
    /// the writes of other processes.
    ///
    /// # Errors
    /// Fails if the store has no outlines (the default).
    async fn outlines_of(
        &self,
        edge_kinds: &[String],
        uids: &[String],
    ) -> Result<Outlines, StoreError> {
        let _ = edge_kinds;
        Err(StoreError {
            action: format!(
                "read the outlines of {} nodes: this store has none",
                uids.len()
            ),
            source: None,
        })
    }

    /// The first `limit` edges at these uids, ordered by (from, kind, to). An empty `kinds` means all kinds. Edges from
    /// or to a node that has ended are not included.
    async fn edges(
        &self,
        uids: &[String],
        directions: Directions,
        kinds: &[String],
        limit: usize,
        at: AsOf,
    ) -> Result<Vec<Edge>, StoreError>;

    /// The nodes and edges around a node, all from one state of the graph; `None` if the store knows nothing about the
    /// node.
    async fn neighborhood(
        &self,
        start: &str,
        query: &NeighborhoodQuery<'_>,
        at: AsOf,
    ) -> Result<Option<Neighborhood>, StoreError>;

    /// The statistics of all edges in the minutes that begin in `from..to`, by (from, kind, to).
    async fn edge_stats(
        &self,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<EdgeStats>, StoreError>;

    /// Up to `limit` entries in `from..to` about a uid, newest first.
    async fn timeline(
        &self,
        uid: &str,
        from: UnixNanos,
        to: UnixNanos,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, StoreError>;

    /// A page of the resources that a scan of this source has seen and that no later scan has missed. For a receiver
    /// that continues the scans of an earlier process.
    async fn scanned(
        &self,
        source: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ScannedPage, StoreError>;

    /// The scopes of the resources of [`GraphStore::scanned`], in any order. For a receiver that releases the scopes
    /// that it no longer scans.
    async fn open_scopes(&self, source: &str) -> Result<Vec<String>, StoreError> {
        let (mut scopes, mut after) = (BTreeSet::new(), None);
        loop {
            let page = self.scanned(source, after.as_deref(), PAGE).await?;
            scopes.extend(page.scanned.into_iter().map(|scanned| scanned.scope));
            after = page.last;
            if after.is_none() {
                return Ok(scopes.into_iter().collect());
            }
        }
    }

    /// Takes or renews the lease of a scope for the process `holder`: one process at a time scans a scope. The lease
    /// lasts for `duration` by the store's clock, at most 5 minutes. Returns `None` if `holder` has the lease now,
    /// otherwise the lease of the other process. A store without leases (the default) grants every request.
    async fn lease(
        &self,
        source: &str,
        scope: &str,
        holder: &str,
        duration: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        let _ = (source, scope, holder, duration);
        Ok(None)
    }

    /// Ends the lease of a scope, if `holder` has it.
    async fn end_lease(&self, source: &str, scope: &str, holder: &str) -> Result<(), StoreError> {
        let _ = (source, scope, holder);
        Ok(())
    }

    /// A page of the current aliases of these kinds: the aliases of the next `limit` uids, in a stable order. For a
    /// processor that resolves names before the first scan.
    async fn aliases(
        &self,
        kinds: &[&str],
        after: Option<&str>,
        limit: usize,
    ) -> Result<AliasesPage, StoreError>;

    /// The current aliases of these uids that have one of these kinds. The aliases of one uid are consecutive. The
    /// aliases of merged uids are not included.
    ///
    /// # Errors
    /// Fails if the store cannot look up aliases by uid (the default).
    async fn aliases_of_uids(
        &self,
        kinds: &[&str],
        uids: &[String],
    ) -> Result<Vec<KnownAlias>, StoreError> {
        let _ = kinds;
        Err(StoreError {
            action: format!(
                "read the names of {} nodes: this store has none",
                uids.len()
            ),
            source: None,
        })
    }

    /// The last interval of each claim of a uid, open or ended. The claims of merged uids are not included.
    ///
    /// # Errors
    /// Fails if the store keeps no claims (the default).
    async fn claims_of(&self, uid: &str) -> Result<Vec<ClaimInfo>, StoreError> {
        Err(StoreError {
            action: format!("read the claims of {uid}: this store keeps none"),
            source: None,
        })
    }

    /// The last interval of each claim of each of these uids; empty lists if the store keeps no claims (the default).
    async fn claims(&self, uids: &[String]) -> Result<Vec<Vec<ClaimInfo>>, StoreError> {
        Ok(vec![Vec::new(); uids.len()])
    }

    /// A page of the records that match a filter, newest first.
    ///
    /// # Errors
    /// Fails if the store keeps no records (the default).
    async fn records(
        &self,
        filter: &RecordFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<RecordsPage, StoreError> {
        let _ = (filter, after, limit);
        Err(StoreError {
            action: "read records: this store keeps none".to_owned(),
            source: None,
        })
    }

    /// Subscribes to the commits from now on. A subscriber that falls behind gets the number of commits that it missed.
    fn commits(&self) -> broadcast::Receiver<Arc<Commit>>;
}

/// Reads a page of outlines with other queries of the store, for a store without a faster way.
///
/// # Errors
/// Fails if one of these queries fails.
pub async fn outlines_by_parts<S: GraphStore + ?Sized>(
    store: &S,
    edge_kinds: &[String],
    after: Option<&str>,
    limit: usize,
) -> Result<OutlinesPage, StoreError> {
    let filter = NodeFilter::default();
    let nodes = store.list(&filter, after, limit, AsOf::Now).await?;
    let uids: Vec<String> = nodes.iter().map(|node| node.uid.clone()).collect();
    let claims = store.claims(&uids).await?;
    let outgoing = store
        .edges(&uids, Directions::Out, edge_kinds, MAX_EDGES, AsOf::Now)
        .await?;
    let mut edges: HashMap<String, Vec<Edge>> = HashMap::new();
    for edge in outgoing {
        edges.entry(edge.from.clone()).or_default().push(edge);
    }
    let last = uids.into_iter().next_back();
    Ok(OutlinesPage {
        last: last.filter(|_| nodes.len() == limit),
        nodes: nodes
            .into_iter()
            .zip(claims)
            .map(|(node, claims)| NodeOutline {
                class: match () {
                    () if node.facts.contains_key(group::ACTUAL) => ClaimClass::Actual,
                    () if node.facts.contains_key(group::DESIRED) => ClaimClass::Desired,
                    () => ClaimClass::Telemetry,
                },
                edges: edges.remove(&node.uid).unwrap_or_default(),
                ended_targets: Vec::new(),
                uid: node.uid,
                kind: node.kind,
                last_seen: node.last_seen,
                claims,
            })
            .collect(),
    })
}
