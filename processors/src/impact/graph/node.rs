//! A node and its edges, as small as they get.

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
    /// The newest set of edges that each source tells.
    pub(super) sets: Vec<Set>,
    pub(super) life: Life,
    /// How many of `inward` have ended.
    pub(super) ended: u32,
    pub(super) kind: u16,
    /// How much counts who said the kind.
    pub(super) said: u8,
}

/// Whether a node exists, and what said so last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Life {
    pub(super) time: UnixNanos,
    pub(super) source: u16,
    pub(super) state: Existence,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Existence {
    /// Nobody says: then `time` is when anything was told of it last.
    #[default]
    Unknown,
    Ended,
    Exists,
}

/// An outgoing edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Edge {
    pub(super) to: u32,
    /// When it was last seen, in seconds since 1970; [`Edge::OF_SET`] for one of a set.
    seen: u32,
    confidence: f32,
    pub(super) source: u16,
    kind: u8,
}

/// The set of edges that a source told last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Set {
    pub(super) time: UnixNanos,
    /// Of its fact; [`Set::UNKNOWN`] where that is not known.
    pub(super) hash: u64,
    pub(super) source: u16,
}

impl Set {
    /// No fact has this hash.
    pub(super) const UNKNOWN: u64 = 0;
}

impl Node {
    pub(super) fn new(uid: &str) -> Node {
        Node {
            uid: uid.into(),
            ..Node::default()
        }
    }

    pub(super) fn set_of(&mut self, source: u16) -> Option<&mut Set> {
        self.sets.iter_mut().find(|set| set.source == source)
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

    /// Something else was told of it.
    pub(super) fn told(&mut self, time: UnixNanos) {
        if self.state == Existence::Unknown {
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

    /// Whether it is one of a set, or was seen since.
    pub(super) fn holds(self, since: u32) -> bool {
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
