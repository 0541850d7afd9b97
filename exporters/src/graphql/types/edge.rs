//! `Edge`.

use async_graphql::{Context, Enum, Json, Object, Result};
use pipeline::graph_store::{self, AsOf};
use serde_json::{Map as JsonMap, Value};

use super::node::Node;
use crate::graphql::time::DateTime;

/// In which direction edges are followed from a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(in crate::graphql) enum Direction {
    /// Edges from the node, such as those to its host and to its security groups.
    Out,
    /// Edges to the node, such as those from the pods on an instance and from the nodes that a security group secures.
    In,
    /// Edges in both directions.
    Both,
}

impl From<Direction> for graph_store::Directions {
    fn from(direction: Direction) -> graph_store::Directions {
        match direction {
            Direction::Out => graph_store::Directions::Out,
            Direction::In => graph_store::Directions::In,
            Direction::Both => graph_store::Directions::Both,
        }
    }
}

/// A directed edge. It reads as a sentence: `from` `kind` `to`.
pub(in crate::graphql) struct Edge {
    pub(in crate::graphql) edge: graph_store::Edge,
    pub(in crate::graphql) at: AsOf,
}

#[Object]
impl Edge {
    /// The uid of the node where the edge starts.
    async fn from(&self) -> &str {
        &self.edge.from
    }

    /// The kind of the edge: `SECURED_BY`, `RUNS_ON`, `CALLS` …
    async fn kind(&self) -> &str {
        &self.edge.kind
    }

    /// The uid of the node where the edge ends.
    async fn to(&self) -> &str {
        &self.edge.to
    }

    /// The node where the edge starts.
    #[graphql(name = "fromNode")]
    async fn start(&self, context: &Context<'_>) -> Result<Option<Node>> {
        Node::load(context, &self.edge.from, self.at).await
    }

    /// The node where the edge ends.
    async fn to_node(&self, context: &Context<'_>) -> Result<Option<Node>> {
        Node::load(context, &self.edge.to, self.at).await
    }

    /// The source that reported the edge.
    async fn source(&self) -> &str {
        &self.edge.source
    }

    /// The confidence that the edge exists, from 0 to 1.
    async fn confidence(&self) -> f64 {
        self.edge.confidence
    }

    /// Other values that the source reported for the edge.
    async fn properties(&self) -> Json<&JsonMap<String, Value>> {
        Json(&self.edge.properties)
    }

    /// When the edge was first reported.
    async fn first_seen(&self) -> DateTime {
        DateTime(self.edge.first_seen)
    }

    /// When the edge was last reported.
    async fn last_seen(&self) -> DateTime {
        DateTime(self.edge.last_seen)
    }
}
