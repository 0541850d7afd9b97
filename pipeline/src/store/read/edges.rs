//! Edges at some nodes.
//!
//! ```text
//!  now:     pages of current edges ────────────────────────┐
//!  as of T: out: snapshots whose claims were open at T ────┼─▶ merged by (from, kind, to), until
//!           in:  the same, of every node that had an edge ─┘   there are as many as asked for
//! ```

use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::rows::{EdgeKey, EdgePage, EdgeRow, NodeId, Part, ReadRows, RowsError, Word};
use super::super::snapshot;
use super::session::Session;
use crate::attributes::{Map, map_to_json};
use crate::component::UnixNanos;
use crate::graph_store::{At, Direction, Edge};

/// Rows that are read at a time, at least and at most.
const PAGE: (usize, usize) = if cfg!(test) { (3, 3) } else { (64, 4096) };

/// What is asked for.
struct Wanted {
    /// Ascending.
    ends: Vec<NodeId>,
    /// None for all.
    kinds: Vec<Word>,
    limit: usize,
    /// Whether edges that lead to an ended node are wanted as well.
    with_ended_ends: bool,
}

/// The edges that start at a node, and what of where they lead has ended.
pub(super) type EdgesOfNode = (Vec<Edge>, Vec<(String, UnixNanos)>);

/// Edges of one direction, merged: (from, kind, to), in the order in which they were found.
#[derive(Default)]
struct Found {
    edges: Vec<Merged>,
    places: HashMap<(NodeId, Word, NodeId), usize>,
}

/// An edge, and all claims and observations that report it.
pub(super) struct Merged {
    pub(super) from: NodeId,
    pub(super) kind: Word,
    pub(super) to: NodeId,
    first: EdgeRow,
    others: Vec<EdgeRow>,
}

impl Merged {
    fn rows(&self) -> impl Iterator<Item = &EdgeRow> {
        [&self.first].into_iter().chain(&self.others)
    }
}

impl<R: ReadRows> Session<R> {
    pub(super) async fn edges(
        &mut self,
        uids: &[String],
        direction: Direction,
        kinds: &[String],
        limit: usize,
    ) -> Result<Vec<Edge>, RowsError> {
        let words = self.find_words(kinds).await?;
        let ids = self.rows.find_nodes(uids).await?;
        let ids: Vec<NodeId> = ids.into_iter().flatten().collect();
        if ids.is_empty() || limit == 0 || (words.is_empty() && !kinds.is_empty()) {
            return Ok(Vec::new());
        }
        let (found, _) = self.edges_at(&ids, direction, &words, limit).await?;
        let mut edges = self.described(&found).await?;
        sort(&mut edges);
        edges.truncate(limit);
        Ok(edges)
    }

    /// The edges at these nodes, in the order of the store, up to `limit` in each direction, the directions in
    /// turn; whether there may be more.
    pub(super) async fn edges_at(
        &mut self,
        ids: &[NodeId],
        direction: Direction,
        kinds: &[Word],
        limit: usize,
    ) -> Result<(Vec<Merged>, bool), RowsError> {
        let wanted = Wanted {
            ends: self.all_names(ids).await?,
            kinds: kinds.to_vec(),
            limit,
            with_ended_ends: false,
        };
        let mut found = Found::default();
        let (mut is_cut, mut of_first_direction) = (false, 0);
        for one in [Direction::Out, Direction::In] {
            if direction != Direction::Both && direction != one {
                continue;
            }
            let enough = found.edges.len() + limit;
            match self.at {
                At::Now => self.follow(one, &wanted, enough, &mut found).await?,
                At::Time(_) => self.follow_past(one, &wanted, enough, &mut found).await?,
            }
            is_cut |= found.edges.len() >= enough;
            if one == Direction::Out {
                of_first_direction = found.edges.len();
            }
        }
        let of_second = found.edges.split_off(of_first_direction);
        Ok((interleaved(found.edges, of_second), is_cut))
    }

    /// All current edges of these kinds that start at these nodes, by where they start; also those that
    /// lead to an ended node.
    pub(super) async fn edges_from(
        &mut self,
        ids: &[NodeId],
        kinds: &[String],
    ) -> Result<HashMap<NodeId, EdgesOfNode>, RowsError> {
        let words = self.find_words(kinds).await?;
        if ids.is_empty() || (words.is_empty() && !kinds.is_empty()) {
            return Ok(HashMap::new());
        }
        let wanted = Wanted {
            ends: self.all_names(ids).await?,
            kinds: words,
            limit: usize::MAX,
            with_ended_ends: true,
        };
        let mut found = Found::default();
        let all = self.follow(Direction::Out, &wanted, usize::MAX, &mut found);
        all.await?;
        let described = self.described(&found.edges).await?;
        let mut edges: HashMap<NodeId, EdgesOfNode> = HashMap::new();
        for (edge, described) in found.edges.iter().zip(described) {
            let (edges, ended) = edges.entry(edge.from).or_default();
            edges.push(described);
            if let Some(time) = self.life(edge.to).ended {
                ended.push((self.uid(edge.to).to_owned(), time));
            }
        }
        Ok(edges)
    }

    /// Current edges, page by page.
    async fn follow(
        &mut self,
        direction: Direction,
        wanted: &Wanted,
        enough: usize,
        found: &mut Found,
    ) -> Result<(), RowsError> {
        let mut after = None;
        // The rows of an edge that several claims report stand together, but a page may cut them.
        let mut cut: Vec<EdgeRow> = Vec::new();
        loop {
            let limit = wanted.limit.clamp(PAGE.0, PAGE.1);
            let page = EdgePage { after, limit };
            let mut rows = self.page(direction, wanted, &page).await?;
            let is_last = rows.len() < limit;
            after = rows.last().map(|row| row.key);
            let mut all = std::mem::take(&mut cut);
            all.append(&mut rows);
            if let Some(last) = all.last().filter(|_| !is_last) {
                let name = edge_name(&last.key);
                let whole = all.iter().take_while(|row| edge_name(&row.key) != name);
                cut = all.split_off(whole.count());
            }
            self.add(all, wanted, enough, found).await?;
            if is_last || found.edges.len() >= enough {
                return Ok(());
            }
        }
    }

    async fn page(
        &mut self,
        direction: Direction,
        wanted: &Wanted,
        page: &EdgePage,
    ) -> Result<Vec<EdgeRow>, RowsError> {
        match direction {
            Direction::In => {
                let rows = self.rows.edges_in(&wanted.ends, &wanted.kinds, page);
                rows.await
            }
            _ => {
                let rows = self.rows.edges_out(&wanted.ends, &wanted.kinds, page);
                rows.await
            }
        }
    }

    /// Edges of the past.
    async fn follow_past(
        &mut self,
        direction: Direction,
        wanted: &Wanted,
        enough: usize,
        found: &mut Found,
    ) -> Result<(), RowsError> {
        let mut checked: HashSet<NodeId> = HashSet::new();
        let is_out = direction == Direction::Out;
        if is_out {
            let rows = self.snapshot_edges(&wanted.ends, wanted, is_out).await?;
            self.add(rows, wanted, enough, found).await?;
            checked.extend(&wanted.ends);
        }
        let mut after: Option<EdgeKey> = None;
        while found.edges.len() < enough {
            let limit = wanted.limit.clamp(PAGE.0, PAGE.1);
            let page = EdgePage { after, limit };
            let rows = self.page(direction, wanted, &page).await?;
            let is_last = rows.len() < limit;
            after = rows.last().map(|row| row.key);
            let from = rows.iter().filter(|row| !row.key.is_observation);
            let from: BTreeSet<NodeId> = from.map(|row| row.key.from).collect();
            let from = from.into_iter().filter(|from| checked.insert(*from));
            let from: Vec<NodeId> = from.collect();
            let observed = rows.into_iter();
            let observed =
                observed.filter(|row| row.key.is_observation && self.is_past(row.first_seen));
            let mut all: Vec<EdgeRow> = observed.collect();
            all.extend(self.snapshot_edges(&from, wanted, is_out).await?);
            self.add(all, wanted, enough, found).await?;
            if is_last {
                break;
            }
        }
        let mut after = None;
        while !is_out && found.edges.len() < enough {
            let (ends, kinds) = (&wanted.ends, &wanted.kinds);
            let past = self.rows.past_edges_in(ends, kinds, after, PAGE.1).await?;
            let Some(&last) = past.last() else { break };
            after = Some(last);
            let from: BTreeSet<NodeId> = past.into_iter().map(|(_, _, from)| from).collect();
            let from = from.into_iter().filter(|from| checked.insert(*from));
            let from: Vec<NodeId> = from.collect();
            let rows = self.snapshot_edges(&from, wanted, is_out).await?;
            self.add(rows, wanted, enough, found).await?;
        }
        Ok(())
    }

    /// The wanted edges of the snapshots of these nodes.
    async fn snapshot_edges(
        &mut self,
        from: &[NodeId],
        wanted: &Wanted,
        is_out: bool,
    ) -> Result<Vec<EdgeRow>, RowsError> {
        if from.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows = Vec::new();
        for held in self.snapshots_held(from, Part::Edges).await? {
            let items = snapshot::decode_edges(&held.bytes).into_iter();
            let items = items.filter(|item| {
                (wanted.kinds.is_empty() || wanted.kinds.contains(&item.kind))
                    && (is_out || wanted.ends.binary_search(&item.to).is_ok())
            });
            rows.extend(items.map(|item| EdgeRow {
                key: EdgeKey {
                    from: held.key.node,
                    kind: item.kind,
                    to: item.to,
                    source: held.key.source,
                    scope: held.key.scope,
                    is_observation: false,
                },
                confidence: item.confidence,
                properties: item.properties,
                first_seen: held.first_seen,
                last_seen: held.last_seen,
            }));
        }
        rows.sort_by_key(|row| row.key);
        Ok(rows)
    }

    /// Adds the edges that hold, until there are enough.
    async fn add(
        &mut self,
        mut rows: Vec<EdgeRow>,
        wanted: &Wanted,
        enough: usize,
        found: &mut Found,
    ) -> Result<(), RowsError> {
        rows.retain(|row| !row.key.is_observation || self.is_recent(row.last_seen));
        let ends: BTreeSet<NodeId> = rows
            .iter()
            .flat_map(|row| [row.key.from, row.key.to])
            .collect();
        let ends: Vec<NodeId> = ends.into_iter().collect();
        let same = self.owners(&ends).await?;
        let canonical: Vec<NodeId> = ends.iter().map(|id| same.canonical(*id)).collect();
        self.load_lives(&canonical).await?;
        for row in rows {
            let [from, to] = [row.key.from, row.key.to].map(|id| same.canonical(id));
            let has_ended = |id: NodeId| self.life(id).ended.is_some();
            if has_ended(from) || (has_ended(to) && !wanted.with_ended_ends) {
                continue;
            }
            found.merge(from, row, to, enough);
        }
        Ok(())
    }

    /// As they are answered. Of several claims and observations that report one edge the surest speaks.
    pub(super) async fn described(&mut self, found: &[Merged]) -> Result<Vec<Edge>, RowsError> {
        let rows = || found.iter().flat_map(Merged::rows);
        if self.at == At::Now {
            let reported = rows().filter(|row| !row.key.is_observation);
            let from: Vec<NodeId> = reported.map(|row| row.key.from).collect();
            self.load_claims(&from).await?;
        }
        let words = rows().flat_map(|row| [row.key.kind, row.key.source]);
        self.words.read(&mut self.rows, words).await?;
        Ok(found.iter().map(|edge| self.edge(edge)).collect())
    }

    fn edge(&self, edge: &Merged) -> Edge {
        let source = |row: &EdgeRow| self.words.text(row.key.source);
        let last_seen = |row: &EdgeRow| match self.at {
            At::Now => self.last_seen_of_edge(row),
            At::Time(moment) => row.last_seen.min(moment),
        };
        let mut surest = &edge.first;
        let mut seen = (surest.first_seen, last_seen(surest));
        for row in &edge.others {
            seen = (seen.0.min(row.first_seen), seen.1.max(last_seen(row)));
            if (row.confidence, source(row)) > (surest.confidence, source(surest)) {
                surest = row;
            }
        }
        let properties = surest.properties.as_deref();
        Edge {
            from: self.uid(edge.from).to_owned(),
            kind: self.words.text(edge.kind).as_ref().to_owned(),
            to: self.uid(edge.to).to_owned(),
            source: source(surest).as_ref().to_owned(),
            is_of_set: !surest.key.is_observation,
            confidence: surest.confidence,
            properties: properties
                .map(|bytes| map_to_json(Map::new(bytes)))
                .unwrap_or_default(),
            first_seen: seen.0,
            last_seen: seen.1,
        }
    }
}

impl Found {
    fn merge(&mut self, from: NodeId, row: EdgeRow, to: NodeId, enough: usize) {
        let kind = row.key.kind;
        if let Some(&place) = self.places.get(&(from, kind, to)) {
            self.edges[place].others.push(row);
        } else if self.edges.len() < enough {
            self.places.insert((from, kind, to), self.edges.len());
            self.edges.push(Merged {
                from,
                kind,
                to,
                first: row,
                others: Vec::new(),
            });
        }
    }
}

/// By (from, kind, to).
pub(super) fn sort(edges: &mut [Edge]) {
    edges.sort_by(|one, other| {
        (&one.from, &one.kind, &one.to).cmp(&(&other.from, &other.kind, &other.to))
    });
}

/// One of each in turn, then the rest of the longer one.
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

fn edge_name(key: &EdgeKey) -> (NodeId, Word, NodeId) {
    (key.from, key.kind, key.to)
}
