//! Edges, and the statistics of the calls on them.

use serde_json::{Map as JsonMap, Value as Json};

use super::Histogram;
use crate::unix_nanos::UnixNanos;

/// An edge that exists at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    pub from: String,
    pub kind: String,
    pub to: String,
    pub source: String,
    /// Whether the edge is part of a snapshot of the edges of `from`. If not, it was observed.
    pub is_in_snapshot: bool,
    /// 0 to 1.
    pub confidence: f64,
    pub properties: JsonMap<String, Json>,
    pub first_seen: UnixNanos,
    pub last_seen: UnixNanos,
}

/// The direction of an edge, as seen from one of its two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The edge starts at the node.
    Out,
    /// The edge leads to the node.
    In,
}

/// Which edges of a node a query is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directions {
    /// Edges that start at the node.
    Out,
    /// Edges that lead to the node.
    In,
    Both,
}

impl Directions {
    /// Whether the query is about edges of this direction.
    pub fn includes(self, direction: Direction) -> bool {
        self == Directions::Both || self == Directions::from(direction)
    }
}

impl From<Direction> for Directions {
    fn from(direction: Direction) -> Directions {
        match direction {
            Direction::Out => Directions::Out,
            Direction::In => Directions::In,
        }
    }
}

/// The calls on an edge in a time range, summed over all writers and chunks.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeStats {
    pub from: String,
    pub kind: String,
    pub to: String,
    /// Empty, `messaging_system`, `database` or `virtual_node`.
    pub connection_type: String,
    /// The first minute in the range with a call.
    pub since: UnixNanos,
    pub calls: u64,
    pub errors: u64,
    /// The sum of the durations, in seconds.
    pub duration_sum: f64,
    /// The longest duration, in seconds.
    pub duration_max: f64,
    /// The durations, in seconds.
    pub durations: Histogram,
}
