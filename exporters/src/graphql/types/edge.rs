//! Edges.

use async_graphql::{Context, Enum, Json, Object, Result};
use pipeline::graph_store::{self, At};
use serde_json::{Map as JsonMap, Value};

use super::super::loader;
use super::super::time::DateTime;
use super::node::Node;

/// Which ends of its edges a node is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(in super::super) enum Direction {
    /// Edges that start at the node: what it runs on, what secures it.
    Out,
    /// Edges that lead to the node: what runs on it, what it secures.
    In,
    Both,
}

impl From<Direction> for graph_store::Direction {
    fn from(direction: Direction) -> graph_store::Direction {
        match direction {
            Direction::Out => graph_store::Direction::Out,
            Direction::In => graph_store::Direction::In,
            Direction::Both => graph_store::Direction::Both,
        }
    }
}

/// Reads as a sentence: `from` `kind` `to`.
pub(in super::super) struct Edge {
    pub(in super::super) edge: graph_store::Edge,
    pub(in super::super) at: At,
}

#[Object]
impl Edge {
    /// Uid.
    async fn from(&self) -> &str {
        &self.edge.from
    }

    /// `SECURED_BY`, `RUNS_ON`, `CALLS` …
    async fn kind(&self) -> &str {
        &self.edge.kind
    }

    /// Uid.
    async fn to(&self) -> &str {
        &self.edge.to
    }

    #[graphql(name = "fromNode")]
    async fn start(&self, context: &Context<'_>) -> Result<Option<Node>> {
        loader::load(context, &self.edge.from, self.at).await
    }

    async fn to_node(&self, context: &Context<'_>) -> Result<Option<Node>> {
        loader::load(context, &self.edge.to, self.at).await
    }

    async fn source(&self) -> &str {
        &self.edge.source
    }

    /// How sure it is, 0 to 1.
    async fn confidence(&self) -> f64 {
        self.edge.confidence
    }

    async fn properties(&self) -> Json<&JsonMap<String, Value>> {
        Json(&self.edge.properties)
    }

    async fn first_seen(&self) -> DateTime {
        DateTime(self.edge.first_seen)
    }

    async fn last_seen(&self) -> DateTime {
        DateTime(self.edge.last_seen)
    }
}
