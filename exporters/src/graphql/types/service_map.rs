//! `ServiceMap`: the calls between nodes, with rate, errors and duration.

use std::collections::BTreeSet;

use async_graphql::connection::{CursorType, OpaqueCursor, PageInfo};
use async_graphql::{Context, Object, Result};
use pipeline::component::UnixNanos;
use pipeline::graph_store::{AsOf, EdgeStats};

use super::node::Node;
use crate::graphql::store::{store, store_error};
use crate::graphql::time::DateTime;

/// The calls between nodes in a time range.
pub(in crate::graphql) struct ServiceMap {
    from: UnixNanos,
    to: UnixNanos,
    /// The end of the time range, as of which nodes are read.
    at: AsOf,
    /// The first minute in the range with a call. Rates are computed from this minute on, since earlier calls may not
    /// have been recorded.
    since: UnixNanos,
    /// The edges of the page.
    edges: Vec<EdgeStats>,
    has_next: bool,
}

/// Caller, kind, callee and connection type, which identify an edge. Pages are ordered by this key.
type EdgeKey = (String, String, String, String);

pub(in crate::graphql) type CallsCursor = OpaqueCursor<EdgeKey>;

fn key(edge: &EdgeStats) -> EdgeKey {
    let EdgeStats { from, kind, to, .. } = edge;
    let connection_type = &edge.connection_type;
    [from, kind, to, connection_type].map(String::clone).into()
}

impl ServiceMap {
    /// Reads the minutes that begin in `from..to`; `from` is rounded down to a whole minute.
    pub(in crate::graphql) async fn of(
        context: &Context<'_>,
        from: UnixNanos,
        to: UnixNanos,
        at: AsOf,
    ) -> Result<ServiceMap> {
        const MINUTE: u64 = 60_000_000_000;
        let from = UnixNanos(from.0 - from.0 % MINUTE);
        let edges = store(context).edge_stats(from, to).await;
        let edges = edges.map_err(store_error)?;
        let since = edges.iter().map(|edge| edge.since).min();
        Ok(ServiceMap {
            from,
            to,
            at,
            since: since.map_or(from, |since| since.max(from)),
            edges,
            has_next: false,
        })
    }

    /// Keeps the first edges after the cursor.
    pub(in crate::graphql) fn page(
        mut self,
        first: usize,
        after: Option<CallsCursor>,
    ) -> ServiceMap {
        if let Some(OpaqueCursor(after)) = after {
            self.edges.retain(|edge| key(edge) > after);
        }
        self.has_next = self.edges.len() > first;
        self.edges.truncate(first);
        self
    }

    fn seconds(&self) -> f64 {
        self.to.0.saturating_sub(self.since.0) as f64 / 1e9
    }
}

#[Object]
impl ServiceMap {
    /// The start of the time range, rounded down to a whole minute.
    async fn from(&self) -> DateTime {
        DateTime(self.from)
    }

    /// The end of the time range.
    async fn to(&self) -> DateTime {
        DateTime(self.to)
    }

    async fn page_info(&self) -> PageInfo {
        let last = self.edges.last();
        PageInfo {
            has_next_page: self.has_next,
            end_cursor: last.map(|edge| OpaqueCursor(key(edge)).encode_cursor()),
            has_previous_page: false,
            start_cursor: None,
        }
    }

    /// The callers and callees of the edges on this page: services, databases, users, other endpoints.
    async fn nodes(&self, context: &Context<'_>) -> Result<Vec<Node>> {
        let uids: BTreeSet<&str> = self
            .edges
            .iter()
            .flat_map(|edge| [edge.from.as_str(), edge.to.as_str()])
            .collect();
        let uids: Vec<String> = uids.into_iter().map(str::to_owned).collect();
        let nodes = store(context).nodes(&uids, self.at).await;
        Ok(Node::all(nodes.map_err(store_error)?, self.at))
    }

    /// The edges of this page, ordered by caller, kind and callee.
    async fn edges(&self) -> Vec<Calls<'_>> {
        let (seconds, at) = (self.seconds(), self.at);
        let calls = self.edges.iter().map(|stats| Calls { stats, seconds, at });
        calls.collect()
    }
}

/// The calls from one node to another in a time range.
pub(in crate::graphql) struct Calls<'m> {
    stats: &'m EdgeStats,
    seconds: f64,
    at: AsOf,
}

#[Object]
impl Calls<'_> {
    /// The uid of the caller.
    async fn from(&self) -> &str {
        &self.stats.from
    }

    /// The uid of the callee.
    async fn to(&self) -> &str {
        &self.stats.to
    }

    /// The caller.
    #[graphql(name = "fromNode")]
    async fn caller(&self, context: &Context<'_>) -> Result<Option<Node>> {
        Node::load(context, &self.stats.from, self.at).await
    }

    /// The callee.
    async fn to_node(&self, context: &Context<'_>) -> Result<Option<Node>> {
        Node::load(context, &self.stats.to, self.at).await
    }

    /// The connection type: empty, `messaging_system`, `database` or `virtual_node`.
    async fn connection_type(&self) -> &str {
        &self.stats.connection_type
    }

    /// The number of calls.
    async fn calls(&self) -> u64 {
        self.stats.calls
    }

    /// The number of calls that failed.
    async fn errors(&self) -> u64 {
        self.stats.errors
    }

    /// Calls per second, from the first minute with calls in the whole map to the end of the time range.
    async fn rate(&self) -> f64 {
        if self.seconds > 0.0 {
            self.stats.calls as f64 / self.seconds
        } else {
            0.0
        }
    }

    /// The share of calls that failed, from 0 to 1.
    async fn error_rate(&self) -> f64 {
        if self.stats.calls > 0 {
            self.stats.errors as f64 / self.stats.calls as f64
        } else {
            0.0
        }
    }

    /// The median duration, in seconds.
    async fn p50(&self) -> Option<f64> {
        self.stats.durations.quantile(0.5)
    }

    /// The 95th percentile of the duration, in seconds.
    async fn p95(&self) -> Option<f64> {
        self.stats.durations.quantile(0.95)
    }

    /// The 99th percentile of the duration, in seconds.
    async fn p99(&self) -> Option<f64> {
        self.stats.durations.quantile(0.99)
    }

    /// The mean duration, in seconds.
    async fn mean(&self) -> Option<f64> {
        (self.stats.calls > 0).then(|| self.stats.duration_sum / self.stats.calls as f64)
    }

    /// The longest duration, in seconds.
    async fn max(&self) -> f64 {
        self.stats.duration_max
    }
}
