//! Replaces nodes in memory by nodes that were read from the store.

use std::sync::Arc;
use std::time::Duration;

use pipeline::component::UnixNanos;
use pipeline::graph_store::NodeOutline;

use super::ImpactGraph;
use super::node::{ImpactEdge, LifecycleState, NodeLifecycle};

impl ImpactGraph {
    /// Replaces a node by the stored one, without its names: [`ImpactGraph::restore_names`] restores them.
    pub(in crate::impact) fn replace_node(&mut self, node: &NodeOutline) {
        self.clear(&node.uid);
        self.restore_node(node);
        if !node.edges.is_empty() {
            self.restore_edges(node);
        }
    }

    /// Clears a node that is not current in the store. `ended` is the time at which it ended, if the store has it.
    pub(in crate::impact) fn remove_node(&mut self, uid: &str, ended: Option<UnixNanos>) {
        self.clear(uid);
        if let (Some(time), Some(id)) = (ended, self.find(uid)) {
            self.node_mut(id).lifecycle = NodeLifecycle {
                time,
                state: LifecycleState::Ended,
            };
        }
    }

    /// Clears all fields of a node except its uid and the edges that lead to it.
    fn clear(&mut self, uid: &str) {
        let Some(id) = self.find(uid) else {
            return;
        };
        self.names.remove_owner(id);
        self.contested.remove(&id);
        let node = self.node_mut(id);
        let before = node.targets();
        node.outgoing = Vec::new();
        node.claims = Default::default();
        node.lifecycle = NodeLifecycle::default();
        (node.kind, node.kind_rank) = (0, 0);
        self.update_incoming(id, &before);
        for to in before {
            self.prune_incoming(to);
        }
    }

    /// Marks the target of an edge as ended, unless the graph has claims about it or knows whether it exists.
    pub(super) fn restore_ended_target(&mut self, uid: &str, ended: UnixNanos) {
        let Some(id) = self.find(uid) else {
            return;
        };
        let node = self.node_mut(id);
        if node.claims.is_empty() && node.lifecycle.state == LifecycleState::Unknown {
            node.lifecycle = NodeLifecycle {
                time: ended,
                state: LifecycleState::Ended,
            };
        }
    }

    /// The start nodes of observed edges that expire within this time if they are not observed again.
    pub(in crate::impact) fn expiring(
        &self,
        now: UnixNanos,
        within: Duration,
    ) -> impl Iterator<Item = Arc<str>> {
        let (first, last) = (self.observed_since(now), self.observed_since(now + within));
        let expires = move |edge: &ImpactEdge| {
            !edge.is_in_snapshot() && edge.is_observed_since(first) && !edge.is_observed_since(last)
        };
        let nodes = self.nodes.iter();
        let nodes = nodes.filter(move |node| node.outgoing.iter().any(expires));
        nodes.map(|node| Arc::from(&*node.uid))
    }

    /// The uids of all nodes.
    pub(in crate::impact) fn uids(&self) -> impl Iterator<Item = Arc<str>> {
        let nodes = self.nodes.iter().filter(|node| !node.uid.is_empty());
        nodes.map(|node| Arc::from(&*node.uid))
    }
}
