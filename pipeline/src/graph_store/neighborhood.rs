//! What is connected with a node.

use super::{Direction, Edge, Node};

/// How far, and along what, one goes from a node.
#[derive(Clone, Copy, Debug)]
pub struct NeighborhoodQuery<'w> {
    /// How many edges away.
    pub depth: usize,
    pub direction: Direction,
    /// Of edges; all where none is named.
    pub kinds: &'w [String],
    /// How many nodes, the start not counted.
    pub limit: usize,
}

impl NeighborhoodQuery<'_> {
    /// Edges that a step follows at most, in each direction.
    pub const EDGES: usize = 5_000;

    /// Edges that a step follows first: of a hub with 100,000 they fill the answer.
    pub fn few_edges(&self) -> usize {
        self.limit.saturating_mul(3).min(Self::EDGES)
    }
}

/// A node and what it is connected with.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighborhood {
    /// The start, then near ones first, those of one distance by uid.
    pub nodes: Vec<Neighbor>,
    /// The edges that were followed between these nodes, by (from, kind, to).
    pub edges: Vec<Edge>,
    /// Whether there are more nodes than the limit allows, or edges that were not followed.
    pub truncated: bool,
}

/// A node at some distance.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbor {
    pub node: Node,
    /// How many edges away.
    pub distance: usize,
    /// The node before it on a shortest way from the start, by its place among the nodes. None of the
    /// start.
    pub from: Option<usize>,
}
