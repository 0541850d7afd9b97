//! Builds batches as processors emit them.

use crate::attributes::MapBuilder;
use crate::component::UnixNanos;
use crate::rows::{Cell, Rows};
use crate::schema::{aliases, changes, edges, nodes};
use crate::{Batch, Delivery, Signal, uid};

pub(super) const SOURCE: &str = "aws";

/// A member of a scan.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScanMember {
    pub(super) uid: &'static str,
    pub(super) state: u64,
}

/// The rows of a scan: its members and the completion.
pub(super) fn scan(scope: &str, began: u64, seen: &[ScanMember]) -> Batch {
    let mut rows = Rows::new(Signal::Nodes);
    for ScanMember { uid, state } in seen {
        let value = MapBuilder::new().int("state", *state as i64).finish();
        for group in ["lifecycle", "actual"] {
            let cells = [
                (nodes::OP, Cell::Text("observed")),
                (nodes::GROUP, Cell::Text(group)),
                (nodes::SCOPE, Cell::Text(scope)),
                (nodes::STATE, Cell::UInt(*state)),
                (nodes::KIND, Cell::Text("thing")),
                (nodes::NAME, Cell::Text(uid)),
                (nodes::VALUE, Cell::Bytes(&value)),
            ];
            rows.push(Some(UnixNanos(began)), Some(uid), SOURCE, &cells);
        }
    }
    let mut members: Vec<(u64, u64)> = seen
        .iter()
        .map(|seen| (uid::hash(seen.uid), seen.state))
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

/// A row of a fact that is not part of a scan.
pub(super) fn fact(uid: &str, group: &str, op: &str, source: &str, name: &str, time: u64) -> Batch {
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

/// A snapshot of the edges of a uid.
pub(super) fn edge_snapshot(uid: &str, source: &str, time: u64, ends: &[(&str, &str)]) -> Batch {
    let mut rows = Rows::new(Signal::Edges);
    let mode = (edges::MODE, Cell::Text("snapshot"));
    if ends.is_empty() {
        rows.push(Some(UnixNanos(time)), Some(uid), source, &[mode]);
    }
    for (kind, to) in ends {
        let cells = [
            mode,
            (edges::KIND, Cell::Text(kind)),
            (edges::TO, Cell::Text(to)),
            (edges::CONFIDENCE, Cell::Float(1.0)),
        ];
        rows.push(Some(UnixNanos(time)), Some(uid), source, &cells);
    }
    rows.finish(Delivery::untracked())
}

/// An observed edge.
pub(super) fn observed_edge(uid: &str, kind: &str, to: &str, time: UnixNanos) -> Batch {
    let mut rows = Rows::new(Signal::Edges);
    let cells = [
        (edges::MODE, Cell::Text("observed")),
        (edges::KIND, Cell::Text(kind)),
        (edges::TO, Cell::Text(to)),
        (edges::CONFIDENCE, Cell::Float(0.5)),
    ];
    rows.push(Some(time), Some(uid), "otlp", &cells);
    rows.finish(Delivery::untracked())
}

/// A snapshot of the aliases of a uid.
pub(super) fn alias_snapshot(uid: &str, time: u64, names: &[(&str, &str)]) -> Batch {
    let mut rows = Rows::new(Signal::Aliases);
    for (kind, value) in names {
        let cells = [
            (aliases::MODE, Cell::Text("snapshot")),
            (aliases::KIND, Cell::Text(kind)),
            (aliases::VALUE, Cell::Text(value)),
        ];
        rows.push(Some(UnixNanos(time)), Some(uid), SOURCE, &cells);
    }
    rows.finish(Delivery::untracked())
}

/// A change that an actor made.
pub(super) fn change(id: &str, uid: &str, time: u64) -> Batch {
    let mut rows = Rows::new(Signal::Changes);
    let resources = [uid.to_owned(), "other".to_owned()];
    let cells = [
        (changes::ID, Cell::Text(id)),
        (
            changes::EVENT_NAME,
            Cell::Text("AuthorizeSecurityGroupIngress"),
        ),
        (changes::ACTOR, Cell::Text("eve")),
        (changes::RESOURCES, Cell::Texts(&resources)),
    ];
    rows.push(Some(UnixNanos(time)), Some(uid), "trail", &cells);
    rows.finish(Delivery::untracked())
}
