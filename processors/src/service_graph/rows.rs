//! What is told: rows of `nodes`, `edges` and `edge_stats`.

use pipeline::component::UnixNanos;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{edge_stats, edges, nodes, resources};
use pipeline::{Batch, Delivery, Signal, SignalSet};

use super::edges as counted;
use super::histogram::SCALE;
use super::parties::Node;

/// Rows that wait to be sent; of signals that nobody wants there are none.
pub(super) struct Out {
    source: String,
    nodes: Option<Rows>,
    edges: Option<Rows>,
    figures: Option<Rows>,
}

impl std::fmt::Debug for Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Out({} rows)", self.len())
    }
}

impl Out {
    pub(super) fn new(source: String, wanted: SignalSet) -> Out {
        let rows = |signal| wanted.contains(signal).then(|| Rows::new(signal));
        Out {
            source,
            nodes: rows(Signal::Nodes),
            edges: rows(Signal::Edges),
            figures: rows(Signal::EdgeStats),
        }
    }

    pub(super) fn wants_nodes(&self) -> bool {
        self.nodes.is_some()
    }

    pub(super) fn len(&self) -> usize {
        let all = [&self.nodes, &self.edges, &self.figures];
        all.into_iter().flatten().map(Rows::len).sum()
    }

    /// The batches, which nobody waits for: who sent the spans was answered.
    pub(super) fn take(&mut self) -> Vec<Batch> {
        let all = [&mut self.nodes, &mut self.edges, &mut self.figures];
        all.into_iter()
            .flatten()
            .filter(|rows| !rows.is_empty())
            .map(|rows| rows.finish(Delivery::nobody()))
            .collect()
    }

    pub(super) fn node(&mut self, node: &Node, time: UnixNanos) {
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

    pub(super) fn edge(&mut self, from: &str, to: &str, edge: &counted::Edge) {
        let Some(rows) = &mut self.edges else { return };
        let cells = [
            (edges::MODE, Cell::Text(edges::mode::OBSERVED)),
            (edges::KIND, Cell::Text(edges::kind::CALLS)),
            (edges::TO, Cell::Text(to)),
            (edges::CONFIDENCE, Cell::Float(edge.confidence)),
        ];
        let time = UnixNanos(edge.newest);
        rows.push(Some(time), Some(from), &self.source, &cells);
    }

    pub(super) fn figures(&mut self, from: &str, to: &str, cell: &counted::Cell) {
        let Some(rows) = &mut self.figures else {
            return;
        };
        let cells = [
            (edge_stats::KIND, Cell::Text(edges::kind::CALLS)),
            (edge_stats::TO, Cell::Text(to)),
            (
                edge_stats::CONNECTION_TYPE,
                Cell::Text(cell.connection.name()),
            ),
            (edge_stats::WRITER, Cell::Text(&cell.writer)),
            (edge_stats::CHUNK, Cell::UInt(u64::from(cell.chunk))),
            (edge_stats::CALLS, Cell::UInt(cell.calls)),
            (edge_stats::ERRORS, Cell::UInt(cell.errors)),
            (edge_stats::DURATION_SUM, Cell::Float(cell.sum as f64 / 1e9)),
            (edge_stats::DURATION_MAX, Cell::Float(cell.max as f64 / 1e9)),
            (edge_stats::DURATION_SCALE, Cell::Int(i64::from(SCALE))),
            (
                edge_stats::DURATION_OFFSET,
                Cell::Int(i64::from(cell.buckets.offset)),
            ),
            (
                edge_stats::DURATION_COUNTS,
                Cell::UInts(&cell.buckets.counts),
            ),
        ];
        rows.push(Some(cell.time()), Some(from), &self.source, &cells);
    }
}
