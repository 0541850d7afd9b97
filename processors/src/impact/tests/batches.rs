//! Batches as other processors emit them.

use pipeline::rows::{Cell, Rows};
use pipeline::schema::{aliases, changes, drift, edges, nodes};
use pipeline::{Batch, Delivery, Signal, uid};

use super::at;

pub(super) const SOURCE: &str = "aws";

/// A whole scan of a scope: rows for each uid with its kind, and the scan completion.
pub(super) fn scan(scope: &str, began: u64, members: &[(&str, &str)]) -> Batch {
    let mut rows = Rows::new(Signal::Nodes);
    for (uid, kind) in members {
        for group in ["lifecycle", "actual"] {
            let cells = [
                (nodes::OP, Cell::Text("observed")),
                (nodes::GROUP, Cell::Text(group)),
                (nodes::SCOPE, Cell::Text(scope)),
                (nodes::STATE, Cell::UInt(7)),
                (nodes::KIND, Cell::Text(kind)),
            ];
            rows.push(Some(at(began)), Some(uid), SOURCE, &cells);
        }
    }
    push_completion(&mut rows, scope, began, members.iter().map(|(uid, _)| *uid));
    rows.finish(Delivery::untracked())
}

/// The completion of a scan that found these uids unchanged.
pub(super) fn scan_completion(scope: &str, began: u64, uids: &[&str]) -> Batch {
    let mut rows = Rows::new(Signal::Nodes);
    push_completion(&mut rows, scope, began, uids.iter().copied());
    rows.finish(Delivery::untracked())
}

fn push_completion<'u>(
    rows: &mut Rows,
    scope: &str,
    began: u64,
    uids: impl Iterator<Item = &'u str>,
) {
    let mut members: Vec<u64> = uids.map(uid::hash).collect();
    members.sort_unstable();
    let states = vec![7; members.len()];
    let cells = [
        (nodes::OP, Cell::Text("scope_complete")),
        (nodes::GROUP, Cell::Text("actual")),
        (nodes::SCOPE, Cell::Text(scope)),
        (nodes::MEMBERS, Cell::UInts(&members)),
        (nodes::MEMBER_STATES, Cell::UInts(&states)),
    ];
    rows.push(Some(at(began)), None, SOURCE, &cells);
}

/// One fact that no scan reports.
pub(super) fn fact(uid: &str, group: &str, op: &str, kind: &str, time: u64) -> Batch {
    let mut rows = Rows::new(Signal::Nodes);
    let cells = [
        (nodes::OP, Cell::Text(op)),
        (nodes::GROUP, Cell::Text(group)),
        (nodes::KIND, Cell::Text(kind)),
    ];
    rows.push(Some(at(time)), Some(uid), "trail", &cells);
    rows.finish(Delivery::untracked())
}

/// A snapshot of the edges of a uid, without a scope.
pub(super) fn edge_snapshot(uid: &str, time: u64, ends: &[(&str, &str)]) -> Batch {
    let mut rows = Rows::new(Signal::Edges);
    let mode = (edges::MODE, Cell::Text("snapshot"));
    if ends.is_empty() {
        rows.push(Some(at(time)), Some(uid), SOURCE, &[mode]);
    }
    for (kind, to) in ends {
        let cells = [
            mode,
            (edges::KIND, Cell::Text(kind)),
            (edges::TO, Cell::Text(to)),
            (edges::CONFIDENCE, Cell::Float(1.0)),
        ];
        rows.push(Some(at(time)), Some(uid), SOURCE, &cells);
    }
    rows.finish(Delivery::untracked())
}

/// Two rows of a scan of a scope for one uid in a state: that the uid exists, and a snapshot with one edge.
pub(super) fn scan_rows(
    scope: &str,
    began: u64,
    (uid, state): (&str, u64),
    to: &str,
) -> [Batch; 2] {
    let row = [
        (nodes::OP, Cell::Text("observed")),
        (nodes::GROUP, Cell::Text("actual")),
        (nodes::SCOPE, Cell::Text(scope)),
        (nodes::SCAN_ID, Cell::Text("scan")),
        (nodes::STATE, Cell::UInt(state)),
        (nodes::KIND, Cell::Text("AWS::EC2::Instance")),
    ];
    let mut reported = Rows::new(Signal::Nodes);
    reported.push(Some(at(began)), Some(uid), SOURCE, &row);
    let snapshot = scan_edges(scope, began, (uid, state), &[("SECURED_BY", to)]);
    [reported.finish(Delivery::untracked()), snapshot]
}

/// The snapshot of edges that a scan of a scope reports for a uid in a state.
pub(super) fn scan_edges(
    scope: &str,
    began: u64,
    (uid, state): (&str, u64),
    ends: &[(&str, &str)],
) -> Batch {
    let mut rows = Rows::new(Signal::Edges);
    for (kind, to) in ends {
        let cells = [
            (edges::MODE, Cell::Text("snapshot")),
            (edges::SCOPE, Cell::Text(scope)),
            (edges::STATE, Cell::UInt(state)),
            (edges::KIND, Cell::Text(kind)),
            (edges::TO, Cell::Text(to)),
            (edges::CONFIDENCE, Cell::Float(1.0)),
        ];
        rows.push(Some(at(began)), Some(uid), SOURCE, &cells);
    }
    rows.finish(Delivery::untracked())
}

/// A lifecycle row of a uid in a scope, such as `deleted` or `released`.
pub(super) fn scope_removal(scope: &str, time: u64, uid: &str, op: &str) -> Batch {
    let mut rows = Rows::new(Signal::Nodes);
    let cells = [
        (nodes::OP, Cell::Text(op)),
        (nodes::GROUP, Cell::Text("lifecycle")),
        (nodes::SCOPE, Cell::Text(scope)),
    ];
    rows.push(Some(at(time)), Some(uid), SOURCE, &cells);
    rows.finish(Delivery::untracked())
}

/// The snapshot of aliases that a scan of a scope reports for a uid in a state.
pub(super) fn scan_aliases(
    scope: &str,
    began: u64,
    (uid, state): (&str, u64),
    (kind, value): (&str, &str),
) -> Batch {
    let mut rows = Rows::new(Signal::Aliases);
    let cells = [
        (aliases::MODE, Cell::Text("snapshot")),
        (aliases::SCOPE, Cell::Text(scope)),
        (aliases::STATE, Cell::UInt(state)),
        (aliases::KIND, Cell::Text(kind)),
        (aliases::VALUE, Cell::Text(value)),
    ];
    rows.push(Some(at(began)), Some(uid), SOURCE, &cells);
    rows.finish(Delivery::untracked())
}

/// An observed edge.
pub(super) fn observed_edge(uid: &str, kind: &str, to: &str, time: u64) -> Batch {
    let mut rows = Rows::new(Signal::Edges);
    let cells = [
        (edges::MODE, Cell::Text("observed")),
        (edges::KIND, Cell::Text(kind)),
        (edges::TO, Cell::Text(to)),
        (edges::CONFIDENCE, Cell::Float(1.0)),
    ];
    rows.push(Some(at(time)), Some(uid), "otlp", &cells);
    rows.finish(Delivery::untracked())
}

/// A snapshot of the aliases of a uid, without a scope.
pub(super) fn alias_snapshot(uid: &str, time: u64, names: &[(&str, &str)]) -> Batch {
    let mut rows = Rows::new(Signal::Aliases);
    let mode = (aliases::MODE, Cell::Text("snapshot"));
    if names.is_empty() {
        rows.push(Some(at(time)), Some(uid), SOURCE, &[mode]);
    }
    for (kind, value) in names {
        let cells = [
            mode,
            (aliases::KIND, Cell::Text(kind)),
            (aliases::VALUE, Cell::Text(value)),
        ];
        rows.push(Some(at(time)), Some(uid), SOURCE, &cells);
    }
    rows.finish(Delivery::untracked())
}

pub(super) fn drift(uids: &[Option<&str>]) -> Batch {
    let mut rows = Rows::new(Signal::Drift);
    for uid in uids {
        let cells = [(drift::KIND, Cell::Text("changed"))];
        rows.push(Some(at(0)), *uid, "drift", &cells);
    }
    rows.finish(Delivery::untracked())
}

/// API calls, each with its uid, its error code, and whether it is read-only.
pub(super) fn changes(calls: &[(&str, Option<&str>, Option<bool>)]) -> Batch {
    let mut rows = Rows::new(Signal::Changes);
    for (uid, error, read_only) in calls {
        let cells = [
            (changes::ID, Cell::Text("e")),
            (changes::EVENT_NAME, Cell::Text("Authorize")),
            (changes::ERROR_CODE, (*error).into()),
            (changes::READ_ONLY, read_only.map_or(Cell::Null, Cell::Bool)),
        ];
        rows.push(Some(at(0)), Some(uid), "trail", &cells);
    }
    rows.finish(Delivery::untracked())
}
