//! Makes placeholders for nodes that only edges refer to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Map as JsonMap;

use super::nodes::UNKNOWN;
use super::reader::GraphReader;
use crate::claims::ClaimClass;
use crate::component::UnixNanos;
use crate::graph_store::{Direction, Node};
use crate::store::rows::{EdgeKey, EdgePage, EdgeRow, NodeId, ReadRows, RowsError};

/// The number of edges that are read at a time. If a node has more, its times are those of the edges that were read.
const PAGE: usize = if cfg!(test) { 3 } else { 1000 };

/// When the edges of a node were first and last seen.
type SeenRange = (UnixNanos, UnixNanos);

impl<R: ReadRows> GraphReader<R> {
    /// Returns placeholders for those of these nodes that have, or once had, an edge.
    pub(super) async fn placeholders(
        &mut self,
        ids: &[NodeId],
    ) -> Result<HashMap<NodeId, Node>, RowsError> {
        let seen = self.edge_times(ids).await?;
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

    /// Returns when the edges of these nodes were first and last seen. Nodes that never had an edge are left out.
    pub(super) async fn edge_times(
        &mut self,
        ids: &[NodeId],
    ) -> Result<HashMap<NodeId, SeenRange>, RowsError> {
        let mut seen: HashMap<NodeId, SeenRange> = HashMap::new();
        for direction in [Direction::Out, Direction::In] {
            let rows = self.some_edges(ids, direction).await?;
            let from: Vec<NodeId> = rows.iter().map(|row| row.key.from).collect();
            self.load_claims(&from).await?;
            for row in rows.iter().filter(|row| self.has_happened(row.first_seen)) {
                let last = self.last_seen_of_edge(row);
                let end = end(&row.key, direction);
                let range = seen.entry(end).or_insert((row.first_seen, last));
                *range = (range.0.min(row.first_seen), range.1.max(last));
            }
        }
        let missing = ids.iter().copied().filter(|id| !seen.contains_key(id));
        let missing: BTreeSet<NodeId> = missing.collect();
        for (id, times) in self.past_edge_times(missing).await? {
            seen.insert(id, times);
        }
        Ok(seen)
    }

    /// Returns approximate times of past edges: when the nodes at their start were first and last seen.
    async fn past_edge_times(
        &mut self,
        mut ids: BTreeSet<NodeId>,
    ) -> Result<Vec<(NodeId, SeenRange)>, RowsError> {
        let mut starts: Vec<(NodeId, NodeId)> = Vec::new();
        // A node is also looked up itself: a source may have reported it, and its own edges may be past.
        self.load_headers(&ids.iter().copied().collect::<Vec<_>>())
            .await?;
        starts.extend(ids.iter().map(|id| (*id, *id)));
        let mut after = None;
        while !ids.is_empty() {
            let each: Vec<NodeId> = ids.iter().copied().collect();
            let page = self.rows.past_edges_in(&each, &[], after, PAGE).await?;
            let Some(&last) = page.last() else { break };
            starts.extend(page.iter().map(|(to, _, from)| (*to, *from)));
            // The first page of a node's past edges is enough.
            ids.retain(|id| *id > last.0);
            after = Some(last);
        }
        let from: Vec<NodeId> = starts.iter().map(|(_, from)| *from).collect();
        self.load_headers(&from).await?;
        let mut seen: BTreeMap<NodeId, SeenRange> = BTreeMap::new();
        for (id, from) in starts {
            let Some(row) = self.header(from).filter(|row| row.first_seen.0 > 0) else {
                continue;
            };
            if self.has_happened(row.first_seen) {
                let last = row.last_seen.max(row.first_seen);
                let range = seen.entry(id).or_insert((row.first_seen, last));
                *range = (range.0.min(row.first_seen), range.1.max(last));
            }
        }
        Ok(seen.into_iter().collect())
    }

    /// Returns at least one current edge of each of these nodes that has any.
    async fn some_edges(
        &mut self,
        ids: &[NodeId],
        direction: Direction,
    ) -> Result<Vec<EdgeRow>, RowsError> {
        let mut remaining: Vec<NodeId> = ids.to_vec();
        remaining.sort_unstable();
        let mut found = Vec::new();
        let page = EdgePage {
            after: None,
            limit: PAGE,
        };
        while !remaining.is_empty() {
            let rows = match direction {
                Direction::In => self.rows.edges_in(&remaining, &[], &page).await?,
                Direction::Out => self.rows.edges_out(&remaining, &[], &page).await?,
            };
            let is_last = rows.len() < PAGE;
            let Some(last) = rows.last().map(|row| row.key) else {
                break;
            };
            let end = end(&last, direction);
            found.extend(rows);
            // All edges of the nodes before the last one were read, and at least one edge of the last one.
            remaining.retain(|id| *id > end);
            if is_last {
                break;
            }
        }
        Ok(found)
    }

    /// Returns when an edge was last seen. An edge of a snapshot was last seen when its claim was last confirmed. The
    /// claims of the node where the edge starts must be loaded.
    pub(super) fn last_seen_of_edge(&self, row: &EdgeRow) -> UnixNanos {
        if row.key.is_observation {
            return row.last_seen;
        }
        let (source, scope) = (
            self.words.text(row.key.source),
            self.words.text(row.key.scope),
        );
        let claims = self.claims(row.key.from).iter().filter(|claim| {
            let has_edges = !matches!(claim.key.class, ClaimClass::Telemetry | ClaimClass::Health);
            has_edges && claim.key.source == source && claim.key.scope == scope
        });
        let seen = claims.filter_map(|claim| Some(self.last_sighting(claim, claim.open()?)));
        seen.max().unwrap_or(row.last_seen).max(row.first_seen)
    }
}

/// Returns the end of an edge that is the requested node.
fn end(key: &EdgeKey, direction: Direction) -> NodeId {
    match direction {
        Direction::In => key.to,
        Direction::Out => key.from,
    }
}
