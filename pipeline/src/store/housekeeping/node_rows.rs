//! Loads the rows of nodes that housekeeping examines.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::limits::{ExpiryLimits, is_claim_expired};
use crate::claims::ClaimInterval;
use crate::component::UnixNanos;
use crate::store::rows::{
    AliasKey, ClaimKey, EdgeKey, EdgePage, NodeId, NodeRow, Projection, ReadRows, RowsError,
    VersionRow,
};

/// The number of edges that are read at a time.
const EDGE_PAGE: usize = if cfg!(test) { 3 } else { 4096 };

/// A node to which this many past edges lead, or more, is not removed.
pub(super) const MAX_PAST_EDGES: usize = if cfg!(test) { 4 } else { 1000 };

/// A node with its rows.
#[derive(Debug, Default)]
pub(super) struct NodeRows {
    pub(super) row: NodeRow,
    /// All intervals of each claim, oldest first.
    pub(super) claims: BTreeMap<ClaimKey, Vec<ClaimInterval>>,
    pub(super) versions: Vec<VersionRow>,
    /// Observed edges that expired before the history cutoff.
    pub(super) expired_edges: Vec<EdgeKey>,
    /// Observed aliases that expired before the history cutoff.
    pub(super) expired_aliases: Vec<AliasKey>,
    /// Whether the node has an observed edge or alias that has not expired.
    pub(super) has_fresh_observations: bool,
}

/// Loads the nodes that exist among `ids`, ascending by number.
pub(super) async fn load_nodes(
    rows: &mut impl ReadRows,
    ids: &[NodeId],
    limits: &ExpiryLimits,
) -> Result<Vec<NodeRows>, RowsError> {
    let found = rows.nodes(ids, Projection::Header).await?;
    let found = found.into_iter().map(|row| {
        let id = row.id;
        let node = NodeRows {
            row,
            ..NodeRows::default()
        };
        (id, node)
    });
    let mut nodes: BTreeMap<NodeId, NodeRows> = found.collect();
    let mut intervals = rows.past_claims(ids, UnixNanos(0)).await?;
    intervals.extend(rows.claims(ids).await?);
    intervals.sort_by_key(|row| (row.key, row.interval.since));
    for row in intervals {
        if let Some(node) = nodes.get_mut(&row.key.node) {
            node.claims.entry(row.key).or_default().push(row.interval);
        }
    }
    for version in rows.versions_of(ids).await? {
        if let Some(node) = nodes.get_mut(&version.key.node) {
            node.versions.push(version);
        }
    }
    load_edges(rows, ids, limits, &mut nodes).await?;
    for alias in rows.aliases(ids).await? {
        let Some(node) = nodes.get_mut(&alias.key.node) else {
            continue;
        };
        match alias.key.is_observation {
            true if limits.is_expired(alias.last_seen) => node.expired_aliases.push(alias.key),
            is_observation => node.has_fresh_observations |= is_observation,
        }
    }
    Ok(nodes.into_values().collect())
}

async fn load_edges(
    rows: &mut impl ReadRows,
    ids: &[NodeId],
    limits: &ExpiryLimits,
    nodes: &mut BTreeMap<NodeId, NodeRows>,
) -> Result<(), RowsError> {
    let mut page = EdgePage {
        after: None,
        limit: EDGE_PAGE,
    };
    loop {
        let edges = rows.edges_out(ids, &[], &page).await?;
        for edge in &edges {
            let Some(node) = nodes.get_mut(&edge.key.from) else {
                continue;
            };
            match edge.key.is_observation {
                true if limits.is_expired(edge.last_seen) => node.expired_edges.push(edge.key),
                is_observation => node.has_fresh_observations |= is_observation,
            }
        }
        if edges.len() < EDGE_PAGE {
            return Ok(());
        }
        page.after = edges.last().map(|edge| edge.key);
    }
}

impl NodeRows {
    /// Returns the approximate number of rows of the node.
    pub(super) fn row_count(&self) -> usize {
        let intervals: usize = self.claims.values().map(Vec::len).sum();
        1 + intervals + self.versions.len() + self.expired_edges.len()
    }
}

/// Returns those of these nodes that other rows still reference: edges that lead to them, or edge statistics. `ids`
/// must be ascending.
pub(super) async fn referenced_nodes(
    rows: &mut impl ReadRows,
    ids: &[NodeId],
    limits: &ExpiryLimits,
) -> Result<BTreeSet<NodeId>, RowsError> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut referenced = nodes_with_edges_in(rows, ids).await?;
    let stats = rows.last_edge_stats(ids).await?;
    let in_stats = stats
        .into_iter()
        .filter(|(_, last)| *last >= limits.stats_before);
    referenced.extend(in_stats.map(|(id, _)| id));
    let mut remaining = ids.to_vec();
    remaining.retain(|id| !referenced.contains(id));
    let past = past_edges_in(rows, &remaining).await?;
    referenced.extend(&past.too_many);
    let from: BTreeSet<NodeId> = past.edges.iter().map(|(_, from)| *from).collect();
    // Past edges of an expired node are not in force at any kept time.
    let expired = expired_nodes(rows, from, limits).await?;
    let kept_edges = past
        .edges
        .iter()
        .filter(|(_, from)| !expired.contains(from));
    referenced.extend(kept_edges.map(|(to, _)| *to));
    Ok(referenced)
}

/// Returns those of these nodes to which a current edge of another node leads.
async fn nodes_with_edges_in(
    rows: &mut impl ReadRows,
    ids: &[NodeId],
) -> Result<BTreeSet<NodeId>, RowsError> {
    let page = EdgePage {
        after: None,
        limit: EDGE_PAGE,
    };
    let (mut found, mut remaining) = (BTreeSet::new(), ids.to_vec());
    while !remaining.is_empty() {
        let edges = rows.edges_in(&remaining, &[], &page).await?;
        let no_loops = edges.iter().filter(|edge| edge.key.from != edge.key.to);
        found.extend(no_loops.map(|edge| edge.key.to));
        let (Some(first), Some(last)) = (edges.first(), edges.last()) else {
            break;
        };
        let (first, last) = (first.key.to, last.key.to);
        if edges.len() < EDGE_PAGE {
            break;
        }
        if first == last {
            found.insert(last);
        }
        remaining.retain(|id| *id >= last && !found.contains(id));
    }
    Ok(found)
}

/// The past edges that lead to some nodes.
#[derive(Debug, Default)]
struct PastEdges {
    /// As (to, from).
    edges: BTreeSet<(NodeId, NodeId)>,
    /// Nodes with so many past edges that not all were read.
    too_many: BTreeSet<NodeId>,
}

/// Returns the past edges of other nodes that lead to these nodes.
async fn past_edges_in(rows: &mut impl ReadRows, ids: &[NodeId]) -> Result<PastEdges, RowsError> {
    let (mut past, mut remaining) = (PastEdges::default(), ids.to_vec());
    while !remaining.is_empty() {
        let page = rows
            .past_edges_in(&remaining, &[], None, MAX_PAST_EDGES)
            .await?;
        let no_loops = page.iter().filter(|(to, _, from)| from != to);
        past.edges
            .extend(no_loops.map(|(to, _, from)| (*to, *from)));
        let (Some((first, ..)), Some((last, ..))) = (page.first(), page.last()) else {
            break;
        };
        if page.len() < MAX_PAST_EDGES {
            break;
        }
        // The last node of the page may have more past edges.
        remaining.retain(|id| *id >= *last);
        if first == last {
            past.too_many.insert(*last);
            remaining.retain(|id| *id > *last);
        }
    }
    Ok(past)
}

/// Returns those of these nodes whose claims are all expired.
async fn expired_nodes(
    rows: &mut impl ReadRows,
    ids: BTreeSet<NodeId>,
    limits: &ExpiryLimits,
) -> Result<BTreeSet<NodeId>, RowsError> {
    let ids: Vec<NodeId> = ids.into_iter().collect();
    let mut expired: HashMap<NodeId, bool> = HashMap::new();
    for ids in ids.chunks(MAX_PAST_EDGES) {
        for row in rows.claims(ids).await? {
            let is_expired = is_claim_expired(row.key.class, &row.interval, limits);
            *expired.entry(row.key.node).or_insert(true) &= is_expired;
        }
    }
    // A node without claims is not expired: the store has a snapshot of it, but not yet the report that opens its
    // claim.
    let expired = expired.into_iter().filter(|(_, is_expired)| *is_expired);
    Ok(expired.map(|(id, _)| id).collect())
}
