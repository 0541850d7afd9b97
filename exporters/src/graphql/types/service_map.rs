//! Who calls whom, how often and how fast.

use std::collections::BTreeSet;

use async_graphql::connection::{CursorType, OpaqueCursor, PageInfo};
use async_graphql::{Context, Object, Result};
use pipeline::component::UnixNanos;
use pipeline::graph_store::{At, EdgeStats};

use super::super::loader;
use super::super::store::{store, unanswered};
use super::super::time::DateTime;
use super::node::Node;

/// Calls in a span of time.
pub(in super::super) struct ServiceMap {
    from: UnixNanos,
    to: UnixNanos,
    /// The moment of its end, at which its nodes are told.
    at: At,
    /// Since when anything is known of the span: a process that has just started has not been idle before.
    since: UnixNanos,
    /// Of the page.
    edges: Vec<EdgeStats>,
    has_next: bool,
}

/// Caller, kind, called and connection type of an edge.
type Key = (String, String, String, String);

pub(in super::super) type CallsCursor = OpaqueCursor<Key>;

fn key(edge: &EdgeStats) -> Key {
    let EdgeStats { from, kind, to, .. } = edge;
    let connection_type = &edge.connection_type;
    [from, kind, to, connection_type].map(String::clone).into()
}

impl ServiceMap {
    /// Of the minutes that begin in `from..to`; the first is rounded down to a whole one.
    pub(in super::super) async fn of(
        context: &Context<'_>,
        from: UnixNanos,
        to: UnixNanos,
        at: At,
    ) -> Result<ServiceMap> {
        const MINUTE: u64 = 60_000_000_000;
        let from = UnixNanos(from.0 - from.0 % MINUTE);
        let edges = store(context).edge_stats(from, to).await;
        let edges = edges.map_err(unanswered)?;
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

    /// The first edges that follow `after`.
    pub(in super::super) fn page(mut self, first: usize, after: Option<CallsCursor>) -> ServiceMap {
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
    async fn from(&self) -> DateTime {
        DateTime(self.from)
    }

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

    /// All that calls or is called on this page: services, databases, users, other endpoints.
    async fn nodes(&self, context: &Context<'_>) -> Result<Vec<Node>> {
        let uids: BTreeSet<&str> = self
            .edges
            .iter()
            .flat_map(|edge| [edge.from.as_str(), edge.to.as_str()])
            .collect();
        let uids: Vec<String> = uids.into_iter().map(str::to_owned).collect();
        let nodes = store(context).nodes(&uids, self.at).await;
        Ok(Node::all(nodes.map_err(unanswered)?, self.at))
    }

    async fn edges(&self) -> Vec<Calls<'_>> {
        let (seconds, at) = (self.seconds(), self.at);
        let calls = self.edges.iter().map(|figures| Calls {
            figures,
            seconds,
            at,
        });
        calls.collect()
    }
}

/// The calls from one node to another.
pub(in super::super) struct Calls<'m> {
    figures: &'m EdgeStats,
    seconds: f64,
    at: At,
}

#[Object]
impl Calls<'_> {
    /// Uid of the caller.
    async fn from(&self) -> &str {
        &self.figures.from
    }

    /// Uid of the called.
    async fn to(&self) -> &str {
        &self.figures.to
    }

    #[graphql(name = "fromNode")]
    async fn caller(&self, context: &Context<'_>) -> Result<Option<Node>> {
        loader::load(context, &self.figures.from, self.at).await
    }

    async fn to_node(&self, context: &Context<'_>) -> Result<Option<Node>> {
        loader::load(context, &self.figures.to, self.at).await
    }

    /// Empty, `messaging_system`, `database` or `virtual_node`.
    async fn connection_type(&self) -> &str {
        &self.figures.connection_type
    }

    async fn calls(&self) -> u64 {
        self.figures.calls
    }

    async fn errors(&self) -> u64 {
        self.figures.errors
    }

    /// Calls a second, from the first minute of the map that has any calls to its end.
    async fn rate(&self) -> f64 {
        if self.seconds > 0.0 {
            self.figures.calls as f64 / self.seconds
        } else {
            0.0
        }
    }

    /// Failed share of the calls, 0 to 1.
    async fn error_rate(&self) -> f64 {
        if self.figures.calls > 0 {
            self.figures.errors as f64 / self.figures.calls as f64
        } else {
            0.0
        }
    }

    /// Median duration, in seconds.
    async fn p50(&self) -> Option<f64> {
        self.figures.durations.quantile(0.5)
    }

    /// What 95 % of the durations do not exceed, in seconds.
    async fn p95(&self) -> Option<f64> {
        self.figures.durations.quantile(0.95)
    }

    /// What 99 % of the durations do not exceed, in seconds.
    async fn p99(&self) -> Option<f64> {
        self.figures.durations.quantile(0.99)
    }

    /// Mean duration, in seconds.
    async fn mean(&self) -> Option<f64> {
        (self.figures.calls > 0).then(|| self.figures.duration_sum / self.figures.calls as f64)
    }

    /// Longest duration, in seconds.
    async fn max(&self) -> f64 {
        self.figures.duration_max
    }
}
