//! A way between two nodes, as it is asked for.

use async_graphql::{Context, Error, Result, SimpleObject};
use pipeline::graph_store::At;

use super::super::store::{store, unanswered};
use super::super::types::{Edge, Node};
use super::search::Search;

/// Edges that a way may have.
const LONGEST: i32 = 10;

/// A way between two nodes.
#[derive(SimpleObject)]
pub(in super::super) struct Route {
    /// How many edges it has; null where there is none.
    length: Option<u32>,
    /// From the one to the other.
    nodes: Vec<Node>,
    /// The edges between them, each as it reads.
    edges: Vec<Edge>,
    /// Whether there was more to look at than is allowed: then there may be a better way.
    truncated: bool,
}

impl Route {
    pub(in super::super) async fn between(
        context: &Context<'_>,
        from: String,
        to: String,
        max_depth: i32,
        kinds: &[String],
        at: At,
    ) -> Result<Route> {
        if !(1..=LONGEST).contains(&max_depth) {
            return Err(Error::new(format!(
                "maxDepth may be 1 to {LONGEST}, not {max_depth}"
            )));
        }
        let store = store(context);
        let search = Search {
            store,
            kinds,
            longest: max_depth.unsigned_abs(),
            at,
        };
        let found = search.between(&from, &to).await.map_err(unanswered)?;
        let Some(way) = found.way else {
            return Ok(Route {
                length: None,
                nodes: Vec::new(),
                edges: Vec::new(),
                truncated: found.truncated,
            });
        };
        let nodes = store.nodes(&way.uids, at).await.map_err(unanswered)?;
        let edges = way.edges.into_iter();
        Ok(Route {
            length: u32::try_from(edges.len()).ok(),
            nodes: Node::all(nodes, at),
            edges: edges.map(|edge| Edge { edge, at }).collect(),
            truncated: found.truncated,
        })
    }
}
