//! Builds batches as processors emit them.

use pipeline::attributes::MapBuilder;
use pipeline::component::UnixNanos;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{edge_stats, edges, nodes};
use pipeline::{Batch, Delivery, Signal, uid};

pub(super) const SOURCE: &str = "aws";

/// A node that a scan of a scope reports.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScannedNode {
    pub(super) uid: &'static str,
    pub(super) state: u64,
}

/// All rows of a scan of a scope: the scanned nodes, and the scan completion.
pub(super) fn scan_batch(scope: &str, began: u64, scanned: &[ScannedNode]) -> Batch {
    let mut rows = Rows::new(Signal::Nodes);
    for ScannedNode { uid, state } in scanned {
        let value = MapBuilder::new().int("state", *state as i64).finish();
        for group in ["lifecycle", "actual"] {
            let cells = [
                (nodes::OP, Cell::Text("observed")),
                (nodes::GROUP, Cell::Text(group)),
                (nodes::SCOPE, Cell::Text(scope)),
                (nodes::SCAN_ID, Cell::Text("scan")),
                (nodes::STATE, Cell::UInt(*state)),
                (nodes::KIND, Cell::Text("thing")),
                (nodes::NAME, Cell::Text(uid)),
                (nodes::VALUE, Cell::Bytes(&value)),
            ];
            rows.push(Some(UnixNanos(began)), Some(uid), SOURCE, &cells);
        }
    }
    let mut members: Vec<(u64, u64)> = scanned
        .iter()
        .map(|node| (uid::hash(node.uid), node.state))
        .collect();
    members.sort_unstable();
    let (uids, states): (Vec<u64>, Vec<u64>) = members.into_iter().unzip();
    let complete = [
        (nodes::OP, Cell::Text("scope_complete")),
        (nodes::GROUP, Cell::Text("actual")),
        (nodes::SCOPE, Cell::Text(scope)),
        (nodes::MEMBERS, Cell::UInts(&uids)),
        (nodes::MEMBER_STATES, Cell::UInts(&states)),
    ];
    rows.push(Some(UnixNanos(began)), None, SOURCE, &complete);
    rows.finish(Delivery::untracked())
}

/// One row of `nodes` without a scan.
pub(in crate::sqlite) fn node_batch(
    uid: &str,
    group: &str,
    op: &str,
    source: &str,
    name: &str,
    time: u64,
) -> Batch {
    let mut rows = Rows::new(Signal::Nodes);
    let value = MapBuilder::new().text("name", name).finish();
    let cells = [
        (nodes::OP, Cell::Text(op)),
        (nodes::GROUP, Cell::Text(group)),
        (nodes::KIND, Cell::Text("thing")),
        (nodes::NAME, Cell::Text(name)),
        (nodes::VALUE, Cell::Bytes(&value)),
    ];
    rows.push(Some(UnixNanos(time)), Some(uid), source, &cells);
    rows.finish(Delivery::untracked())
}

/// A snapshot: all edges that a source reports for a uid.
pub(super) fn edge_snapshot_batch(
    uid: &str,
    source: &str,
    time: u64,
    targets: &[(&str, &str)],
) -> Batch {
    let mut rows = Rows::new(Signal::Edges);
    let snapshot = [(edges::MODE, Cell::Text("snapshot"))];
    if targets.is_empty() {
        rows.push(Some(UnixNanos(time)), Some(uid), source, &snapshot);
    }
    for (kind, to) in targets {
        let cells = [
            snapshot[0],
            (edges::KIND, Cell::Text(kind)),
            (edges::TO, Cell::Text(to)),
            (edges::CONFIDENCE, Cell::Float(1.0)),
        ];
        rows.push(Some(UnixNanos(time)), Some(uid), source, &cells);
    }
    rows.finish(Delivery::untracked())
}

/// A row of edge statistics: the calls from a to b in a minute, as one writer counted them in one chunk.
pub(super) fn edge_stats_batch(
    minute: u64,
    writer: &str,
    chunk: u64,
    calls: u64,
    errors: u64,
) -> Batch {
    let mut rows = Rows::new(Signal::EdgeStats);
    let counts = [calls];
    let cells = [
        (edge_stats::KIND, Cell::Text("CALLS")),
        (edge_stats::TO, Cell::Text("svc:////b")),
        (edge_stats::CONNECTION_TYPE, Cell::Text("")),
        (edge_stats::WRITER, Cell::Text(writer)),
        (edge_stats::CHUNK, Cell::UInt(chunk)),
        (edge_stats::CALLS, Cell::UInt(calls)),
        (edge_stats::ERRORS, Cell::UInt(errors)),
        (edge_stats::DURATION_SUM, Cell::Float(calls as f64)),
        (edge_stats::DURATION_MAX, Cell::Float(1.0)),
        (edge_stats::DURATION_SCALE, Cell::Int(3)),
        (edge_stats::DURATION_COUNTS, Cell::UInts(&counts)),
    ];
    rows.push(Some(UnixNanos(minute)), Some("svc:////a"), "test", &cells);
    rows.finish(Delivery::untracked())
}
