//! What a good query must not do here: what cannot be run again, and what no batch can answer.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};
use pipeline::{Signal, SignalSet};

use super::mistake::{Logical, Mistake};
use super::words::Words;

pub(super) fn refused(logical: &Logical, text: &str, has_window: bool) -> Vec<Mistake> {
    let words = Words::of(text);
    let place = |keyword: &str| words.find(keyword).map_or(0, |word| word.start);
    let mut mistakes = Vec::new();
    if signals(&logical.said).is_empty() {
        let message = "the query reads no signal, so nothing would make it run";
        mistakes.push(Mistake::of_all(message));
    }
    // Most subqueries are joins once they are optimized.
    visit(&logical.optimized, |node| match node {
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
        node if !has_window => {
            if let Some((outer, inner)) = asks_another(node) {
                let message = format!(
                    "{outer} and {inner} never come in one batch: declare a `window` to compare \
                     them, which also says how much is held"
                );
                let name = inner.iter().next().map_or("select", Signal::name);
                mistakes.push(Mistake::at(place(name), message));
            }
        }
        _ => {}
    });
    mistakes
}

/// The signals of a step's rows and those of a subquery for one value, where they have none in
/// common.
fn asks_another(node: &LogicalPlan) -> Option<(SignalSet, SignalSet)> {
    let mut asked = SignalSet::NONE;
    let visited = node.apply_expressions(|expr| {
        expr.apply(|expr| {
            if let Expr::ScalarSubquery(subquery) = expr {
                asked = asked.union(signals(&subquery.subquery));
            }
            Ok(TreeNodeRecursion::Continue)
        })
    });
    visited.expect("looking at an expression does not fail");
    let inputs = node.inputs().into_iter();
    let own = inputs.fold(SignalSet::NONE, |all, input| all.union(signals(input)));
    let apart = own.intersection(asked).is_empty();
    (apart && !own.is_empty() && !asked.is_empty()).then_some((own, asked))
}

/// Whether the query yields its rows as they are, all or some, in order.
pub(super) fn only_filters(optimized: &LogicalPlan) -> bool {
    match optimized {
        LogicalPlan::Filter(filter) => only_filters(&filter.input),
        LogicalPlan::TableScan(scan) => {
            let all = scan.source.schema().fields().len();
            let is_all = |columns: &Vec<usize>| columns.iter().copied().eq(0..all);
            scan.projection.as_ref().is_none_or(is_all) && scan.fetch.is_none()
        }
        _ => false,
    }
}

/// The signals that a plan reads.
pub(super) fn signals(plan: &LogicalPlan) -> SignalSet {
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
