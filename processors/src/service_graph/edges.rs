//! Who calls whom, and the figures of each minute of that.
//!
//! ```text
//!  edge (from, to) ── newest end, confidence ──▶ edges
//!    └ cell (connection, minute) ── calls, errors, durations ──▶ edge_stats, while it changes
//!        └ evicted, and opened again by a late span: the next chunk
//! ```

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;
use pipeline::component::UnixNanos;

use super::calls::{Call, Connection};
use super::histogram::Buckets;
use super::parties::{Marks, Parties};
use super::rows::Out;

const MINUTE: u64 = 60_000_000_000;
/// How many minutes of an edge are open at once.
const CELLS_OF_AN_EDGE: usize = 10;
/// How many edges and minutes are held at once.
const MOST: usize = 1 << 16;
/// How long a minute stays open that nothing is added to.
const IDLE: Duration = Duration::from_secs(600);

#[derive(Debug)]
pub(super) struct Edge {
    /// When its last call ended, in nanoseconds since 1970.
    pub(super) newest: u64,
    /// Of the surest call while the edge is held.
    pub(super) confidence: f64,
    changed: bool,
    touched: UnixNanos,
    cells: Vec<Cell>,
}

/// What was counted in one minute of event time.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) connection: Connection,
    /// Minutes since 1970.
    minute: u64,
    pub(super) writer: Arc<str>,
    pub(super) chunk: u32,
    pub(super) calls: u64,
    pub(super) errors: u64,
    /// Nanoseconds.
    pub(super) sum: u128,
    /// Nanoseconds.
    pub(super) max: u64,
    pub(super) buckets: Buckets,
    changed: bool,
    touched: UnixNanos,
}

/// Gives each cell its chunk, so that no two of the same minute have the same.
#[derive(Debug)]
struct Chunks {
    writer: Arc<str>,
    next: u32,
}

#[derive(Debug)]
pub(super) struct Edges {
    edges: HashMap<(u32, u32), Edge>,
    cells: usize,
    changed: Vec<(u32, u32)>,
    chunks: Chunks,
    with_figures: bool,
}

impl Edges {
    pub(super) fn new(with_figures: bool) -> Edges {
        Edges {
            edges: HashMap::new(),
            cells: 0,
            changed: Vec::new(),
            chunks: Chunks::new(),
            with_figures,
        }
    }

    pub(super) fn add(&mut self, call: &Call, now: UnixNanos, parties: &Parties, out: &mut Out) {
        if self.edges.len() + self.cells >= MOST {
            self.shrink(parties, out);
        }
        let key = (call.client.node, call.server.node);
        let edge = self.edges.entry(key).or_insert_with(Edge::new);
        // A sender whose clock is ahead must not keep an edge alive for longer than it is.
        edge.newest = edge.newest.max(call.end.min(now.0));
        edge.confidence = edge.confidence.max(call.connection.confidence());
        edge.touched = now;
        if !edge.changed {
            edge.changed = true;
            self.changed.push(key);
        }
        if !self.with_figures {
            return;
        }
        // Times that Arrow's timestamps do not hold are of the last minute that they do.
        let minute = call.time.min(i64::MAX as u64) / MINUTE;
        let wanted = |cell: &Cell| cell.minute == minute && cell.connection == call.connection;
        let index = match edge.cells.iter().rposition(wanted) {
            Some(index) => index,
            None => {
                if edge.cells.len() >= CELLS_OF_AN_EDGE {
                    let cell = edge.take_stalest();
                    self.chunks.close(key, &cell, parties, out);
                    self.cells -= 1;
                }
                self.cells += 1;
                edge.cells.push(self.chunks.open(call.connection, minute));
                edge.cells.len() - 1
            }
        };
        edge.cells[index].add(call, now);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }

    /// Whether there is something to flush.
    pub(super) fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Tells of all that has changed.
    pub(super) fn flush(&mut self, parties: &Parties, out: &mut Out) {
        for key in self.changed.drain(..) {
            let Some(edge) = self.edges.get_mut(&key) else {
                continue;
            };
            edge.tell(key, parties, out);
            for cell in edge.cells.iter_mut().filter(|cell| cell.changed) {
                cell.changed = false;
                out.figures(parties.uid(key.0), parties.uid(key.1), cell);
            }
        }
    }

    /// Closes the minutes that nothing was added to for long.
    pub(super) fn retire(&mut self, now: UnixNanos, parties: &Parties, out: &mut Out) {
        let (cells, chunks) = (&mut self.cells, &mut self.chunks);
        self.edges.retain(|&key, edge| {
            let idle = |touched: UnixNanos| touched.after(IDLE) <= now;
            for cell in edge.cells.extract_if(.., |cell| idle(cell.touched)) {
                chunks.close(key, &cell, parties, out);
                *cells -= 1;
            }
            let stays = !edge.cells.is_empty() || !idle(edge.touched);
            if !stays {
                edge.tell(key, parties, out);
            }
            stays
        });
    }

    pub(super) fn mark(&self, marks: &mut Marks) {
        for &(from, to) in self.edges.keys() {
            marks.node(from);
            marks.node(to);
        }
    }

    /// Closes the quarter of the edges that was not touched for longest.
    fn shrink(&mut self, parties: &Parties, out: &mut Out) {
        let mut touched: Vec<_> = self
            .edges
            .iter()
            .map(|(key, edge)| (edge.touched, *key))
            .collect();
        let quarter = touched.len() / 4;
        touched.select_nth_unstable(quarter);
        for (_, key) in &touched[..=quarter] {
            let Some(mut edge) = self.edges.remove(key) else {
                continue;
            };
            edge.tell(*key, parties, out);
            self.cells -= edge.cells.len();
            for cell in &edge.cells {
                self.chunks.close(*key, cell, parties, out);
            }
        }
        let edges = &self.edges;
        self.changed.retain(|key| edges.contains_key(key));
    }
}

impl Edge {
    fn new() -> Edge {
        Edge {
            newest: 0,
            confidence: 0.0,
            changed: false,
            touched: UnixNanos(0),
            cells: Vec::new(),
        }
    }

    fn tell(&mut self, (from, to): (u32, u32), parties: &Parties, out: &mut Out) {
        if std::mem::take(&mut self.changed) {
            out.edge(parties.uid(from), parties.uid(to), self);
        }
    }

    /// Not the oldest by event time: one span from the future would hold its place for ever.
    fn take_stalest(&mut self) -> Cell {
        let cells = self.cells.iter().enumerate();
        let stalest = cells.min_by_key(|(_, cell)| (cell.touched, cell.minute));
        let index = stalest.map_or(0, |(index, _)| index);
        self.cells.remove(index)
    }
}

impl Cell {
    /// When the minute starts.
    pub(super) fn time(&self) -> UnixNanos {
        UnixNanos(self.minute * MINUTE)
    }

    fn add(&mut self, call: &Call, now: UnixNanos) {
        let duration = call.duration();
        self.calls += 1;
        self.errors += u64::from(call.failed);
        self.sum += u128::from(duration);
        self.max = self.max.max(duration);
        self.buckets.add(duration);
        self.changed = true;
        self.touched = now;
    }
}

impl Chunks {
    fn new() -> Chunks {
        Chunks {
            writer: format!("{:032x}", rand::random::<u128>()).into(),
            next: 0,
        }
    }

    fn open(&self, connection: Connection, minute: u64) -> Cell {
        Cell {
            connection,
            minute,
            writer: self.writer.clone(),
            chunk: self.next,
            calls: 0,
            errors: 0,
            sum: 0,
            max: 0,
            buckets: Buckets::default(),
            changed: false,
            touched: UnixNanos(0),
        }
    }

    /// Whatever opens after this has another chunk than the cell.
    fn close(&mut self, (from, to): (u32, u32), cell: &Cell, parties: &Parties, out: &mut Out) {
        if cell.changed {
            out.figures(parties.uid(from), parties.uid(to), cell);
        }
        if cell.chunk == self.next && cell.writer == self.writer {
            match self.next.checked_add(1) {
                Some(next) => self.next = next,
                None => *self = Chunks::new(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pipeline::SignalSet;

    use super::{Chunks, Connection, Out, Parties};

    #[test]
    fn a_writer_that_has_no_chunk_left_is_followed_by_another() {
        let (parties, mut out) = (Parties::new(), Out::new(String::new(), SignalSet::NONE));
        let mut chunks = Chunks::new();
        chunks.next = u32::MAX;
        let last = chunks.open(Connection::Direct, 0);
        let open = chunks.open(Connection::Direct, 1);
        chunks.close((0, 1), &last, &parties, &mut out);
        let next = chunks.open(Connection::Direct, 0);
        assert_ne!((&next.writer, next.chunk), (&last.writer, last.chunk));
        assert_eq!(open.writer, last.writer, "what is open stays its writer's");
        chunks.close((0, 1), &open, &parties, &mut out);
        assert_eq!(chunks.next, 0, "another writer's chunks are no matter");
    }
}
