//! Measures the graph in memory.

use std::mem::size_of;

use super::ImpactGraph;
use super::node::{ImpactEdge, ImpactNode};

/// The size of a graph. Bytes are requested allocations, which include unused capacity. The allocator may round them
/// up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GraphSize {
    pub nodes: usize,
    /// The number of edges, each counted once.
    pub edges: usize,
    /// The memory of the nodes: uids, claims, names, index.
    pub node_bytes: usize,
    /// The memory of the edges at their start and end nodes.
    pub edge_bytes: usize,
}

impl ImpactGraph {
    /// Measures the graph.
    pub(in crate::impact) fn size(&self) -> GraphSize {
        let mut size = GraphSize {
            nodes: self.len(),
            node_bytes: self.nodes.capacity() * size_of::<ImpactNode>()
                + self.free.capacity() * size_of::<u32>()
                + self.index.allocation_size()
                + self.contested.allocation_size()
                + self.scopes.heap_bytes()
                + self.names.held_bytes(),
            ..GraphSize::default()
        };
        for node in &self.nodes {
            size.edges += node.outgoing.len();
            size.node_bytes += node.uid.len() + node.claims.heap_bytes();
            size.edge_bytes += node.outgoing.capacity() * size_of::<ImpactEdge>()
                + node.incoming.capacity() * size_of::<u32>();
        }
        size
    }
}
