//! Puts what a store has of a node in the place of what is held of it.

use std::sync::Arc;
use std::time::Duration;

use pipeline::component::UnixNanos;
use pipeline::graph_store::NodeOutline;

use super::Graph;
use super::node::{Edge, Existence, Life};

impl Graph {
    /// A node as it is stored, but for its names.
    pub(in super::super) fn replace_node(&mut self, node: &NodeOutline) {
        self.clear(&node.uid);
        self.restore_node(node);
        if !node.edges.is_empty() {
            self.restore_edges(node);
        }
    }

    /// A uid that the store has no node of: it ended, or is not one (any more).
    pub(in super::super) fn remove_node(&mut self, uid: &str, ended: Option<UnixNanos>) {
        self.clear(uid);
        if let (Some(time), Some(id)) = (ended, self.find(uid)) {
            self.node_mut(id).life = Life {
                time,
                state: Existence::Ended,
            };
        }
    }

    /// Forgets all that is held of a node, but not that edges lead to it.
    fn clear(&mut self, uid: &str) {
        let Some(id) = self.find(uid) else {
            return;
        };
        self.names.forget(id);
        self.contested.remove(&id);
        let node = self.node_mut(id);
        let before = node.ends();
        node.outward = Vec::new();
        node.claims = Default::default();
        node.life = Life::default();
        (node.kind, node.said) = (0, 0);
        self.settle(id, &before);
        for to in before {
            self.drop_ended_starts(to);
        }
    }

    /// What an edge leads to that has ended, where nothing else is known of it.
    pub(super) fn restore_end(&mut self, uid: &str, ended: UnixNanos) {
        let Some(id) = self.find(uid) else {
            return;
        };
        let node = self.node_mut(id);
        if node.claims.is_empty() && node.life.state == Existence::Unknown {
            node.life = Life {
                time: ended,
                state: Existence::Ended,
            };
        }
    }

    /// Nodes at which observations start that expire in this time unless they are seen again.
    pub(in super::super) fn expiring(
        &self,
        now: UnixNanos,
        within: Duration,
    ) -> impl Iterator<Item = Arc<str>> {
        let (first, last) = (self.seen_since(now), self.seen_since(now.after(within)));
        let expires = move |edge: &Edge| {
            !edge.is_of_set() && edge.is_seen_since(first) && !edge.is_seen_since(last)
        };
        let nodes = self.nodes.iter();
        let nodes = nodes.filter(move |node| node.outward.iter().any(expires));
        nodes.map(|node| Arc::from(&*node.uid))
    }

    /// The uids of all nodes.
    pub(in super::super) fn uids(&self) -> impl Iterator<Item = Arc<str>> {
        let nodes = self.nodes.iter().filter(|node| !node.uid.is_empty());
        nodes.map(|node| Arc::from(&*node.uid))
    }
}
