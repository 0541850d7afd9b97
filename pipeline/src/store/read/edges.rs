//! Reads the edges of nodes.
//!
//! ```text
//!  now:     pages of current edges ─────────────────────────────┐
//!  as of T: out: snapshots whose claims were open at T ─────────┼─▶ merged by (from, kind, to)
//!           in:  the same, of nodes that ever had such an edge ─┘   until there are enough
//! ```

use std::collections::{BTreeSet, HashMap, HashSet};

use super::reader::GraphReader;
use crate::attributes::{Map, map_to_json};
use crate::component::UnixNanos;
use crate::graph_store::{AsOf, Direction, Directions, Edge};
use crate::store::rows::{
    EdgeKey, EdgePage, EdgeRow, NodeId, ReadRows, RowsError, SnapshotKind, Word,
};
use crate::store::snapshot;

/// The minimum and maximum number of rows that are read at a time.
const PAGE: (usize, usize) = if cfg!(test) { (3, 3) } else { (64, 4096) };

/// Selects edges.
struct EdgeSelection {
    /// The nodes whose edges are read, ascending.
    ends: Vec<NodeId>,
    /// The kinds of edges; empty for all.
    kinds: Vec<Word>,
    limit: usize,
    /// Whether edges to an ended node are included.
    include_ended_ends: bool,
}

/// The outgoing edges of a node, and the ended nodes that they lead to, each with the time when it ended.
pub(super) type EdgesOfNode = (Vec<Edge>, Vec<(String, UnixNanos)>);

/// Edges merged by (from, kind, to), in the order in which they were read.
#[derive(Default)]
struct MergedEdges {
    edges: Vec<MergedEdge>,
    indexes: HashMap<(NodeId, Word, NodeId), usize>,
}

/// An edge with the rows of all claims and observations that report it.
pub(super) struct MergedEdge {
    pub(super) from: NodeId,
    pub(super) kind: Word,
    pub(super) to: NodeId,
    first: EdgeRow,
    others: Vec<EdgeRow>,
}

impl MergedEdge {
    fn rows(&self) -> impl Iterator<Item = &EdgeRow> {
        [&self.first].into_iter().chain(&self.others)
    }
}

impl<R: ReadRows> GraphReader<R> {
    /// Returns up to `limit` edges of uids, sorted by (from, kind, to).
    pub(super) async fn edges(
        &mut self,
        uids: &[String],
        directions: Directions,
        kinds: &[String],
        limit: usize,
    ) -> Result<Vec<Edge>, RowsError> {
        let words = self.find_words(kinds).await?;
        let ids = self.rows.find_nodes(uids).await?;
        let ids: Vec<NodeId> = ids.into_iter().flatten().collect();
        if ids.is_empty() || limit == 0 || (words.is_empty() && !kinds.is_empty()) {
            return Ok(Vec::new());
        }
        let (merged, _) = self.edges_at(&ids, directions, &words, limit).await?;
        let mut edges = self.convert_edges(&merged).await?;
        sort(&mut edges);
        edges.truncate(limit);
        Ok(edges)
    }

    /// Returns up to `limit` edges of these nodes in each direction, and whether there may be more. The edges of a
    /// direction are in the order of the store; the result alternates between the directions.
    pub(super) async fn edges_at(
        &mut self,
        ids: &[NodeId],
        directions: Directions,
        kinds: &[Word],
        limit: usize,
    ) -> Result<(Vec<MergedEdge>, bool), RowsError> {
        let selection = EdgeSelection {
            ends: self.merged_nodes(ids).await?,
            kinds: kinds.to_vec(),
            limit,
            include_ended_ends: false,
        };
        let mut merged = MergedEdges::default();
        let (mut has_more, mut out_count) = (false, 0);
        for direction in [Direction::Out, Direction::In] {
            if !directions.includes(direction) {
                continue;
            }
            let max_edges = merged.edges.len() + limit;
            match self.as_of {
                AsOf::Now => {
                    self.read_current(direction, &selection, max_edges, &mut merged)
                        .await?
                }
                AsOf::Time(_) => {
                    self.read_past(direction, &selection, max_edges, &mut merged)
                        .await?
                }
            }
            has_more |= merged.edges.len() >= max_edges;
            if direction == Direction::Out {
                out_count = merged.edges.len();
            }
        }
        let incoming = merged.edges.split_off(out_count);
        Ok((interleaved(merged.edges, incoming), has_more))
    }

    /// Returns all current edges of these kinds that start at these nodes, by start node. Edges to ended nodes are
    /// included.
    pub(super) async fn edges_from(
        &mut self,
        ids: &[NodeId],
        kinds: &[String],
    ) -> Result<HashMap<NodeId, EdgesOfNode>, RowsError> {
        let words = self.find_words(kinds).await?;
        if ids.is_empty() || (words.is_empty() && !kinds.is_empty()) {
            return Ok(HashMap::new());
        }
        let selection = EdgeSelection {
            ends: self.merged_nodes(ids).await?,
            kinds: words,
            limit: usize::MAX,
            include_ended_ends: true,
        };
        let mut merged = MergedEdges::default();
        let all = self.read_current(Direction::Out, &selection, usize::MAX, &mut merged);
        all.await?;
        let converted = self.convert_edges(&merged.edges).await?;
        let mut edges: HashMap<NodeId, EdgesOfNode> = HashMap::new();
        for (edge, described) in merged.edges.iter().zip(converted) {
            let (edges, ended) = edges.entry(edge.from).or_default();
            edges.push(described);
            if let Some(time) = self.lifecycle(edge.to).ended {
                ended.push((self.uid(edge.to).to_owned(), time));
            }
        }
        Ok(edges)
    }

    /// Reads current edges, page by page, until `merged` has `max_edges`.
    async fn read_current(
        &mut self,
        direction: Direction,
        selection: &EdgeSelection,
        max_edges: usize,
        merged: &mut MergedEdges,
    ) -> Result<(), RowsError> {
        let mut after = None;
        // The rows of one edge are consecutive, but a page may end between them.
        let mut pending: Vec<EdgeRow> = Vec::new();
        loop {
            let limit = selection.limit.clamp(PAGE.0, PAGE.1);
            let page = EdgePage { after, limit };
            let mut rows = self.page(direction, selection, &page).await?;
            let is_last = rows.len() < limit;
            after = rows.last().map(|row| row.key);
            let mut all = std::mem::take(&mut pending);
            all.append(&mut rows);
            if let Some(last) = all.last().filter(|_| !is_last) {
                let last_edge = edge_identity(&last.key);
                let whole = all
                    .iter()
                    .take_while(|row| edge_identity(&row.key) != last_edge);
                pending = all.split_off(whole.count());
            }
            self.add(all, selection, max_edges, merged).await?;
            if is_last || merged.edges.len() >= max_edges {
                return Ok(());
            }
        }
    }

    /// Reads a page of current edges.
    async fn page(
        &mut self,
        direction: Direction,
        selection: &EdgeSelection,
        page: &EdgePage,
    ) -> Result<Vec<EdgeRow>, RowsError> {
        match direction {
            Direction::In => {
                let rows = self.rows.edges_in(&selection.ends, &selection.kinds, page);
                rows.await
            }
            Direction::Out => {
                let rows = self.rows.edges_out(&selection.ends, &selection.kinds, page);
                rows.await
            }
        }
    }

    /// Reads the edges that were in force at a past time, until `merged` has `max_edges`.
    async fn read_past(
        &mut self,
        direction: Direction,
        selection: &EdgeSelection,
        max_edges: usize,
        merged: &mut MergedEdges,
    ) -> Result<(), RowsError> {
        let mut checked: HashSet<NodeId> = HashSet::new();
        let is_out = direction == Direction::Out;
        if is_out {
            let rows = self
                .snapshot_edges(&selection.ends, selection, is_out)
                .await?;
            self.add(rows, selection, max_edges, merged).await?;
            checked.extend(&selection.ends);
        }
        let mut after: Option<EdgeKey> = None;
        while merged.edges.len() < max_edges {
            let limit = selection.limit.clamp(PAGE.0, PAGE.1);
            let page = EdgePage { after, limit };
            let rows = self.page(direction, selection, &page).await?;
            let is_last = rows.len() < limit;
            after = rows.last().map(|row| row.key);
            let from = rows.iter().filter(|row| !row.key.is_observation);
            let from: BTreeSet<NodeId> = from.map(|row| row.key.from).collect();
            let from = from.into_iter().filter(|from| checked.insert(*from));
            let from: Vec<NodeId> = from.collect();
            let observed = rows.into_iter();
            let observed =
                observed.filter(|row| row.key.is_observation && self.has_happened(row.first_seen));
            let mut all: Vec<EdgeRow> = observed.collect();
            all.extend(self.snapshot_edges(&from, selection, is_out).await?);
            self.add(all, selection, max_edges, merged).await?;
            if is_last {
                break;
            }
        }
        let mut after = None;
        while !is_out && merged.edges.len() < max_edges {
            let (ends, kinds) = (&selection.ends, &selection.kinds);
            let past = self.rows.past_edges_in(ends, kinds, after, PAGE.1).await?;
            let Some(&last) = past.last() else { break };
            after = Some(last);
            let from: BTreeSet<NodeId> = past.into_iter().map(|(_, _, from)| from).collect();
            let from = from.into_iter().filter(|from| checked.insert(*from));
            let from: Vec<NodeId> = from.collect();
            let rows = self.snapshot_edges(&from, selection, is_out).await?;
            self.add(rows, selection, max_edges, merged).await?;
        }
        Ok(())
    }

    /// Returns the selected edges in the open snapshots of these nodes.
    async fn snapshot_edges(
        &mut self,
        from: &[NodeId],
        selection: &EdgeSelection,
        is_out: bool,
    ) -> Result<Vec<EdgeRow>, RowsError> {
        if from.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows = Vec::new();
        for open in self.open_snapshots(from, SnapshotKind::Edges).await? {
            let items = snapshot::decode_edges(&open.bytes).into_iter();
            let items = items.filter(|item| {
                (selection.kinds.is_empty() || selection.kinds.contains(&item.kind))
                    && (is_out || selection.ends.binary_search(&item.to).is_ok())
            });
            rows.extend(items.map(|item| EdgeRow {
                key: EdgeKey {
                    from: open.key.node,
                    kind: item.kind,
                    to: item.to,
                    source: open.key.source,
                    scope: open.key.scope,
                    is_observation: false,
                },
                confidence: item.confidence,
                properties: item.properties,
                first_seen: open.first_seen,
                last_seen: open.last_seen,
            }));
        }
        rows.sort_by_key(|row| row.key);
        Ok(rows)
    }

    /// Adds the edges that are in force to `merged`, until it has `max_edges`.
    async fn add(
        &mut self,
        mut rows: Vec<EdgeRow>,
        selection: &EdgeSelection,
        max_edges: usize,
        merged: &mut MergedEdges,
    ) -> Result<(), RowsError> {
        rows.retain(|row| !row.key.is_observation || self.is_fresh(row.last_seen));
        let ends: BTreeSet<NodeId> = rows
            .iter()
            .flat_map(|row| [row.key.from, row.key.to])
            .collect();
        let ends: Vec<NodeId> = ends.into_iter().collect();
        let owners = self.load_owners(&ends).await?;
        let canonical: Vec<NodeId> = ends.iter().map(|id| owners.canonical(*id)).collect();
        self.load_lifecycles(&canonical).await?;
        for row in rows {
            let [from, to] = [row.key.from, row.key.to].map(|id| owners.canonical(id));
            let has_ended = |id: NodeId| self.lifecycle(id).ended.is_some();
            if has_ended(from) || (has_ended(to) && !selection.include_ended_ends) {
                continue;
            }
            merged.merge(from, row, to, max_edges);
        }
        Ok(())
    }

    /// Converts merged edges. If several claims and observations report an edge, the one with the highest confidence
    /// determines its source and properties.
    pub(super) async fn convert_edges(
        &mut self,
        merged: &[MergedEdge],
    ) -> Result<Vec<Edge>, RowsError> {
        let rows = || merged.iter().flat_map(MergedEdge::rows);
        if self.as_of == AsOf::Now {
            let reported = rows().filter(|row| !row.key.is_observation);
            let from: Vec<NodeId> = reported.map(|row| row.key.from).collect();
            self.load_claims(&from).await?;
        }
        let words = rows().flat_map(|row| [row.key.kind, row.key.source]);
        self.words.load_texts(&mut self.rows, words).await?;
        Ok(merged.iter().map(|edge| self.edge(edge)).collect())
    }

    fn edge(&self, edge: &MergedEdge) -> Edge {
        let source = |row: &EdgeRow| self.words.text(row.key.source);
        let last_seen = |row: &EdgeRow| match self.as_of {
            AsOf::Now => self.last_seen_of_edge(row),
            AsOf::Time(as_of) => row.last_seen.min(as_of),
        };
        let mut best = &edge.first;
        let mut seen = (best.first_seen, last_seen(best));
        for row in &edge.others {
            seen = (seen.0.min(row.first_seen), seen.1.max(last_seen(row)));
            if (row.confidence, source(row)) > (best.confidence, source(best)) {
                best = row;
            }
        }
        let properties = best.properties.as_deref();
        Edge {
            from: self.uid(edge.from).to_owned(),
            kind: self.words.text(edge.kind).as_ref().to_owned(),
            to: self.uid(edge.to).to_owned(),
            source: source(best).as_ref().to_owned(),
            is_in_snapshot: !best.key.is_observation,
            confidence: best.confidence,
            properties: properties
                .map(|bytes| map_to_json(Map::new(bytes)))
                .unwrap_or_default(),
            first_seen: seen.0,
            last_seen: seen.1,
        }
    }
}

impl MergedEdges {
    fn merge(&mut self, from: NodeId, row: EdgeRow, to: NodeId, max_edges: usize) {
        let kind = row.key.kind;
        if let Some(&index) = self.indexes.get(&(from, kind, to)) {
            self.edges[index].others.push(row);
        } else if self.edges.len() < max_edges {
            self.indexes.insert((from, kind, to), self.edges.len());
            self.edges.push(MergedEdge {
                from,
                kind,
                to,
                first: row,
                others: Vec::new(),
            });
        }
    }
}

/// Sorts edges by (from, kind, to).
pub(super) fn sort(edges: &mut [Edge]) {
    edges.sort_by(|one, other| {
        (&one.from, &one.kind, &one.to).cmp(&(&other.from, &other.kind, &other.to))
    });
}

/// Alternates between the items of two lists, then appends the rest of the longer one.
fn interleaved<T>(one: Vec<T>, other: Vec<T>) -> Vec<T> {
    let mut all = Vec::with_capacity(one.len() + other.len());
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    loop {
        let next = [one.next(), other.next()];
        if next.iter().all(Option::is_none) {
            return all;
        }
        all.extend(next.into_iter().flatten());
    }
}

fn edge_identity(key: &EdgeKey) -> (NodeId, Word, NodeId) {
    (key.from, key.kind, key.to)
}
