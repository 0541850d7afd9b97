//! Resolves `neighbors`: the nodes around a node.

use async_graphql::{Context, Error, Result, SimpleObject};
use pipeline::graph_store::{self, AsOf, NeighborhoodQuery};

use super::store::{store, store_error};
use super::types::{Edge, Node};

/// The largest distance of a neighbour, in edges.
const MAX_DEPTH: usize = 5;

/// A node and the nodes that it is connected with.
#[derive(SimpleObject)]
pub(super) struct Neighborhood {
    start: Node,
    /// The neighbours, nearest first.
    nodes: Vec<Neighbor>,
    /// The edges that the walk followed between `start` and `nodes`.
    edges: Vec<Edge>,
    /// True if `first` or the limit of edges truncated the result.
    truncated: bool,
}

/// A node and its distance from the start.
#[derive(SimpleObject)]
pub(super) struct Neighbor {
    /// The number of edges between the start and this node.
    distance: usize,
    node: Node,
    /// The uids of a shortest path, from the start to this node.
    path: Vec<String>,
}

/// Checks `depth`, the requested distance in edges.
///
/// # Errors
/// If it is below 1 or too large.
pub(super) fn check_depth(depth: i32) -> Result<usize> {
    let wrong = || {
        Error::new(format!(
            "depth must be between 1 and {MAX_DEPTH}, not {depth}"
        ))
    };
    let depth = usize::try_from(depth).map_err(|_| wrong())?;
    (1..=MAX_DEPTH)
        .contains(&depth)
        .then_some(depth)
        .ok_or_else(wrong)
}

impl Neighborhood {
    /// Reads the nodes around `start`.
    pub(super) async fn around(
        context: &Context<'_>,
        start: &str,
        query: &NeighborhoodQuery<'_>,
        at: AsOf,
    ) -> Result<Neighborhood> {
        let neighborhood = store(context).neighborhood(start, query, at).await;
        let Some(neighborhood) = neighborhood.map_err(store_error)? else {
            return Err(Error::new(format!("node {start} not found")));
        };
        let nodes = &neighborhood.nodes;
        let paths = nodes.iter().map(|neighbor| path(nodes, neighbor));
        let paths: Vec<Vec<String>> = paths.collect();
        let mut nodes = neighborhood
            .nodes
            .into_iter()
            .zip(paths)
            .map(|(neighbor, path)| Neighbor {
                distance: neighbor.distance,
                node: Node {
                    node: neighbor.node,
                    at,
                },
                path,
            });
        let start = nodes.next().expect("the start is the first node");
        Ok(Neighborhood {
            start: start.node,
            nodes: nodes.collect(),
            edges: neighborhood
                .edges
                .into_iter()
                .map(|edge| Edge { edge, at })
                .collect(),
            truncated: neighborhood.truncated,
        })
    }
}

/// The uids of a shortest path from the start to a node.
fn path(nodes: &[graph_store::Neighbor], to: &graph_store::Neighbor) -> Vec<String> {
    let previous = |neighbor: &&graph_store::Neighbor| neighbor.from.map(|from| &nodes[from]);
    let backwards = std::iter::successors(Some(to), previous);
    let mut path: Vec<String> = backwards
        .map(|neighbor| neighbor.node.uid.clone())
        .collect();
    path.reverse();
    path
}
