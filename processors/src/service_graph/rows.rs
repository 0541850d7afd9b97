//! Builds rows of `nodes`, `edges` and `edge_stats`.

use pipeline::component::UnixNanos;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{edge_stats, edges, nodes, resources};
use pipeline::{Batch, Delivery, Signal, SignalSet};

use super::histogram::SCALE;
use super::minute_stats::MinuteStats;
use super::parties::PartyNode;

/// Rows to emit on the next tick, of the signals that a downstream component accepts.
pub(super) struct PendingRows {
    /// The component id, which is the `source` of the rows.
    source: String,
    nodes: Option<Rows>,
    edges: Option<Rows>,
    stats: Option<Rows>,
}

impl std::fmt::Debug for PendingRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PendingRows({} rows)", self.len())
    }
}

impl PendingRows {
    pub(super) fn new(source: String, emitted: SignalSet) -> PendingRows {
        let rows = |signal| emitted.contains(signal).then(|| Rows::new(signal));
        PendingRows {
            source,
            nodes: rows(Signal::Nodes),
            edges: rows(Signal::Edges),
            stats: rows(Signal::EdgeStats),
        }
    }

    pub(super) fn emits_nodes(&self) -> bool {
        self.nodes.is_some()
    }

    /// The number of rows of all signals.
    pub(super) fn len(&self) -> usize {
        let all = [&self.nodes, &self.edges, &self.stats];
        all.into_iter().flatten().map(Rows::len).sum()
    }

    /// Takes the rows as batches. No sender waits for their acknowledgement.
    pub(super) fn take(&mut self) -> Vec<Batch> {
        let all = [&mut self.nodes, &mut self.edges, &mut self.stats];
        all.into_iter()
            .flatten()
            .filter(|rows| !rows.is_empty())
            .map(|rows| rows.finish(Delivery::untracked()))
            .collect()
    }

    /// Adds a fact of the group `telemetry`.
    pub(super) fn push_node(&mut self, node: &PartyNode, time: UnixNanos) {
        let Some(rows) = &mut self.nodes else { return };
        let cells = [
            (nodes::OP, Cell::Text(resources::op::OBSERVED)),
            (nodes::GROUP, Cell::Text(nodes::group::TELEMETRY)),
            (nodes::KIND, Cell::Text(node.kind)),
            (nodes::NAME, Cell::Text(&node.name)),
            (nodes::VALUE, Cell::Bytes(&node.value)),
        ];
        rows.push(Some(time), Some(&node.uid), &self.source, &cells);
    }

    /// Adds an observed edge `CALLS`. `newest` is the end of its latest call.
    pub(super) fn push_edge(&mut self, from: &str, to: &str, newest: UnixNanos, confidence: f64) {
        let Some(rows) = &mut self.edges else { return };
        let cells = [
            (edges::MODE, Cell::Text(edges::mode::OBSERVED)),
            (edges::KIND, Cell::Text(edges::kind::CALLS)),
            (edges::TO, Cell::Text(to)),
            (edges::CONFIDENCE, Cell::Float(confidence)),
        ];
        rows.push(Some(newest), Some(from), &self.source, &cells);
    }

    /// Adds the whole stats of a minute.
    pub(super) fn push_stats(&mut self, from: &str, to: &str, stats: &MinuteStats) {
        let Some(rows) = &mut self.stats else {
            return;
        };
        let cells = [
            (edge_stats::KIND, Cell::Text(edges::kind::CALLS)),
            (edge_stats::TO, Cell::Text(to)),
            (
                edge_stats::CONNECTION_TYPE,
                Cell::Text(stats.connection.name()),
            ),
            (edge_stats::WRITER, Cell::Text(&stats.writer)),
            (edge_stats::CHUNK, Cell::UInt(u64::from(stats.chunk))),
            (edge_stats::CALLS, Cell::UInt(stats.calls)),
            (edge_stats::ERRORS, Cell::UInt(stats.errors)),
            (
                edge_stats::DURATION_SUM,
                Cell::Float(stats.sum as f64 / 1e9),
            ),
            (
                edge_stats::DURATION_MAX,
                Cell::Float(stats.max as f64 / 1e9),
            ),
            (edge_stats::DURATION_SCALE, Cell::Int(i64::from(SCALE))),
            (
                edge_stats::DURATION_OFFSET,
                Cell::Int(i64::from(stats.buckets.offset)),
            ),
            (
                edge_stats::DURATION_COUNTS,
                Cell::UInts(&stats.buckets.counts),
            ),
        ];
        rows.push(Some(stats.time()), Some(from), &self.source, &cells);
    }
}
