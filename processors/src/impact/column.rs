//! Fills the column `impact` of `drift` and `changes`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, BinaryViewArray, BooleanArray, StringViewArray};
use pipeline::attributes::map_from_json;
use pipeline::batch::cells;
use pipeline::component::UnixNanos;
use pipeline::impact::WalkLimits;
use pipeline::schema::{changes, drift};
use pipeline::{Batch, Signal};
use serde_json::{Value as Json, json};

use super::graph::ImpactGraph;
use super::reach::reach;

/// The maximum number of nodes in the list `top` of an impact.
const TOP: usize = 10;

/// Fills the column in rows that report a change of a uid that the graph has. Other rows keep their value.
pub(super) fn fill(batch: Batch, graph: &ImpactGraph, limits: WalkLimits, now: UnixNanos) -> Batch {
    let column = match batch.signal() {
        Signal::Drift => drift::IMPACT,
        _ => changes::IMPACT,
    };
    let existing = batch.bytes(column);
    let uids = batch.uid();
    let changed = ChangedRows::of(&batch);
    let mut impacts: HashMap<&str, Option<Vec<u8>>> = HashMap::new();
    let values: BinaryViewArray = (0..batch.num_rows())
        .map(|row| {
            let old = cells::bytes(existing, row).map(<[u8]>::to_vec);
            if uids.is_null(row) || !changed.contains(row) {
                return old;
            }
            let uid = uids.value(row);
            let impact = impacts
                .entry(uid)
                .or_insert_with(|| impact(uid, graph, limits, now));
            impact.clone().or(old)
        })
        .collect();
    batch.with_columns([(column, Arc::new(values) as _)])
}

/// The encoded impact of a change of a uid; `None` if the graph does not have the uid.
fn impact(uid: &str, graph: &ImpactGraph, limits: WalkLimits, now: UnixNanos) -> Option<Vec<u8>> {
    let impact = reach(graph, uid, limits, now)?;
    let top = impact.top(TOP).into_iter().map(|reached| {
        // Four decimals, since people read the score.
        let score = (reached.score * 10_000.0).round() / 10_000.0;
        json!({"uid": reached.node.uid, "kind": reached.kind, "score": score})
    });
    let summary = json!({
        "count": impact.count(),
        "depth": impact.depth(),
        "top": top.collect::<Vec<Json>>(),
        "truncated": impact.is_truncated() || graph.is_incomplete(),
    });
    summary.as_object().map(map_from_json)
}

/// Which rows report a change: all rows of `drift` (`None`), and the rows of `changes` whose call succeeded and is not
/// read-only.
struct ChangedRows<'b>(Option<(&'b StringViewArray, &'b BooleanArray)>);

impl<'b> ChangedRows<'b> {
    fn of(batch: &'b Batch) -> ChangedRows<'b> {
        let is_change = batch.signal() == Signal::Changes;
        ChangedRows(is_change.then(|| {
            let errors = batch.text(changes::ERROR_CODE);
            (errors, batch.column(changes::READ_ONLY).as_boolean())
        }))
    }

    fn contains(&self, row: usize) -> bool {
        let Some((errors, read_only)) = self.0 else {
            return true;
        };
        let only_reads = read_only.is_valid(row) && read_only.value(row);
        errors.is_null(row) && !only_reads
    }
}
