//! Forgets what is over.

use std::time::Duration;

use pipeline::component::UnixNanos;
use pipeline::uid;

use super::Graph;
use super::node::{Edge, Existence, Node};

/// How long it is remembered that something has ended: what is told late does not revive it.
const REMEMBERED: Duration = Duration::from_secs(3600);

impl Graph {
    /// Edges that were not seen for long, nodes that ended long ago, and those that nothing leads to
    /// and nobody has told of for long.
    pub(in super::super) fn sweep(&mut self, now: UnixNanos) {
        let since = self.seen_since(now);
        let ids = 0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        for id in ids.clone() {
            let is_over = self.is_over(self.node(id), now);
            let remembered = u64::try_from(REMEMBERED.as_nanos()).unwrap_or(u64::MAX);
            let node = self.node_mut(id);
            node.claims
                .forget(UnixNanos(now.0.saturating_sub(remembered)));
            let is_seen = |edge: &Edge| edge.is_of_set() || edge.is_seen_since(since);
            if node.outward.iter().all(is_seen) && !is_over {
                continue;
            }
            let before = node.ends();
            node.outward.retain(|edge| !is_over && is_seen(edge));
            node.outward.shrink_to_fit();
            self.settle(id, &before);
            if is_over {
                self.names.forget(id);
            }
        }
        for id in ids {
            self.drop_ended_starts(id);
            let node = self.node(id);
            let is_alone = node.inward.is_empty() && node.outward.is_empty();
            let is_used = node.uid.is_empty() || self.names.owns_any(id);
            if is_alone && !is_used && (self.is_over(node, now) || self.is_stale(node, now)) {
                self.free(id);
            }
        }
    }

    /// Whether it ended so long ago that nothing of it is of use.
    fn is_over(&self, node: &Node, now: UnixNanos) -> bool {
        node.life.has_ended() && node.life.time.after(REMEMBERED) < now
    }

    /// Whether nobody says that it exists, or anything else of it any more.
    fn is_stale(&self, node: &Node, now: UnixNanos) -> bool {
        let is_placeholder = node.life.time == UnixNanos(0);
        let is_old = !self.seen_for.is_zero() && node.life.time.after(self.seen_for) < now;
        let is_unknown = node.life.state == Existence::Unknown && !node.is_claimed();
        is_unknown && (is_placeholder || is_old)
    }

    /// Where at least half of the edges that led to a node have ended, lists anew where they start.
    pub(super) fn drop_ended_starts(&mut self, id: u32) {
        let node = self.node(id);
        if node.ended == 0 || (node.ended as usize) * 2 < node.inward.len() {
            return;
        }
        let mut inward = std::mem::take(&mut self.node_mut(id).inward);
        inward.sort_unstable();
        inward.dedup();
        inward.retain(|from| self.node(*from).edges_to(id).next().is_some());
        inward.shrink_to_fit();
        let node = self.node_mut(id);
        node.inward = inward;
        node.ended = 0;
    }

    fn free(&mut self, id: u32) {
        let hash = uid::hash(self.uid(id));
        if let Ok(entry) = self.index.find_entry(hash, |found| *found == id) {
            entry.remove();
        }
        self.names.forget(id);
        self.contested.remove(&id);
        *self.node_mut(id) = Node::default();
        self.free.push(id);
    }
}
