//! Edges from client to server, and the edge stats of each minute.
//!
//! ```text
//!  edge (from, to) ── newest end, confidence ──▶ edges
//!    └ stats of (connection, minute) ── calls, errors, durations ──▶ edge_stats, when they changed
//!        └ evicted, then opened again by a late span: with the next chunk number
//! ```

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;
use pipeline::component::UnixNanos;

use super::calls::{Call, Connection};
use super::histogram::Buckets;
use super::parties::{Marks, Parties};
use super::rows::PendingRows;

const MINUTE: u64 = 60_000_000_000;
/// How many minutes of an edge are held at once, over all connection types.
const MAX_MINUTES_PER_EDGE: usize = 10;
/// How many edges and minutes are held at once, together.
const MAX_HELD: usize = 1 << 16;
/// How long a minute or edge is held after its last call.
const IDLE: Duration = Duration::from_secs(600);

#[derive(Debug)]
pub(super) struct CallEdge {
    /// End of the latest call, in nanoseconds since 1970.
    pub(super) newest: u64,
    /// The highest confidence of a call since the edge is held.
    pub(super) confidence: f64,
    changed: bool,
    touched: UnixNanos,
    minutes: Vec<MinuteStats>,
}

/// Edge stats of one minute of event time and one connection type.
#[derive(Debug)]
pub(super) struct MinuteStats {
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

/// Assigns chunk numbers, so that minute stats opened again after an eviction get another number.
#[derive(Debug)]
struct Chunks {
    writer: Arc<str>,
    next: u32,
}

#[derive(Debug)]
pub(super) struct CallEdges {
    edges: HashMap<(u32, u32), CallEdge>,
    minute_count: usize,
    changed: Vec<(u32, u32)>,
    chunks: Chunks,
    with_stats: bool,
}

impl CallEdges {
    pub(super) fn new(with_stats: bool) -> CallEdges {
        CallEdges {
            edges: HashMap::new(),
            minute_count: 0,
            changed: Vec::new(),
            chunks: Chunks::new(),
            with_stats,
        }
    }

    pub(super) fn add(
        &mut self,
        call: &Call,
        now: UnixNanos,
        parties: &Parties,
        out: &mut PendingRows,
    ) {
        if self.edges.len() + self.minute_count >= MAX_HELD {
            self.evict(parties, out);
        }
        let key = (call.client.node, call.server.node);
        let edge = self.edges.entry(key).or_insert_with(CallEdge::new);
        // A sender whose clock is ahead must not extend the freshness of the edge.
        edge.newest = edge.newest.max(call.end.min(now.0));
        edge.confidence = edge.confidence.max(call.connection.confidence());
        edge.touched = now;
        if !edge.changed {
            edge.changed = true;
            self.changed.push(key);
        }
        if !self.with_stats {
            return;
        }
        // Times beyond the range of Arrow's timestamps count in the last minute of that range.
        let minute = call.time.min(i64::MAX as u64) / MINUTE;
        let wanted =
            |stats: &MinuteStats| stats.minute == minute && stats.connection == call.connection;
        let index = match edge.minutes.iter().rposition(wanted) {
            Some(index) => index,
            None => {
                if edge.minutes.len() >= MAX_MINUTES_PER_EDGE {
                    let stats = edge.take_stalest();
                    self.chunks.close(key, &stats, parties, out);
                    self.minute_count -= 1;
                }
                self.minute_count += 1;
                edge.minutes.push(self.chunks.open(call.connection, minute));
                edge.minutes.len() - 1
            }
        };
        edge.minutes[index].add(call, now);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }

    pub(super) fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Writes all changed edges and minute stats to `out`.
    pub(super) fn flush(&mut self, parties: &Parties, out: &mut PendingRows) {
        for key in self.changed.drain(..) {
            let Some(edge) = self.edges.get_mut(&key) else {
                continue;
            };
            edge.report(key, parties, out);
            for stats in edge.minutes.iter_mut().filter(|stats| stats.changed) {
                stats.changed = false;
                out.stats(parties.uid(key.0), parties.uid(key.1), stats);
            }
        }
    }

    /// Writes and removes the minutes and edges that had no call for [`IDLE`].
    pub(super) fn retire(&mut self, now: UnixNanos, parties: &Parties, out: &mut PendingRows) {
        let (minute_count, chunks) = (&mut self.minute_count, &mut self.chunks);
        self.edges.retain(|&key, edge| {
            let idle = |touched: UnixNanos| touched.after(IDLE) <= now;
            for stats in edge.minutes.extract_if(.., |stats| idle(stats.touched)) {
                chunks.close(key, &stats, parties, out);
                *minute_count -= 1;
            }
            let stays = !edge.minutes.is_empty() || !idle(edge.touched);
            if !stays {
                edge.report(key, parties, out);
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

    /// Writes and removes the quarter of the edges that had no call for the longest time.
    fn evict(&mut self, parties: &Parties, out: &mut PendingRows) {
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
            edge.report(*key, parties, out);
            self.minute_count -= edge.minutes.len();
            for stats in &edge.minutes {
                self.chunks.close(*key, stats, parties, out);
            }
        }
        let edges = &self.edges;
        self.changed.retain(|key| edges.contains_key(key));
    }
}

impl CallEdge {
    fn new() -> CallEdge {
        CallEdge {
            newest: 0,
            confidence: 0.0,
            changed: false,
            touched: UnixNanos(0),
            minutes: Vec::new(),
        }
    }

    fn report(&mut self, (from, to): (u32, u32), parties: &Parties, out: &mut PendingRows) {
        if std::mem::take(&mut self.changed) {
            out.edge(parties.uid(from), parties.uid(to), self);
        }
    }

    /// Removes the minute that had no call for the longest time. The oldest by event time would be wrong: a
    /// span dated in the future would never be removed.
    fn take_stalest(&mut self) -> MinuteStats {
        let minutes = self.minutes.iter().enumerate();
        let stalest = minutes.min_by_key(|(_, stats)| (stats.touched, stats.minute));
        let index = stalest.map_or(0, |(index, _)| index);
        self.minutes.remove(index)
    }
}

impl MinuteStats {
    /// Start of the minute.
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

    fn open(&self, connection: Connection, minute: u64) -> MinuteStats {
        MinuteStats {
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

    /// Writes the stats if they changed. Stats opened after this have another chunk number.
    fn close(
        &mut self,
        (from, to): (u32, u32),
        stats: &MinuteStats,
        parties: &Parties,
        out: &mut PendingRows,
    ) {
        if stats.changed {
            out.stats(parties.uid(from), parties.uid(to), stats);
        }
        if stats.chunk == self.next && stats.writer == self.writer {
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

    use super::{Chunks, Connection, Parties, PendingRows};

    #[test]
    fn a_new_writer_is_used_when_chunk_numbers_run_out() {
        let (parties, mut out) = (
            Parties::new(),
            PendingRows::new(String::new(), SignalSet::NONE),
        );
        let mut chunks = Chunks::new();
        chunks.next = u32::MAX;
        let last = chunks.open(Connection::Direct, 0);
        let open = chunks.open(Connection::Direct, 1);
        chunks.close((0, 1), &last, &parties, &mut out);
        let next = chunks.open(Connection::Direct, 0);
        assert_ne!((&next.writer, next.chunk), (&last.writer, last.chunk));
        assert_eq!(open.writer, last.writer, "open stats keep their writer");
        chunks.close((0, 1), &open, &parties, &mut out);
        assert_eq!(chunks.next, 0, "chunks of an earlier writer change nothing");
    }
}
