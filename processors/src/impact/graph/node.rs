//! A node and its edges, as small as they get.

use pipeline::claim_memory::HeldClaims;
use pipeline::component::UnixNanos;
use pipeline::impact::EDGE_KINDS;

#[derive(Debug, Default)]
pub(super) struct Node {
    /// Empty where the number is free.
    pub(super) uid: Box<str>,
    /// Edges that start here, by [`Edge::key`].
    pub(super) outward: Vec<Edge>,
    /// Where edges that lead here start; some of these may have ended.
    pub(super) inward: Vec<u32>,
    /// Who claims that it exists, or reports its edges.
    pub(super) claims: HeldClaims<Kept>,
    pub(super) life: Life,
    /// How many of `inward` have ended.
    pub(super) ended: u32,
    pub(super) kind: u16,
    /// How much counts who said the kind.
    pub(super) said: u8,
}

/// Whether a node exists.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Life {
    /// When it ended, or since when that is not known; else when it was reported last.
    pub(super) time: UnixNanos,
    pub(super) state: Existence,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Existence {
    #[default]
    Unknown,
    Ended,
    Exists,
}

/// Of which state of a claim the edges are held. In parts of 4 bytes, so that a claim stays small.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kept {
    state: [u32; 2],
    /// When the snapshot was reported, in seconds since 1970.
    pub(super) at: u32,
}

impl Kept {
    pub(super) fn new(state: u64, time: UnixNanos) -> Kept {
        Kept {
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
pub(super) struct Edge {
    pub(super) to: u32,
    /// When it was last seen, in seconds since 1970; [`Edge::OF_SET`] for one of a snapshot.
    seen: u32,
    confidence: f32,
    /// Of one of a snapshot the place of its claim, else the number of its source.
    pub(super) source: u16,
    kind: u8,
}

impl Node {
    pub(super) fn new(uid: &str) -> Node {
        Node {
            uid: uid.into(),
            ..Node::default()
        }
    }

    /// Whether an edge that starts here holds: one of a snapshot while its claim has the state of the
    /// snapshot, another where it was seen since.
    pub(super) fn holds(&self, edge: &Edge, since: u32) -> bool {
        match edge.is_of_set() {
            true => self.has_state(edge.source, |claim| claim.state()),
            false => edge.is_seen_since(since),
        }
    }

    /// Whether the claim in a place has the state that is kept of it.
    pub(super) fn has_state(&self, place: u16, kept: impl Fn(Kept) -> u64) -> bool {
        let claim = self.claims.at(usize::from(place));
        claim.is_some_and(|claim| {
            let open = claim.open();
            open.is_some_and(|(state, _)| state == kept(claim.beside))
        })
    }

    /// Whether any claim about it is open.
    pub(super) fn is_claimed(&self) -> bool {
        self.claims.iter().any(|claim| claim.open().is_some())
    }

    /// Where its edges lead, each once, in order.
    pub(super) fn ends(&self) -> Vec<u32> {
        let mut ends: Vec<u32> = self.outward.iter().map(|edge| edge.to).collect();
        ends.dedup();
        ends
    }

    /// Its edges that lead to one node.
    pub(super) fn edges_to(&self, to: u32) -> impl Iterator<Item = &Edge> {
        let first = self.outward.partition_point(|edge| edge.to < to);
        let edges = self.outward[first..].iter();
        edges.take_while(move |edge| edge.to == to)
    }
}

impl Life {
    pub(super) fn has_ended(self) -> bool {
        self.state == Existence::Ended
    }

    /// Anything was reported of it.
    pub(super) fn is_reported(&mut self, time: UnixNanos) {
        if self.state != Existence::Ended {
            self.time = self.time.max(time);
        }
    }
}

impl Edge {
    const OF_SET: u32 = u32::MAX;

    /// The number of a kind of edges; none of one that no walk follows.
    pub(super) fn kind_number(kind: &str) -> Option<u8> {
        let place = EDGE_KINDS.iter().position(|known| *known == kind)?;
        u8::try_from(place).ok()
    }

    pub(super) fn of_set(to: u32, kind: u8, confidence: f64, source: u16) -> Edge {
        Edge {
            to,
            seen: Edge::OF_SET,
            confidence: confidence as f32,
            source,
            kind,
        }
    }

    /// The same, seen by itself.
    pub(super) fn seen(self, time: UnixNanos) -> Edge {
        Edge {
            seen: seconds(time),
            ..self
        }
    }

    pub(super) fn is_of_set(self) -> bool {
        self.seen == Edge::OF_SET
    }

    /// Whether an observation was seen since a time in seconds.
    pub(super) fn is_seen_since(self, since: u32) -> bool {
        self.seen >= since
    }

    /// What tells it from the others that start where it does.
    pub(super) fn key(self) -> (u32, u8, u16, bool) {
        (self.to, self.kind, self.source, self.is_of_set())
    }

    /// Takes in another sighting.
    pub(super) fn merge(&mut self, other: Edge) {
        self.seen = self.seen.max(other.seen);
        self.confidence = self.confidence.max(other.confidence);
    }

    pub(super) fn kind(self) -> &'static str {
        EDGE_KINDS[self.kind as usize]
    }

    pub(super) fn confidence(self) -> f64 {
        f64::from(self.confidence)
    }
}

/// Whole seconds since 1970, less than what stands for a set: that is in 2106.
pub(super) fn seconds(time: UnixNanos) -> u32 {
    let seconds = u32::try_from(time.0 / 1_000_000_000).unwrap_or(u32::MAX);
    seconds.min(Edge::OF_SET - 1)
}
