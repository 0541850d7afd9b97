//! Builds rows like those of the processors `graph`, `identity` and `service_graph`.
//! No other file of the benchmark names a column.

use pipeline::attributes::MapBuilder;
use pipeline::component::UnixNanos;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::resources::op;
use pipeline::schema::{aliases, edge_stats, edges, nodes};
use pipeline::{Batch, Delivery, Signal};

use crate::resource::BenchResource;

/// The source of telemetry.
const SENDER: &str = "otlp";
/// Rows per write, over all signals.
const ROWS: usize = 8192;

/// Buffered rows of the four signals of the graph.
pub(crate) struct RowBuffer([Rows; 4]);

impl RowBuffer {
    pub(crate) fn new() -> RowBuffer {
        let signals = [
            Signal::Nodes,
            Signal::Edges,
            Signal::Aliases,
            Signal::EdgeStats,
        ];
        RowBuffer(signals.map(Rows::new))
    }

    pub(crate) fn rows(&self) -> usize {
        self.0.iter().map(Rows::len).sum()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.rows() >= ROWS
    }

    /// Returns the buffered rows and empties the buffer.
    pub(crate) fn take(&mut self) -> Vec<Batch> {
        let filled = self.0.iter_mut().filter(|rows| !rows.is_empty());
        filled
            .map(|rows| rows.finish(Delivery::untracked()))
            .collect()
    }

    /// Adds the rows of a scanned resource: two facts, a snapshot of its edges and one of its aliases.
    pub(crate) fn resource(&mut self, scope: &str, resource: &BenchResource, time: UnixNanos) {
        let exists = MapBuilder::new().bool("exists", true).finish();
        let facts = [
            (nodes::group::LIFECYCLE, &exists),
            (nodes::group::ACTUAL, &resource.configuration),
        ];
        let (uid, state) = (Some(resource.uid.as_str()), Cell::UInt(resource.state));
        for (group, value) in facts {
            let cells = [
                (nodes::OP, Cell::Text(op::OBSERVED)),
                (nodes::GROUP, Cell::Text(group)),
                (nodes::SCOPE, Cell::Text(scope)),
                (nodes::SCAN_ID, Cell::Text("scan")),
                (nodes::STATE, state),
                (nodes::KIND, Cell::Text(resource.kind)),
                (nodes::NAME, Cell::Text(&resource.name)),
                (nodes::PROVIDER, Cell::Text(resource.provider)),
                (nodes::ACCOUNT, Cell::Text(&resource.account)),
                (nodes::REGION, Cell::Text(resource.region)),
                (nodes::TAGS, Cell::Bytes(&resource.tags)),
                (nodes::VALUE, Cell::Bytes(value)),
            ];
            self.0[0].push(Some(time), uid, resource.source, &cells);
        }
        let targets = resource
            .edges
            .iter()
            .map(|(kind, to)| (Some(*kind), Some(to.as_str())));
        // One row without a target is an empty snapshot.
        let empty = resource.edges.is_empty().then_some((None, None));
        for (kind, to) in targets.chain(empty) {
            let cells = [
                (edges::MODE, Cell::Text(edges::mode::SNAPSHOT)),
                (edges::SCOPE, Cell::Text(scope)),
                (edges::STATE, state),
                (edges::KIND, kind.into()),
                (edges::TO, to.into()),
                (edges::CONFIDENCE, Cell::Float(1.0)),
            ];
            self.0[1].push(Some(time), uid, resource.source, &cells);
        }
        for (kind, value, within) in &resource.aliases {
            let cells = [
                (aliases::MODE, Cell::Text(edges::mode::SNAPSHOT)),
                (aliases::SCOPE, Cell::Text(scope)),
                (aliases::STATE, state),
                (aliases::KIND, Cell::Text(kind)),
                (aliases::VALUE, Cell::Text(value)),
                (aliases::WITHIN, within.as_deref().into()),
            ];
            self.0[2].push(Some(time), uid, resource.source, &cells);
        }
    }

    /// Adds the completion of a scan of the scope that began at `time`. `members` are hashes of uids, and states.
    pub(crate) fn completion(
        &mut self,
        scope: &str,
        source: &str,
        time: UnixNanos,
        mut members: Vec<(u64, u64)>,
    ) {
        members.sort_unstable();
        let (uids, states): (Vec<u64>, Vec<u64>) = members.into_iter().unzip();
        let cells = [
            (nodes::OP, Cell::Text(op::SCOPE_COMPLETE)),
            (nodes::GROUP, Cell::Text(nodes::group::ACTUAL)),
            (nodes::SCOPE, Cell::Text(scope)),
            (nodes::MEMBERS, Cell::UInts(&uids)),
            (nodes::MEMBER_STATES, Cell::UInts(&states)),
        ];
        self.0[0].push(Some(time), None, source, &cells);
    }

    /// Adds a node of telemetry, which reports no lifecycle.
    pub(crate) fn sighting(&mut self, uid: &str, kind: &str, name: &str, time: UnixNanos) {
        let value = MapBuilder::new().text("service.version", "1.42.0").finish();
        let cells = [
            (nodes::OP, Cell::Text(op::OBSERVED)),
            (nodes::GROUP, Cell::Text(nodes::group::TELEMETRY)),
            (nodes::KIND, Cell::Text(kind)),
            (nodes::NAME, Cell::Text(name)),
            (nodes::VALUE, Cell::Bytes(&value)),
        ];
        self.0[0].push(Some(time), Some(uid), SENDER, &cells);
    }

    /// Adds an observed edge of telemetry.
    pub(crate) fn observation(&mut self, from: &str, kind: &str, to: &str, time: UnixNanos) {
        let cells = [
            (edges::MODE, Cell::Text(edges::mode::OBSERVED)),
            (edges::KIND, Cell::Text(kind)),
            (edges::TO, Cell::Text(to)),
            (edges::CONFIDENCE, Cell::Float(1.0)),
        ];
        self.0[1].push(Some(time), Some(from), SENDER, &cells);
    }

    /// Adds the edge statistics of one minute.
    pub(crate) fn calls(&mut self, from: &str, to: &str, minute: UnixNanos) {
        let cells = [
            (edge_stats::KIND, Cell::Text(edges::kind::CALLS)),
            (edge_stats::TO, Cell::Text(to)),
            (edge_stats::WRITER, Cell::Text("5f1c9a3e")),
            (edge_stats::CALLS, Cell::UInt(600)),
            (edge_stats::ERRORS, Cell::UInt(3)),
            (edge_stats::DURATION_SUM, Cell::Float(21.5)),
            (edge_stats::DURATION_MAX, Cell::Float(1.25)),
            (edge_stats::DURATION_SCALE, Cell::Int(3)),
            (edge_stats::DURATION_OFFSET, Cell::Int(-48)),
            (
                edge_stats::DURATION_COUNTS,
                Cell::UInts(&[4, 17, 61, 130, 190, 120, 48, 20, 7, 3]),
            ),
        ];
        self.0[3].push(Some(minute), Some(from), SENDER, &cells);
    }
}
