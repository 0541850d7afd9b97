//! What the graph takes of memory.

use std::mem::size_of;

use super::Graph;
use super::node::{Edge, Node};

/// How much a graph holds, and the bytes that it asked for, used or not: an allocator rounds up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub nodes: usize,
    /// Each once, though it stands at both its ends.
    pub edges: usize,
    /// Of the nodes: uids, who says what of them, how they are found.
    pub node_bytes: usize,
    /// Of the edges, at both their ends.
    pub edge_bytes: usize,
}

impl Graph {
    pub(in super::super) fn held(&self) -> Held {
        let mut held = Held {
            nodes: self.len(),
            node_bytes: self.nodes.capacity() * size_of::<Node>()
                + self.free.capacity() * size_of::<u32>()
                + self.index.allocation_size()
                + self.contested.allocation_size()
                + self.scopes.held_bytes()
                + self.names.held_bytes(),
            ..Held::default()
        };
        for node in &self.nodes {
            held.edges += node.outward.len();
            held.node_bytes += node.uid.len() + node.claims.held_bytes();
            held.edge_bytes += node.outward.capacity() * size_of::<Edge>()
                + node.inward.capacity() * size_of::<u32>();
        }
        held
    }
}
