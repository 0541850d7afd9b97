//! The rows of nodes as housekeeping looks at them.

use std::collections::{BTreeMap, HashMap};

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
pub(super) const PAST_EDGES: usize = 1000;

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

/// Whether other rows need the node: edges that lead to it, other names of it, statistics.
pub(super) async fn is_needed(
    rows: &mut impl ReadRows,
    id: NodeId,
    limits: &Limits,
) -> Result<bool, RowsError> {
    let one = EdgePage {
        after: None,
        limit: EDGES,
    };
    let edges = rows.edges_in(&[id], &[], &one).await?;
    if edges.len() == EDGES || edges.iter().any(|edge| edge.key.from != id) {
        return Ok(true);
    }
    let stats = rows.last_edge_stats(&[id]).await?;
    if stats.iter().any(|(_, last)| *last >= limits.stats) {
        return Ok(true);
    }
    let past = rows.past_edges_in(&[id], &[], None, PAST_EDGES).await?;
    if past.len() == PAST_EDGES {
        return Ok(true);
    }
    let mut from: Vec<NodeId> = past.iter().map(|(_, _, from)| *from).collect();
    from.retain(|from| *from != id);
    from.sort_unstable();
    from.dedup();
    // Edges of what is over itself hold at no moment that is kept.
    Ok(!all_over(rows, &from, limits).await?)
}

async fn all_over(
    rows: &mut impl ReadRows,
    ids: &[NodeId],
    limits: &Limits,
) -> Result<bool, RowsError> {
    if ids.is_empty() {
        return Ok(true);
    }
    let mut claims: HashMap<NodeId, bool> = HashMap::new();
    for row in rows.claims(ids).await? {
        let is_over = aged::is_claim_over(row.key.class, &row.stretch, limits);
        *claims.entry(row.key.node).or_insert(true) &= is_over;
    }
    // A node without claims has a snapshot that waits for the report that it belongs to.
    let is_over = |id: &NodeId| claims.get(id).copied().unwrap_or_default();
    Ok(ids.iter().all(is_over))
}
