//! The rows of nodes as housekeeping looks at them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::rows::{
    AliasKey, ClaimKey, EdgeKey, EdgePage, NodeId, NodeRow, Projection, ReadRows, RowsError,
    VersionRow,
};
use super::aged::{self, Limits};
use crate::claims::Stretch;
use crate::component::UnixNanos;

/// Edges that are read at a time.
const EDGES: usize = if cfg!(test) { 3 } else { 4096 };

/// Past edges that lead to a node that is removed; one with more stays.
pub(super) const PAST_EDGES: usize = if cfg!(test) { 4 } else { 1000 };

/// A node, and what it consists of.
#[derive(Debug, Default)]
pub(super) struct NodeRows {
    pub(super) row: NodeRow,
    /// All stretches of each claim, oldest first.
    pub(super) claims: BTreeMap<ClaimKey, Vec<Stretch>>,
    pub(super) versions: Vec<VersionRow>,
    /// Observations that hold at no moment that is kept.
    pub(super) expired_edges: Vec<EdgeKey>,
    pub(super) expired_aliases: Vec<AliasKey>,
    pub(super) has_fresh_observations: bool,
}

/// Those of these nodes that there are, by number.
pub(super) async fn load(
    rows: &mut impl ReadRows,
    ids: &[NodeId],
    limits: &Limits,
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
    let mut stretches = rows.past_claims(ids, UnixNanos(0)).await?;
    stretches.extend(rows.claims(ids).await?);
    stretches.sort_by_key(|row| (row.key, row.stretch.since));
    for row in stretches {
        if let Some(node) = nodes.get_mut(&row.key.node) {
            node.claims.entry(row.key).or_default().push(row.stretch);
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
    limits: &Limits,
    nodes: &mut BTreeMap<NodeId, NodeRows>,
) -> Result<(), RowsError> {
    let mut page = EdgePage {
        after: None,
        limit: EDGES,
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
        if edges.len() < EDGES {
            return Ok(());
        }
        page.after = edges.last().map(|edge| edge.key);
    }
}

impl NodeRows {
    /// About how many rows that is.
    pub(super) fn weight(&self) -> usize {
        let stretches: usize = self.claims.values().map(Vec::len).sum();
        1 + stretches + self.versions.len() + self.expired_edges.len()
    }
}

/// Those of these nodes, given in the order of their numbers, that other rows need: edges that lead
/// to them, statistics.
pub(super) async fn needed(
    rows: &mut impl ReadRows,
    ids: &[NodeId],
    limits: &Limits,
) -> Result<BTreeSet<NodeId>, RowsError> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut needed = with_edges_in(rows, ids).await?;
    let stats = rows.last_edge_stats(ids).await?;
    let counted = stats.into_iter().filter(|(_, last)| *last >= limits.stats);
    needed.extend(counted.map(|(id, _)| id));
    let mut left = ids.to_vec();
    left.retain(|id| !needed.contains(id));
    let past = past_edges_in(rows, &left).await?;
    needed.extend(&past.too_many);
    let from: BTreeSet<NodeId> = past.edges.iter().map(|(_, from)| *from).collect();
    // Edges of what is over itself hold at no moment that is kept.
    let over = all_over(rows, from, limits).await?;
    let holds = past.edges.iter().filter(|(_, from)| !over.contains(from));
    needed.extend(holds.map(|(to, _)| *to));
    Ok(needed)
}

/// Those to which a current edge of another node leads.
async fn with_edges_in(
    rows: &mut impl ReadRows,
    ids: &[NodeId],
) -> Result<BTreeSet<NodeId>, RowsError> {
    let page = EdgePage {
        after: None,
        limit: EDGES,
    };
    let (mut found, mut left) = (BTreeSet::new(), ids.to_vec());
    while !left.is_empty() {
        let edges = rows.edges_in(&left, &[], &page).await?;
        let others = edges.iter().filter(|edge| edge.key.from != edge.key.to);
        found.extend(others.map(|edge| edge.key.to));
        let (Some(first), Some(last)) = (edges.first(), edges.last()) else {
            break;
        };
        let (first, last) = (first.key.to, last.key.to);
        if edges.len() < EDGES {
            break;
        }
        if first == last {
            found.insert(last);
        }
        left.retain(|id| *id >= last && !found.contains(id));
    }
    Ok(found)
}

#[derive(Debug, Default)]
struct PastEdges {
    /// (to, from)
    edges: BTreeSet<(NodeId, NodeId)>,
    too_many: BTreeSet<NodeId>,
}

/// Where edges that once led to these nodes started, from other nodes.
async fn past_edges_in(rows: &mut impl ReadRows, ids: &[NodeId]) -> Result<PastEdges, RowsError> {
    let (mut past, mut left) = (PastEdges::default(), ids.to_vec());
    while !left.is_empty() {
        let page = rows.past_edges_in(&left, &[], None, PAST_EDGES).await?;
        let others = page.iter().filter(|(to, _, from)| from != to);
        past.edges.extend(others.map(|(to, _, from)| (*to, *from)));
        let (Some((first, ..)), Some((last, ..))) = (page.first(), page.last()) else {
            break;
        };
        if page.len() < PAST_EDGES {
            break;
        }
        // Of the last one there may be more.
        left.retain(|id| *id >= *last);
        if first == last {
            past.too_many.insert(*last);
            left.retain(|id| *id > *last);
        }
    }
    Ok(past)
}

/// Those of these nodes that are over.
async fn all_over(
    rows: &mut impl ReadRows,
    ids: BTreeSet<NodeId>,
    limits: &Limits,
) -> Result<BTreeSet<NodeId>, RowsError> {
    let ids: Vec<NodeId> = ids.into_iter().collect();
    let mut over: HashMap<NodeId, bool> = HashMap::new();
    for ids in ids.chunks(PAST_EDGES) {
        for row in rows.claims(ids).await? {
            let is_over = aged::is_claim_over(row.key.class, &row.stretch, limits);
            *over.entry(row.key.node).or_insert(true) &= is_over;
        }
    }
    // A node without claims has a snapshot that waits for the report that it belongs to.
    let over = over.into_iter().filter(|(_, is_over)| *is_over);
    Ok(over.map(|(id, _)| id).collect())
}
