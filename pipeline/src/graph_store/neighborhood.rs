//! The nodes and edges around a node.

use super::{Directions, Edge, Node};

/// The limits of a walk from a node, and the edges that it follows.
#[derive(Clone, Copy, Debug)]
pub struct NeighborhoodQuery<'w> {
    /// The maximum number of edges on the path from the start to a node.
    pub depth: usize,
    pub directions: Directions,
    /// The kinds of edges to follow; all kinds if it is empty.
    pub kinds: &'w [String],
    /// The maximum number of nodes, without the start.
    pub limit: usize,
}

impl NeighborhoodQuery<'_> {
    /// The maximum number of edges that a step follows in each direction.
    pub const EDGES: usize = 5_000;

    /// The number of edges that a step reads first. At a hub with 100,000 edges, they are enough to reach the limit.
    pub fn few_edges(&self) -> usize {
        self.limit.saturating_mul(3).min(Self::EDGES)
    }
}

/// The result of a [`NeighborhoodQuery`].
#[derive(Clone, Debug, PartialEq)]
pub struct Neighborhood {
    /// The start, then the other nodes by distance and uid.
    pub nodes: Vec<Neighbor>,
    /// The edges between these nodes that the walk followed, by (from, kind, to).
    pub edges: Vec<Edge>,
    /// Whether there are more nodes than the limit, or edges that the walk did not follow.
    pub truncated: bool,
}

/// A node and its distance from the start.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbor {
    pub node: Node,
    /// The number of edges from the start.
    pub distance: usize,
    /// The previous node on a shortest path from the start, as an index into the nodes. `None` for the start.
    pub from: Option<usize>,
}
