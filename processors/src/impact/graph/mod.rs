//! The graph in memory: no more of it than a walk needs.
//!
//! A node is a number. Its edges stand with the node that they start at, 16 bytes each; the node
//! that they lead to lists the numbers of those starts, 4 bytes each. An edge that ends is only
//! taken from its start: who comes by the list looks whether there still is one.
//!
//! Existence follows the rules of [`pipeline::claims`]. Of each claim only the edges and names of one
//! state are held, that of its newest snapshot; they hold while the claim has that state.

use std::time::Duration;

use hashbrown::{HashSet, HashTable};
use pipeline::claim_memory::Scopes;
use pipeline::component::UnixNanos;
use pipeline::reports::{Items, ReportBatch};
use pipeline::uid;

mod edges;
mod existence;
mod held;
mod names;
mod node;
mod replace;
mod restore;
mod sweep;
mod words;

pub use held::Held;

use names::Names;
use node::Node;
use words::Words;

/// Completions of scans that are kept of each scope.
const WINDOW: usize = 4;

#[derive(Debug)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    /// Numbers that no node has.
    free: Vec<u32>,
    /// The numbers of all nodes, by the hash of their uid.
    index: HashTable<u32>,
    kinds: Words,
    sources: Words,
    scopes: Scopes,
    /// Nodes that ended while a claim about them is open.
    contested: HashSet<u32>,
    names: Names,
    /// How many nodes are held.
    most: usize,
    /// How long what was seen by itself holds; for ever where zero.
    seen_for: Duration,
    left_out: u64,
    is_incomplete: bool,
}

impl Graph {
    pub(super) fn new(most: usize, seen_for: Duration) -> Graph {
        Graph {
            nodes: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            kinds: Words::new("unknown"),
            sources: Words::new(""),
            scopes: Scopes::new(WINDOW),
            contested: HashSet::new(),
            names: Names::default(),
            most,
            seen_for,
            left_out: 0,
            is_incomplete: false,
        }
    }

    /// How many nodes are held.
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// How many times since it was last asked a node found no room.
    pub(super) fn take_left_out(&mut self) -> u64 {
        std::mem::take(&mut self.left_out)
    }

    /// Whether a node ever found no room, or was not loaded.
    pub(super) fn is_incomplete(&self) -> bool {
        self.is_incomplete
    }

    /// Not all of the store was loaded.
    pub(super) fn leave_out_the_rest(&mut self) {
        self.is_incomplete = true;
    }

    /// Takes in what a batch reports.
    pub(super) fn take_in(&mut self, reports: &ReportBatch<'_>) {
        self.scopes.set_clock(reports.now);
        for sighting in &reports.sightings {
            self.describe(sighting);
        }
        for report in reports.direct() {
            self.report(&report);
        }
        for snapshot in &reports.snapshots {
            match &snapshot.items {
                Items::Edges(edges) => self.put_edges(snapshot, edges),
                Items::Aliases(aliases) => self.put_names(snapshot, aliases),
            }
        }
        for observation in &reports.edges {
            self.see(observation);
        }
        for observation in &reports.aliases {
            self.see_name(observation);
        }
        let mut completions: Vec<_> = reports.completions.iter().collect();
        completions.sort_by_key(|completion| completion.began);
        for completion in completions {
            self.complete(completion);
        }
    }

    pub(super) fn find(&self, uid: &str) -> Option<u32> {
        self.find_hash(uid::hash(uid))
    }

    pub(super) fn uid(&self, id: u32) -> &str {
        &self.node(id).uid
    }

    pub(super) fn kind(&self, id: u32) -> &str {
        self.kinds.word(self.node(id).kind)
    }

    /// Whether nothing says that it has ended.
    pub(super) fn is_alive(&self, id: u32) -> bool {
        !self.node(id).life.has_ended()
    }

    /// Edges that lead to a node and hold: kind, where they start, confidence.
    pub(super) fn edges_to(
        &self,
        id: u32,
        now: UnixNanos,
        follow: &mut impl FnMut(&str, u32, f64),
    ) {
        let since = self.seen_since(now);
        for &from in &self.node(id).inward {
            let from_node = self.node(from);
            let edges = from_node.edges_to(id);
            for edge in edges.filter(|edge| from_node.holds(edge, since)) {
                follow(edge.kind(), from, edge.confidence());
            }
        }
    }

    /// Edges that start at a node and hold: kind, where they lead, confidence.
    pub(super) fn edges_from(
        &self,
        id: u32,
        now: UnixNanos,
        follow: &mut impl FnMut(&str, u32, f64),
    ) {
        let since = self.seen_since(now);
        let node = self.node(id);
        for edge in node.outward.iter().filter(|it| node.holds(it, since)) {
            follow(edge.kind(), edge.to, edge.confidence());
        }
    }

    /// The seconds at which what is seen by itself must have been seen to hold.
    fn seen_since(&self, now: UnixNanos) -> u32 {
        if self.seen_for.is_zero() {
            return 0;
        }
        let nanos = u64::try_from(self.seen_for.as_nanos()).unwrap_or(u64::MAX);
        node::seconds(UnixNanos(now.0.saturating_sub(nanos)))
    }

    fn node(&self, id: u32) -> &Node {
        &self.nodes[id as usize]
    }

    fn node_mut(&mut self, id: u32) -> &mut Node {
        &mut self.nodes[id as usize]
    }

    fn find_hash(&self, hash: u64) -> Option<u32> {
        let is_it = |id: &u32| uid::hash(self.uid(*id)) == hash;
        self.index.find(hash, is_it).copied()
    }

    /// The node's number; it is made where there is none yet. None where there is no room.
    fn number(&mut self, uid: &str) -> Option<u32> {
        let hash = uid::hash(uid);
        if let Some(id) = self.find_hash(hash) {
            return Some(id);
        }
        if self.index.len() >= self.most {
            self.left_out += 1;
            self.is_incomplete = true;
            return None;
        }
        let node = Node::new(uid);
        let id = match self.free.pop() {
            Some(id) => {
                *self.node_mut(id) = node;
                id
            }
            None => {
                let id = u32::try_from(self.nodes.len()).ok()?;
                self.nodes.push(node);
                id
            }
        };
        let nodes = &self.nodes;
        let hash_of = |id: &u32| uid::hash(&nodes[*id as usize].uid);
        self.index.insert_unique(hash, id, hash_of);
        Some(id)
    }
}
