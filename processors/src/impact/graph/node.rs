//! Nodes, edges and words of the graph in compact form.

use pipeline::claim_memory::MemoryClaims;
use pipeline::component::UnixNanos;
use pipeline::impact::EDGE_KINDS;
use pipeline::interner::Interner;

/// A node with its claims and edges.
#[derive(Debug, Default)]
pub(super) struct ImpactNode {
    /// Empty if no node has this number.
    pub(super) uid: Box<str>,
    /// The edges that start at the node, in the order of [`ImpactEdge::key`].
    pub(super) outgoing: Vec<ImpactEdge>,
    /// The start nodes of edges that lead to the node. An entry is stale if its start node no longer has such an edge.
    pub(super) incoming: Vec<u32>,
    /// The claims about the existence, edges and names of the node.
    pub(super) claims: MemoryClaims<SnapshotState>,
    pub(super) lifecycle: NodeLifecycle,
    /// The number of stale entries of `incoming`.
    pub(super) stale_incoming: u32,
    /// The number of the interned kind.
    pub(super) kind: u16,
    /// The rank of the class that reported the kind. A class of lower rank does not change the kind.
    pub(super) kind_rank: u8,
}

/// Whether a node exists.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NodeLifecycle {
    /// For a node that ended, when it did; for an unobserved node, since when it is unobserved; for any other node, the
    /// time of the last report.
    pub(super) time: UnixNanos,
    pub(super) state: LifecycleState,
}

/// The existence of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum LifecycleState {
    #[default]
    Unknown,
    Ended,
    Exists,
}

/// The state of a claim whose edges or names are held. The hash is split into parts of 4 bytes, since an alignment of 8
/// would make each claim larger.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SnapshotState {
    state: [u32; 2],
    /// When the snapshot was reported, in seconds since 1970.
    pub(super) at: u32,
}

impl SnapshotState {
    pub(super) fn new(state: u64, time: UnixNanos) -> SnapshotState {
        SnapshotState {
            state: [state as u32, (state >> 32) as u32],
            at: seconds(time),
        }
    }

    pub(super) fn state(self) -> u64 {
        u64::from(self.state[0]) | u64::from(self.state[1]) << 32
    }
}

/// An outgoing edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ImpactEdge {
    pub(super) to: u32,
    /// The time of the last observation, in seconds since 1970; [`ImpactEdge::OF_SNAPSHOT`] for an edge of a snapshot.
    last_observed: u32,
    confidence: f32,
    /// For an edge of a snapshot, the index of the claim that reported it; for an observed edge, the number of its
    /// source.
    pub(super) source: u16,
    /// The index in [`EDGE_KINDS`].
    kind: u8,
}

impl ImpactNode {
    pub(super) fn new(uid: &str) -> ImpactNode {
        ImpactNode {
            uid: uid.into(),
            ..ImpactNode::default()
        }
    }

    /// Whether an edge that starts at the node is current. An edge of a snapshot is current while its claim has the
    /// state of the snapshot. An observed edge is current if its last observation is not before `since`.
    pub(super) fn has_current(&self, edge: &ImpactEdge, since: u32) -> bool {
        match edge.is_in_snapshot() {
            true => self.has_state(edge.source, |claim| claim.state()),
            false => edge.is_observed_since(since),
        }
    }

    /// Whether the claim at an index is open with the state that `held` returns.
    pub(super) fn has_state(&self, index: u16, held: impl Fn(SnapshotState) -> u64) -> bool {
        let claim = self.claims.at(usize::from(index));
        claim.is_some_and(|claim| {
            let open = claim.open();
            open.is_some_and(|(state, _)| state == held(claim.attached))
        })
    }

    /// Whether any claim about the node is open.
    pub(super) fn is_claimed(&self) -> bool {
        self.claims.iter().any(|claim| claim.open().is_some())
    }

    /// The targets of the node's edges, each once, in ascending order.
    pub(super) fn targets(&self) -> Vec<u32> {
        let mut targets: Vec<u32> = self.outgoing.iter().map(|edge| edge.to).collect();
        targets.dedup();
        targets
    }

    /// The edges that start at the node and lead to the node with the number `to`.
    pub(super) fn edges_to(&self, to: u32) -> impl Iterator<Item = &ImpactEdge> {
        let first = self.outgoing.partition_point(|edge| edge.to < to);
        let edges = self.outgoing[first..].iter();
        edges.take_while(move |edge| edge.to == to)
    }
}

impl NodeLifecycle {
    pub(super) fn has_ended(self) -> bool {
        self.state == LifecycleState::Ended
    }

    /// Records the time of a report about the node.
    pub(super) fn record_report(&mut self, time: UnixNanos) {
        if self.state != LifecycleState::Ended {
            self.time = self.time.max(time);
        }
    }
}

impl ImpactEdge {
    const OF_SNAPSHOT: u32 = u32::MAX;

    /// The index of an edge kind in [`EDGE_KINDS`]; `None` if a walk follows no edges of this kind.
    pub(super) fn kind_index(kind: &str) -> Option<u8> {
        let index = EDGE_KINDS.iter().position(|known| *known == kind)?;
        u8::try_from(index).ok()
    }

    /// An edge of a snapshot.
    pub(super) fn of_snapshot(to: u32, kind: u8, confidence: f64, source: u16) -> ImpactEdge {
        ImpactEdge {
            to,
            last_observed: ImpactEdge::OF_SNAPSHOT,
            confidence: confidence as f32,
            source,
            kind,
        }
    }

    /// The same edge as an observation.
    pub(super) fn observed_at(self, time: UnixNanos) -> ImpactEdge {
        ImpactEdge {
            last_observed: seconds(time),
            ..self
        }
    }

    pub(super) fn is_in_snapshot(self) -> bool {
        self.last_observed == ImpactEdge::OF_SNAPSHOT
    }

    /// Whether the last observation of an observed edge is not before `since`, in seconds since 1970.
    pub(super) fn is_observed_since(self, since: u32) -> bool {
        self.last_observed >= since
    }

    /// Identifies an edge among those that start at the same node.
    pub(super) fn key(self) -> (u32, u8, u16, bool) {
        (self.to, self.kind, self.source, self.is_in_snapshot())
    }

    /// Merges another report of the same edge.
    pub(super) fn merge(&mut self, other: ImpactEdge) {
        self.last_observed = self.last_observed.max(other.last_observed);
        self.confidence = self.confidence.max(other.confidence);
    }

    pub(super) fn kind(self) -> &'static str {
        EDGE_KINDS[self.kind as usize]
    }

    pub(super) fn confidence(self) -> f64 {
        f64::from(self.confidence)
    }
}

/// Whole seconds since 1970, at most one below [`ImpactEdge::OF_SNAPSHOT`], which would be a time in 2106.
pub(super) fn seconds(time: UnixNanos) -> u32 {
    let seconds = u32::try_from(time.0 / 1_000_000_000).unwrap_or(u32::MAX);
    seconds.min(ImpactEdge::OF_SNAPSHOT - 1)
}

/// Interns kinds and sources as numbers of 16 bits, since there are few and they repeat.
#[derive(Debug)]
pub(super) struct WordInterner(Interner<str, ()>);

impl WordInterner {
    /// `first` gets the number 0. Once all numbers are used, every new word also gets 0.
    pub(super) fn new(first: &str) -> WordInterner {
        let mut words: Interner<str, ()> = Interner::default();
        words.intern(first, || ());
        WordInterner(words)
    }

    /// Returns the number of a word.
    pub(super) fn intern(&mut self, word: &str) -> u16 {
        let is_full = self.0.len() > usize::from(u16::MAX);
        let number = match is_full {
            true => self.0.find(word),
            false => Some(self.0.intern(word, || ())),
        };
        number.map_or(0, |number| number as u16)
    }

    /// The word with this number.
    pub(super) fn word(&self, number: u16) -> &str {
        self.0.key(u32::from(number))
    }
}
