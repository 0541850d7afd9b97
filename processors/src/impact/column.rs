//! The column `impact` of `drift` and of `changes`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, BinaryViewArray, BooleanArray, StringViewArray};
use pipeline::attributes::map_from_json;
use pipeline::component::UnixNanos;
use pipeline::impact::Limits;
use pipeline::schema::{changes, drift};
use pipeline::{Batch, Signal};
use serde_json::{Value as Json, json};

use super::graph::Graph;
use super::reach::reach;

/// Nodes that are told by name.
const TOP: usize = 10;

/// Fills the column where the row's uid is known in the graph.
pub(super) fn fill(batch: Batch, graph: &Graph, limits: Limits, now: UnixNanos) -> Batch {
    let column = match batch.signal() {
        Signal::Drift => drift::IMPACT,
        _ => changes::IMPACT,
    };
    let told = batch.bytes(column);
    let uids = batch.uid();
    let changed = Changed::of(&batch);
    let mut impacts: HashMap<&str, Option<Vec<u8>>> = HashMap::new();
    let values: BinaryViewArray = (0..batch.num_rows())
        .map(|row| {
            let before = told.is_valid(row).then(|| told.value(row).to_vec());
            if uids.is_null(row) || !changed.is_so(row) {
                return before;
            }
            let uid = uids.value(row);
            let impact = impacts
                .entry(uid)
                .or_insert_with(|| impact(uid, graph, limits, now));
            impact.clone().or(before)
        })
        .collect();
    batch.with_columns([(column, Arc::new(values) as _)])
}

fn impact(uid: &str, graph: &Graph, limits: Limits, now: UnixNanos) -> Option<Vec<u8>> {
    let impact = reach(graph, uid, limits, now)?;
    let top = impact.top(TOP).into_iter().map(|reached| {
        // For people: what a float adds beyond is noise.
        let score = (reached.score * 10_000.0).round() / 10_000.0;
        json!({"uid": reached.node.uid, "kind": reached.kind, "score": score})
    });
    let told = json!({
        "count": impact.count(),
        "depth": impact.depth(),
        "top": top.collect::<Vec<Json>>(),
        "truncated": impact.is_truncated() || graph.is_incomplete(),
    });
    told.as_object().map(map_from_json)
}

/// Which rows tell of something that changed: of drift all do.
struct Changed<'b>(Option<(&'b StringViewArray, &'b BooleanArray)>);

impl<'b> Changed<'b> {
    fn of(batch: &'b Batch) -> Changed<'b> {
        let is_change = batch.signal() == Signal::Changes;
        Changed(is_change.then(|| {
            let errors = batch.text(changes::ERROR_CODE);
            (errors, batch.column(changes::READ_ONLY).as_boolean())
        }))
    }

    fn is_so(&self, row: usize) -> bool {
        let Some((errors, read_only)) = self.0 else {
            return true;
        };
        let only_reads = read_only.is_valid(row) && read_only.value(row);
        errors.is_null(row) && !only_reads
    }
}
