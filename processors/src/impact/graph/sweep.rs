//! Evicts expired edges and ended nodes.

use std::time::Duration;

use pipeline::component::UnixNanos;
use pipeline::uid;

use super::ImpactGraph;
use super::node::{ImpactEdge, ImpactNode, LifecycleState};

/// How long an ended node is kept. Within this time, a late report does not revive it.
const ENDED_RETENTION: Duration = Duration::from_secs(3600);

impl ImpactGraph {
    /// Removes expired observed edges, and the edges and names of nodes that ended more than [`ENDED_RETENTION`] ago.
    /// Then removes the nodes without edges and names that ended so long ago or are [stale](ImpactGraph::is_stale).
    pub(in crate::impact) fn sweep(&mut self, now: UnixNanos) {
        let since = self.observed_since(now);
        let ids = 0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        for id in ids.clone() {
            let has_ended = self.has_ended_long_ago(self.node(id), now);
            let retention = u64::try_from(ENDED_RETENTION.as_nanos()).unwrap_or(u64::MAX);
            let node = self.node_mut(id);
            node.claims
                .drop_before(UnixNanos(now.0.saturating_sub(retention)));
            let is_unexpired =
                |edge: &ImpactEdge| edge.is_in_snapshot() || edge.is_observed_since(since);
            if node.outgoing.iter().all(is_unexpired) && !has_ended {
                continue;
            }
            let before = node.targets();
            node.outgoing
                .retain(|edge| !has_ended && is_unexpired(edge));
            node.outgoing.shrink_to_fit();
            self.update_incoming(id, &before);
            if has_ended {
                self.names.remove_owner(id);
            }
        }
        for id in ids {
            self.prune_incoming(id);
            let node = self.node(id);
            let has_no_edges = node.incoming.is_empty() && node.outgoing.is_empty();
            let is_free = node.uid.is_empty();
            let has_names = self.names.owns_any(id);
            let is_due = self.has_ended_long_ago(node, now) || self.is_stale(node, now);
            if has_no_edges && !is_free && !has_names && is_due {
                self.release(id);
            }
        }
    }

    /// Whether the node ended more than [`ENDED_RETENTION`] ago.
    fn has_ended_long_ago(&self, node: &ImpactNode, now: UnixNanos) -> bool {
        node.lifecycle.has_ended() && node.lifecycle.time + ENDED_RETENTION < now
    }

    /// Whether the node has no open claim and no source has reported it for longer than `observed_for`. A node that is
    /// known only as the end of an edge is always stale.
    fn is_stale(&self, node: &ImpactNode, now: UnixNanos) -> bool {
        let is_placeholder = node.lifecycle.time == UnixNanos(0);
        let is_old = !self.observed_for.is_zero() && node.lifecycle.time + self.observed_for < now;
        let is_unknown = node.lifecycle.state == LifecycleState::Unknown && !node.is_claimed();
        is_unknown && (is_placeholder || is_old)
    }

    /// Removes the stale entries of `incoming` if at least half of its entries are stale.
    pub(super) fn prune_incoming(&mut self, id: u32) {
        let node = self.node(id);
        if node.stale_incoming == 0 || (node.stale_incoming as usize) * 2 < node.incoming.len() {
            return;
        }
        let mut incoming = std::mem::take(&mut self.node_mut(id).incoming);
        incoming.sort_unstable();
        incoming.dedup();
        incoming.retain(|from| self.node(*from).edges_to(id).next().is_some());
        incoming.shrink_to_fit();
        let node = self.node_mut(id);
        node.incoming = incoming;
        node.stale_incoming = 0;
    }

    /// Removes a node and frees its number.
    fn release(&mut self, id: u32) {
        let hash = uid::hash(self.uid(id));
        if let Ok(entry) = self.index.find_entry(hash, |entry| *entry == id) {
            entry.remove();
        }
        self.names.remove_owner(id);
        self.contested.remove(&id);
        *self.node_mut(id) = ImpactNode::default();
        self.free.push(id);
    }
}
