//! Node outlines: the data that a processor needs to keep the graph in memory.

use super::{ClaimInfo, Edge};
use crate::claims::ClaimClass;
use crate::unix_nanos::UnixNanos;

/// A node that has not ended, with the data that a walk over the graph needs.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeOutline {
    pub uid: String,
    pub kind: String,
    /// The class of the claim that determines the kind.
    pub class: ClaimClass,
    pub last_seen: UnixNanos,
    /// The last interval of each claim.
    pub claims: Vec<ClaimInfo>,
    /// The edges that start at the node, in any order, including the edges to nodes that have ended.
    pub edges: Vec<Edge>,
    /// The ended nodes to which these edges lead, each with the time of its end.
    pub ended_targets: Vec<(String, UnixNanos)>,
}

/// The outlines of several uids.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outlines {
    /// The nodes that have not ended, without merged uids.
    pub nodes: Vec<NodeOutline>,
    /// The nodes that have ended, each with the time of its end.
    pub ended: Vec<(String, UnixNanos)>,
}

/// A page of outlines, in the order of [`GraphStore::list`](super::GraphStore::list).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutlinesPage {
    pub nodes: Vec<NodeOutline>,
    /// The uid after which the next page starts; `None` on the last page.
    pub last: Option<String>,
}
