//! The graph in memory, with only the data that a walk needs.
//!
//! ```text
//!  reports ──edges, existence, names──▶ nodes ──sweep──▶ evicted
//!  store   ──restore, replace─────────▶
//! ```
//!
//! A node is a number. An edge takes 16 bytes at its start node. Its target lists the number of the start node, in 4
//! bytes. When an edge is removed, it is removed at its start node only. Readers of the list check that the start node
//! still has an edge.
//!
//! Existence follows the rules of [`pipeline::claims`]. Of each claim, the graph holds the edges and names of only one
//! state: the state of the newest snapshot. They are current while the claim has that state.

use std::time::Duration;

use hashbrown::{HashSet, HashTable};
use pipeline::claim_memory::ClaimScopes;
use pipeline::component::UnixNanos;
use pipeline::reports::{ReportBatch, SnapshotItems};
use pipeline::uid;

mod edges;
mod existence;
mod names;
mod node;
mod replace;
mod restore;
mod size;
mod sweep;

pub use size::GraphSize;

use names::NameClaims;
use node::{ImpactNode, WordInterner};

/// The number of scan completions that are kept for each scope.
const KEPT_COMPLETIONS: usize = 4;

/// Nodes and their edges, merged from reports.
#[derive(Debug)]
pub(super) struct ImpactGraph {
    nodes: Vec<ImpactNode>,
    /// The numbers of evicted nodes. New nodes get them.
    free: Vec<u32>,
    /// The numbers of all nodes, by the hash of their uid.
    index: HashTable<u32>,
    kinds: WordInterner,
    sources: WordInterner,
    scopes: ClaimScopes,
    /// Nodes that do not exist although a claim about their existence is open.
    contested: HashSet<u32>,
    names: NameClaims,
    max_nodes: usize,
    /// How long an observed edge is current after its last observation; with 0 it does not expire.
    observed_for: Duration,
    /// See [`ImpactGraph::take_nodes_left_out`].
    nodes_left_out: u64,
    is_incomplete: bool,
}

impl ImpactGraph {
    pub(super) fn new(max_nodes: usize, observed_for: Duration) -> ImpactGraph {
        ImpactGraph {
            nodes: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            kinds: WordInterner::new("unknown"),
            sources: WordInterner::new(""),
            scopes: ClaimScopes::new(KEPT_COMPLETIONS),
            contested: HashSet::new(),
            names: NameClaims::default(),
            max_nodes,
            observed_for,
            nodes_left_out: 0,
            is_incomplete: false,
        }
    }

    /// The number of nodes.
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// Returns how often a node was left out because of `max_nodes` since the last call.
    pub(super) fn take_nodes_left_out(&mut self) -> u64 {
        std::mem::take(&mut self.nodes_left_out)
    }

    /// Whether a node was ever left out because of `max_nodes`, or the store was not loaded completely.
    pub(super) fn is_incomplete(&self) -> bool {
        self.is_incomplete
    }

    /// Records that the store was not loaded completely.
    pub(super) fn mark_incomplete(&mut self) {
        self.is_incomplete = true;
    }

    /// Applies the reports of a batch.
    pub(super) fn apply(&mut self, reports: &ReportBatch<'_>) {
        self.scopes.set_clock(reports.now);
        for sighting in &reports.sightings {
            self.record_kind(sighting);
        }
        for report in reports.direct_reports() {
            self.apply_report(&report);
        }
        for snapshot in &reports.snapshots {
            match &snapshot.items {
                SnapshotItems::Edges(edges) => self.put_edge_snapshot(snapshot, edges),
                SnapshotItems::Aliases(aliases) => self.put_name_snapshot(snapshot, aliases),
            }
        }
        for observation in &reports.edges {
            self.add_observation(observation);
        }
        for observation in &reports.aliases {
            self.add_name_observation(observation);
        }
        let mut completions: Vec<_> = reports.completions.iter().collect();
        completions.sort_by_key(|completion| completion.began);
        for completion in completions {
            self.apply_completion(completion);
        }
    }

    /// The number of the node with this uid.
    pub(super) fn find(&self, uid: &str) -> Option<u32> {
        self.find_hash(uid::hash(uid))
    }

    /// The uid of the node with this number.
    pub(super) fn uid(&self, id: u32) -> &str {
        &self.node(id).uid
    }

    /// The kind of the node with this number.
    pub(super) fn kind(&self, id: u32) -> &str {
        self.kinds.word(self.node(id).kind)
    }

    /// Whether the node has not ended, as far as the graph knows.
    pub(super) fn is_alive(&self, id: u32) -> bool {
        !self.node(id).lifecycle.has_ended()
    }

    /// Calls `follow` for each current edge that leads to a node, with its kind, start node and confidence.
    pub(super) fn edges_to(
        &self,
        id: u32,
        now: UnixNanos,
        follow: &mut impl FnMut(&str, u32, f64),
    ) {
        let since = self.observed_since(now);
        for &from in &self.node(id).incoming {
            let from_node = self.node(from);
            let edges = from_node.edges_to(id);
            for edge in edges.filter(|edge| from_node.has_current(edge, since)) {
                follow(edge.kind(), from, edge.confidence());
            }
        }
    }

    /// Calls `follow` for each current edge that starts at a node, with its kind, target node and confidence.
    pub(super) fn edges_from(
        &self,
        id: u32,
        now: UnixNanos,
        follow: &mut impl FnMut(&str, u32, f64),
    ) {
        let since = self.observed_since(now);
        let node = self.node(id);
        for edge in node
            .outgoing
            .iter()
            .filter(|edge| node.has_current(edge, since))
        {
            follow(edge.kind(), edge.to, edge.confidence());
        }
    }

    /// An observed edge is current if its last observation is not before this time, in seconds since 1970.
    fn observed_since(&self, now: UnixNanos) -> u32 {
        if self.observed_for.is_zero() {
            return 0;
        }
        let nanos = u64::try_from(self.observed_for.as_nanos()).unwrap_or(u64::MAX);
        node::seconds(UnixNanos(now.0.saturating_sub(nanos)))
    }

    fn node(&self, id: u32) -> &ImpactNode {
        &self.nodes[id as usize]
    }

    fn node_mut(&mut self, id: u32) -> &mut ImpactNode {
        &mut self.nodes[id as usize]
    }

    fn find_hash(&self, hash: u64) -> Option<u32> {
        let has_hash = |id: &u32| uid::hash(self.uid(*id)) == hash;
        self.index.find(hash, has_hash).copied()
    }

    /// The number of the node with this uid. Adds the node if the graph lacks it. `None` if the graph lacks it and has
    /// `max_nodes` nodes.
    fn find_or_insert(&mut self, uid: &str) -> Option<u32> {
        let hash = uid::hash(uid);
        if let Some(id) = self.find_hash(hash) {
            return Some(id);
        }
        if self.index.len() >= self.max_nodes {
            self.nodes_left_out += 1;
            self.is_incomplete = true;
            return None;
        }
        let node = ImpactNode::new(uid);
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
