//! Holds the edges from client to server, and the edge stats of each minute.
//!
//! ```text
//!  edge (from, to) ── newest end, confidence ──▶ rows of `edges`
//!    └ stats of (connection type, minute) ── calls, errors, durations ──▶ rows of `edge_stats`, when they changed
//!        └ stats that a late span opens again after their eviction have another chunk number
//! ```

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;
use pipeline::component::UnixNanos;

use super::calls::{Call, ConnectionType};
use super::minute_stats::{MINUTE, MinuteStats};
use super::parties::{Parties, UsedNames};
use super::rows::PendingRows;

/// The maximum number of [`MinuteStats`] of one edge, over all connection types.
const MAX_MINUTES_PER_EDGE: usize = 10;
/// The maximum number of edges plus [`MinuteStats`].
const MAX_HELD: usize = 1 << 16;
/// How long an edge or its stats of a minute are held after the last call was added to them.
const IDLE: Duration = Duration::from_secs(600);

/// An edge, and the stats of its minutes.
#[derive(Debug)]
struct CallEdge {
    /// The end of the latest call, in nanoseconds since 1970.
    newest: u64,
    /// The highest confidence of the calls that were added.
    confidence: f64,
    /// Whether calls were added since the edge was last emitted.
    changed: bool,
    /// When the last call was added.
    last_added: UnixNanos,
    minutes: Vec<MinuteStats>,
}

/// Assigns writers and chunk numbers: stats that are opened again after an eviction get another chunk number.
#[derive(Debug)]
struct ChunkNumbers {
    writer: Arc<str>,
    next: u32,
}

/// The edges of the calls that were added.
#[derive(Debug)]
pub(super) struct CallEdges {
    /// By the numbers of the nodes of client and server.
    edges: HashMap<(u32, u32), CallEdge>,
    /// The number of [`MinuteStats`] of all edges.
    minute_count: usize,
    /// The edges to which calls were added since the last flush.
    changed: Vec<(u32, u32)>,
    chunks: ChunkNumbers,
    /// Whether a downstream component accepts edge stats.
    with_stats: bool,
}

impl CallEdges {
    pub(super) fn new(with_stats: bool) -> CallEdges {
        CallEdges {
            edges: HashMap::new(),
            minute_count: 0,
            changed: Vec::new(),
            chunks: ChunkNumbers::new(),
            with_stats,
        }
    }

    /// Adds a call to its edge and its minute. At a limit, evicts edges or the stats of a minute, and writes rows of
    /// those that changed to `out`.
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
        // A sender whose clock is ahead must not make the edge current for longer.
        edge.newest = edge.newest.max(call.end.min(now.0));
        edge.confidence = edge.confidence.max(call.connection.confidence());
        edge.last_added = now;
        if !edge.changed {
            edge.changed = true;
            self.changed.push(key);
        }
        if !self.with_stats {
            return;
        }
        // A call whose time is beyond the range of Arrow's timestamps counts in the last minute of that range.
        let minute = call.time.min(i64::MAX as u64) / MINUTE;
        let matches_call =
            |stats: &MinuteStats| stats.minute == minute && stats.connection == call.connection;
        let index = match edge.minutes.iter().rposition(matches_call) {
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

    /// Writes rows of all changed edges and minute stats to `out`.
    pub(super) fn flush(&mut self, parties: &Parties, out: &mut PendingRows) {
        for key in self.changed.drain(..) {
            let Some(edge) = self.edges.get_mut(&key) else {
                continue;
            };
            edge.report(key, parties, out);
            for stats in edge.minutes.iter_mut().filter(|stats| stats.changed) {
                stats.changed = false;
                out.push_stats(parties.uid(key.0), parties.uid(key.1), stats);
            }
        }
    }

    /// Removes the edges and the stats of minutes to which no call was added for [`IDLE`], and writes rows of those
    /// that changed to `out`.
    pub(super) fn retire(&mut self, now: UnixNanos, parties: &Parties, out: &mut PendingRows) {
        let (minute_count, chunks) = (&mut self.minute_count, &mut self.chunks);
        self.edges.retain(|&key, edge| {
            let idle = |last_added: UnixNanos| last_added + IDLE <= now;
            for stats in edge.minutes.extract_if(.., |stats| idle(stats.last_added)) {
                chunks.close(key, &stats, parties, out);
                *minute_count -= 1;
            }
            let stays = !edge.minutes.is_empty() || !idle(edge.last_added);
            if !stays {
                edge.report(key, parties, out);
            }
            stays
        });
    }

    /// Marks the interned nodes of all edges as used.
    pub(super) fn mark_used(&self, used: &mut UsedNames) {
        for &(from, to) in self.edges.keys() {
            used.mark_node(from);
            used.mark_node(to);
        }
    }

    /// Removes the quarter of the edges whose last call was added the longest ago, with their stats. Writes rows of
    /// those that changed to `out`.
    fn evict(&mut self, parties: &Parties, out: &mut PendingRows) {
        let mut by_last_added: Vec<_> = self
            .edges
            .iter()
            .map(|(key, edge)| (edge.last_added, *key))
            .collect();
        let quarter = by_last_added.len() / 4;
        by_last_added.select_nth_unstable(quarter);
        for (_, key) in &by_last_added[..=quarter] {
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
            last_added: UnixNanos(0),
            minutes: Vec::new(),
        }
    }

    /// Writes a row of the edge if it changed.
    fn report(&mut self, (from, to): (u32, u32), parties: &Parties, out: &mut PendingRows) {
        if std::mem::take(&mut self.changed) {
            let (from, to) = (parties.uid(from), parties.uid(to));
            out.push_edge(from, to, UnixNanos(self.newest), self.confidence);
        }
    }

    /// Removes the stats whose last call was added the longest ago. To remove the stats of the earliest minute would be
    /// wrong: the minute of a span dated in the future would never be removed.
    fn take_stalest(&mut self) -> MinuteStats {
        let minutes = self.minutes.iter().enumerate();
        let stalest = minutes.min_by_key(|(_, stats)| (stats.last_added, stats.minute));
        let index = stalest.map_or(0, |(index, _)| index);
        self.minutes.remove(index)
    }
}

impl ChunkNumbers {
    /// A new writer, at chunk number 0.
    fn new() -> ChunkNumbers {
        ChunkNumbers {
            writer: format!("{:032x}", rand::random::<u128>()).into(),
            next: 0,
        }
    }

    /// Stats without calls, with the current chunk number.
    fn open(&self, connection: ConnectionType, minute: u64) -> MinuteStats {
        MinuteStats::new(connection, minute, self.writer.clone(), self.next)
    }

    /// Writes a row of the stats if they changed. Stats that are opened after this have another chunk number.
    fn close(
        &mut self,
        (from, to): (u32, u32),
        stats: &MinuteStats,
        parties: &Parties,
        out: &mut PendingRows,
    ) {
        if stats.changed {
            out.push_stats(parties.uid(from), parties.uid(to), stats);
        }
        if stats.chunk == self.next && stats.writer == self.writer {
            match self.next.checked_add(1) {
                Some(next) => self.next = next,
                None => *self = ChunkNumbers::new(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pipeline::SignalSet;

    use super::{ChunkNumbers, ConnectionType, Parties, PendingRows};

    #[test]
    fn a_new_writer_is_used_when_chunk_numbers_run_out() {
        let (parties, mut out) = (
            Parties::new(),
            PendingRows::new(String::new(), SignalSet::NONE),
        );
        let mut chunks = ChunkNumbers::new();
        chunks.next = u32::MAX;
        let last = chunks.open(ConnectionType::Direct, 0);
        let open = chunks.open(ConnectionType::Direct, 1);
        chunks.close((0, 1), &last, &parties, &mut out);
        let next = chunks.open(ConnectionType::Direct, 0);
        assert_ne!((&next.writer, next.chunk), (&last.writer, last.chunk));
        assert_eq!(open.writer, last.writer, "open stats keep their writer");
        chunks.close((0, 1), &open, &parties, &mut out);
        assert_eq!(
            chunks.next, 0,
            "closing stats of an earlier writer changes nothing"
        );
    }
}
