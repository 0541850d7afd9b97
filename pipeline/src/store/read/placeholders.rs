//! Nodes that only edges lead to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Map as JsonMap;

use super::super::rows::{EdgeKey, EdgePage, EdgeRow, NodeId, ReadRows, RowsError};
use super::nodes::UNKNOWN;
use super::session::Session;
use crate::component::UnixNanos;
use crate::graph_store::{Direction, Node};

/// Edges that are read at a time. Of a node with more, the times of a part of them count.
const PAGE: usize = if cfg!(test) { 3 } else { 1000 };

/// When edges at a node were first and last seen.
type Seen = (UnixNanos, UnixNanos);

impl<R: ReadRows> Session<R> {
    pub(super) async fn placeholders(
        &mut self,
        ids: &[NodeId],
    ) -> Result<HashMap<NodeId, Node>, RowsError> {
        let seen = self.at_ends(ids).await?;
        let nodes = seen.into_iter().map(|(id, (first_seen, last_seen))| {
            let node = Node {
                uid: self.uid(id).to_owned(),
                kind: UNKNOWN.to_owned(),
                name: None,
                provider: None,
                account: None,
                region: None,
                tags: JsonMap::new(),
                facts: BTreeMap::new(),
                first_seen,
                last_seen,
                ended: None,
                unobserved_since: None,
            };
            (id, node)
        });
        Ok(nodes.collect())
    }

    /// When edges at these nodes were first and last seen; those that were never at one are left out.
    pub(super) async fn at_ends(
        &mut self,
        ids: &[NodeId],
    ) -> Result<HashMap<NodeId, Seen>, RowsError> {
        let mut seen: HashMap<NodeId, Seen> = HashMap::new();
        for direction in [Direction::Out, Direction::In] {
            let rows = self.some_edges(ids, direction).await?;
            let from: Vec<NodeId> = rows.iter().map(|row| row.key.from).collect();
            self.load_claims(&from).await?;
            for row in rows.iter().filter(|row| self.is_past(row.first_seen)) {
                let last = self.last_seen_of_edge(row);
                let end = end(&row.key, direction);
                let known = seen.entry(end).or_insert((row.first_seen, last));
                *known = (known.0.min(row.first_seen), known.1.max(last));
            }
        }
        let missing = ids.iter().copied().filter(|id| !seen.contains_key(id));
        let missing: BTreeSet<NodeId> = missing.collect();
        for (id, times) in self.once_at_ends(missing).await? {
            seen.insert(id, times);
        }
        Ok(seen)
    }

    /// Likewise of edges that are no more: the times are those of the nodes where they started.
    async fn once_at_ends(
        &mut self,
        mut ids: BTreeSet<NodeId>,
    ) -> Result<Vec<(NodeId, Seen)>, RowsError> {
        let mut started: Vec<(NodeId, NodeId)> = Vec::new();
        // One who was reported itself, with edges that are no more.
        self.load_headers(&ids.iter().copied().collect::<Vec<_>>())
            .await?;
        started.extend(ids.iter().map(|id| (*id, *id)));
        let mut after = None;
        while !ids.is_empty() {
            let each: Vec<NodeId> = ids.iter().copied().collect();
            let page = self.rows.past_edges_in(&each, &[], after, PAGE).await?;
            let Some(&last) = page.last() else { break };
            started.extend(page.iter().map(|(to, _, from)| (*to, *from)));
            // The rest of a node's edges says no more than those that were read.
            ids.retain(|id| *id > last.0);
            after = Some(last);
        }
        let from: Vec<NodeId> = started.iter().map(|(_, from)| *from).collect();
        self.load_headers(&from).await?;
        let mut seen: BTreeMap<NodeId, Seen> = BTreeMap::new();
        for (id, from) in started {
            let Some(row) = self.header(from).filter(|row| row.first_seen.0 > 0) else {
                continue;
            };
            if self.is_past(row.first_seen) {
                let last = row.last_seen.max(row.first_seen);
                let known = seen.entry(id).or_insert((row.first_seen, last));
                *known = (known.0.min(row.first_seen), known.1.max(last));
            }
        }
        Ok(seen.into_iter().collect())
    }

    /// Some current edges of each of these nodes.
    async fn some_edges(
        &mut self,
        ids: &[NodeId],
        direction: Direction,
    ) -> Result<Vec<EdgeRow>, RowsError> {
        let mut left: Vec<NodeId> = ids.to_vec();
        left.sort_unstable();
        let mut found = Vec::new();
        let page = EdgePage {
            after: None,
            limit: PAGE,
        };
        while !left.is_empty() {
            let rows = match direction {
                Direction::In => self.rows.edges_in(&left, &[], &page).await?,
                _ => self.rows.edges_out(&left, &[], &page).await?,
            };
            let is_last = rows.len() < PAGE;
            let Some(last) = rows.last().map(|row| row.key) else {
                break;
            };
            let end = end(&last, direction);
            found.extend(rows);
            // Nodes before the last one are complete, and of that one there is enough.
            left.retain(|id| *id > end);
            if is_last {
                break;
            }
        }
        Ok(found)
    }

    /// When an edge was last seen: one of a snapshot whenever the claim was that it belongs to. The
    /// claims of the node where it starts are loaded.
    pub(super) fn last_seen_of_edge(&self, row: &EdgeRow) -> UnixNanos {
        if row.key.is_observation {
            return row.last_seen;
        }
        let (source, scope) = (
            self.words.text(row.key.source),
            self.words.text(row.key.scope),
        );
        let claims = self.claims(row.key.from).iter().filter(|claim| {
            let may_have = !matches!(
                claim.key.class,
                crate::claims::Class::Telemetry | crate::claims::Class::Health
            );
            may_have && claim.key.source == source && claim.key.scope == scope
        });
        let seen = claims.filter_map(|claim| Some(self.last_sighting(claim, claim.open()?)));
        seen.max().unwrap_or(row.last_seen).max(row.first_seen)
    }
}

/// The end that was asked for.
fn end(key: &EdgeKey, direction: Direction) -> NodeId {
    match direction {
        Direction::In => key.to,
        _ => key.from,
    }
}
