//! The memory that the graph takes.

use std::mem::size_of;

use super::Graph;
use super::node::{ImpactEdge, ImpactNode};

/// How much a graph holds, and the bytes that it allocated, used or not. An allocator may round up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GraphSize {
    pub nodes: usize,
    /// Each edge is counted once although both its ends refer to it.
    pub edges: usize,
    /// Memory of the nodes: uids, claims, names, index.
    pub node_bytes: usize,
    /// Memory of the edges, at both their ends.
    pub edge_bytes: usize,
}

impl Graph {
    pub(in super::super) fn size(&self) -> GraphSize {
        let mut size = GraphSize {
            nodes: self.len(),
            node_bytes: self.nodes.capacity() * size_of::<ImpactNode>()
                + self.free.capacity() * size_of::<u32>()
                + self.index.allocation_size()
                + self.contested.allocation_size()
                + self.scopes.held_bytes()
                + self.names.held_bytes(),
            ..GraphSize::default()
        };
        for node in &self.nodes {
            size.edges += node.outgoing.len();
            size.node_bytes += node.uid.len() + node.claims.held_bytes();
            size.edge_bytes += node.outgoing.capacity() * size_of::<ImpactEdge>()
                + node.incoming.capacity() * size_of::<u32>();
        }
        size
    }
}
