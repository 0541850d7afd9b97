//! Nodes with no more than a graph in memory needs of them.

use std::collections::HashMap;

use super::{At, ClaimInfo, Direction, Edge, GraphStore, NodeFilter, StoreError};
use crate::claims::Class;
use crate::schema::nodes::group;
use crate::unix_nanos::UnixNanos;

/// A node that has not ended, and what a walk over the graph needs of it.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeOutline {
    pub uid: String,
    pub kind: String,
    /// The class of the reports whose kind it has.
    pub class: Class,
    pub last_seen: UnixNanos,
    /// The last stretch of each.
    pub claims: Vec<ClaimInfo>,
    /// Edges that start at it, in any order; also those that do not hold because what they lead to has
    /// ended.
    pub edges: Vec<Edge>,
    /// What edges lead to that has ended, and when.
    pub ended_ends: Vec<(String, UnixNanos)>,
}

/// What a store has of some uids.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outlines {
    /// Those that are nodes of their own and have not ended.
    pub nodes: Vec<NodeOutline>,
    /// Those that ended, and when.
    pub ended: Vec<(String, UnixNanos)>,
}

/// Some of them, in the order of `list`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutlinesPage {
    pub nodes: Vec<NodeOutline>,
    /// The uid to go on after; none at the end.
    pub last: Option<String>,
}

/// Edges that are read of one page, at most.
const EDGES: usize = 1 << 24;

/// A page, put together from what a store answers to other questions.
///
/// # Errors
/// When the store cannot answer one of them.
pub async fn outlines_by_parts<S: GraphStore + ?Sized>(
    store: &S,
    edge_kinds: &[String],
    after: Option<&str>,
    limit: usize,
) -> Result<OutlinesPage, StoreError> {
    let filter = NodeFilter::default();
    let nodes = store.list(&filter, after, limit, At::Now).await?;
    let uids: Vec<String> = nodes.iter().map(|node| node.uid.clone()).collect();
    let claims = store.claims(&uids).await?;
    let found = store
        .edges(&uids, Direction::Out, edge_kinds, EDGES, At::Now)
        .await?;
    let mut edges: HashMap<String, Vec<Edge>> = HashMap::new();
    for edge in found {
        edges.entry(edge.from.clone()).or_default().push(edge);
    }
    let last = uids.into_iter().next_back();
    Ok(OutlinesPage {
        last: last.filter(|_| nodes.len() == limit),
        nodes: nodes
            .into_iter()
            .zip(claims)
            .map(|(node, claims)| NodeOutline {
                class: match () {
                    () if node.facts.contains_key(group::ACTUAL) => Class::Actual,
                    () if node.facts.contains_key(group::DESIRED) => Class::Desired,
                    () => Class::Telemetry,
                },
                edges: edges.remove(&node.uid).unwrap_or_default(),
                ended_ends: Vec::new(),
                uid: node.uid,
                kind: node.kind,
                last_seen: node.last_seen,
                claims,
            })
            .collect(),
    })
}
