//! Walks the graph in memory.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use pipeline::component::UnixNanos;
use pipeline::graph_store::Direction;
use pipeline::impact::{Impact, ImpactWalk, WalkEdge, WalkLimits};

use super::graph::ImpactGraph;

/// A node of the graph. Two nodes are equal if their numbers are equal. Nodes are ordered by their uids.
#[derive(Clone, Copy, Debug)]
pub(super) struct NodeRef<'g> {
    id: u32,
    pub(super) uid: &'g str,
}

impl PartialEq for NodeRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for NodeRef<'_> {}

impl Hash for NodeRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl PartialOrd for NodeRef<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for NodeRef<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uid.cmp(other.uid)
    }
}

/// Finds the nodes that depend on a uid; `None` if the graph does not have the uid.
pub(super) fn reach<'g>(
    graph: &'g ImpactGraph,
    uid: &str,
    limits: WalkLimits,
    now: UnixNanos,
) -> Option<Impact<NodeRef<'g>>> {
    let node_ref = |id| NodeRef {
        id,
        uid: graph.uid(id),
    };
    let start = graph.canonical(graph.find(uid)?, now);
    let mut walk = ImpactWalk::new(node_ref(start), graph.kind(start), limits);
    loop {
        for (near, directions) in walk.frontier() {
            for direction in directions {
                let mut follow = |edge_kind: &str, far: u32, confidence: f64| {
                    let far = graph.canonical(far, now);
                    if graph.is_alive(far) {
                        walk.follow(&WalkEdge {
                            near: &near,
                            edge_kind,
                            direction,
                            far: &node_ref(far),
                            far_kind: graph.kind(far),
                            confidence,
                        });
                    }
                };
                for alias in graph.names_of(near.id, now) {
                    match direction {
                        Direction::In => graph.edges_to(alias, now, &mut follow),
                        Direction::Out => graph.edges_from(alias, now, &mut follow),
                    }
                }
            }
        }
        if !walk.advance() {
            return Some(walk.finish());
        }
    }
}
