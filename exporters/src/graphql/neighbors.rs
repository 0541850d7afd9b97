//! What a node is connected with.

use async_graphql::{Context, Error, Result, SimpleObject};
use pipeline::graph_store::{self, At, NeighborhoodQuery};

use super::store::{store, unanswered};
use super::types::{Edge, Node};

/// How many edges away a neighbour may be.
const DEEPEST: usize = 5;

/// A node and what it is connected with.
#[derive(SimpleObject)]
pub(super) struct Neighborhood {
    start: Node,
    /// Near ones first.
    nodes: Vec<Neighbor>,
    /// The edges that were followed between the start and these nodes.
    edges: Vec<Edge>,
    /// Whether there is more than `first` allows.
    truncated: bool,
}

/// A node at some distance.
#[derive(SimpleObject)]
pub(super) struct Neighbor {
    /// How many edges away.
    distance: usize,
    node: Node,
    /// The uids on a shortest way to it, from the start to the node itself.
    path: Vec<String>,
}

/// How many edges away one may look.
///
/// # Errors
/// When that is none, or too many.
pub(super) fn depth(depth: i32) -> Result<usize> {
    let wrong = || Error::new(format!("depth may be 1 to {DEEPEST}, not {depth}"));
    let depth = usize::try_from(depth).map_err(|_| wrong())?;
    (1..=DEEPEST)
        .contains(&depth)
        .then_some(depth)
        .ok_or_else(wrong)
}

impl Neighborhood {
    pub(super) async fn around(
        context: &Context<'_>,
        start: &str,
        query: &NeighborhoodQuery<'_>,
        at: At,
    ) -> Result<Neighborhood> {
        let found = store(context).neighborhood(start, query, at).await;
        let Some(found) = found.map_err(unanswered)? else {
            return Err(Error::new(format!("nothing is known of {start}")));
        };
        let paths = found.nodes.iter().map(|it| path(&found.nodes, it));
        let paths: Vec<Vec<String>> = paths.collect();
        let mut nodes = found
            .nodes
            .into_iter()
            .zip(paths)
            .map(|(it, path)| Neighbor {
                distance: it.distance,
                node: Node { node: it.node, at },
                path,
            });
        let start = nodes.next().expect("the start is the first node");
        Ok(Neighborhood {
            start: start.node,
            nodes: nodes.collect(),
            edges: found
                .edges
                .into_iter()
                .map(|edge| Edge { edge, at })
                .collect(),
            truncated: found.truncated,
        })
    }
}

fn path(nodes: &[graph_store::Neighbor], to: &graph_store::Neighbor) -> Vec<String> {
    let before = |it: &&graph_store::Neighbor| it.from.map(|from| &nodes[from]);
    let way = std::iter::successors(Some(to), before);
    let mut path: Vec<String> = way.map(|it| it.node.uid.clone()).collect();
    path.reverse();
    path
}
