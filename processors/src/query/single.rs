//! What a good query must not do here: what cannot be run again, and what no batch can answer.

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;
use pipeline::{Signal, SignalSet};

use super::mistake::Mistake;
use super::words::Words;

pub(super) fn refused(plan: &LogicalPlan, text: &str, has_window: bool) -> Vec<Mistake> {
    let words = Words::of(text);
    let place = |keyword: &str| words.find(keyword).map_or(0, |word| word.start);
    let mut mistakes = Vec::new();
    let reads = signals(plan);
    if reads.is_empty() {
        let message = "the query reads no signal, so nothing would make it run";
        mistakes.push(Mistake::of_all(message));
    }
    visit(plan, |node| match node {
        LogicalPlan::RecursiveQuery(_) => {
            let message = "a recursive query cannot be run again on the next batch, and has no bound \
                           in memory: write it without RECURSIVE";
            mistakes.push(Mistake::at(place("recursive"), message));
        }
        LogicalPlan::Join(join) if !has_window => {
            let (left, right) = (signals(&join.left), signals(&join.right));
            let apart = left.intersection(right).is_empty();
            if apart && !left.is_empty() && !right.is_empty() {
                let message = format!(
                    "{left} and {right} never come in one batch: declare a `window` to join them, \
                     which also says how much is held"
                );
                mistakes.push(Mistake::at(place("join"), message));
            }
        }
        _ => {}
    });
    mistakes
}

/// The signals that a plan reads.
fn signals(plan: &LogicalPlan) -> SignalSet {
    let mut found = SignalSet::NONE;
    visit(plan, |node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(signal) = scan.table_name.table().parse::<Signal>()
        {
            found = found.union(SignalSet::of(&[signal]));
        }
    });
    found
}

fn visit(plan: &LogicalPlan, mut look: impl FnMut(&LogicalPlan)) {
    let visited = plan.apply_with_subqueries(|node| {
        look(node);
        Ok(TreeNodeRecursion::Continue)
    });
    visited.expect("looking at a plan does not fail");
}
