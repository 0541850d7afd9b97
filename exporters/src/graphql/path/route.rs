//! Resolves `path`.

use async_graphql::{Context, Error, Result, SimpleObject};
use pipeline::graph_store::AsOf;

use super::search::Search;
use crate::graphql::store::{store, store_error};
use crate::graphql::types::{Edge, Node};

/// The maximum number of edges of a path.
const MAX_LENGTH: i32 = 10;

/// A path between two nodes.
#[derive(SimpleObject)]
pub(in crate::graphql) struct Route {
    /// The number of edges; null if there is no path.
    length: Option<u32>,
    /// The nodes of the path, from `from` to `to`.
    nodes: Vec<Node>,
    /// The edges between the nodes. An edge may point against the direction of the path.
    edges: Vec<Edge>,
    /// True if the search reached a limit: then a better path may exist.
    truncated: bool,
}

impl Route {
    /// Finds the best path of at most `max_depth` edges, and reads its nodes.
    pub(in crate::graphql) async fn between(
        context: &Context<'_>,
        from: String,
        to: String,
        max_depth: i32,
        kinds: &[String],
        at: AsOf,
    ) -> Result<Route> {
        if !(1..=MAX_LENGTH).contains(&max_depth) {
            return Err(Error::new(format!(
                "maxDepth must be between 1 and {MAX_LENGTH}, not {max_depth}"
            )));
        }
        let store = store(context);
        let search = Search {
            store,
            kinds,
            max_length: max_depth.unsigned_abs(),
            at,
        };
        let outcome = search.between(&from, &to).await.map_err(store_error)?;
        let Some(path) = outcome.path else {
            return Ok(Route {
                length: None,
                nodes: Vec::new(),
                edges: Vec::new(),
                truncated: outcome.truncated,
            });
        };
        let nodes = store.nodes(&path.uids, at).await.map_err(store_error)?;
        let edges = path.edges.into_iter();
        Ok(Route {
            length: u32::try_from(edges.len()).ok(),
            nodes: Node::all(nodes, at),
            edges: edges.map(|edge| Edge { edge, at }).collect(),
            truncated: outcome.truncated,
        })
    }
}
