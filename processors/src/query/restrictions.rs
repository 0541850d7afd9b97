//! Rejects valid SQL that is not supported: recursive queries, and queries over signals that are never in one batch.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};
use pipeline::{Signal, SignalSet};

use super::sql_text::{QueryProblem, SqlTokens};

/// The logical plan of a text, before and after optimization.
pub(super) struct LogicalPlans {
    pub(super) unoptimized: LogicalPlan,
    pub(super) optimized: LogicalPlan,
}

/// Returns a problem for each unsupported part of a query.
pub(super) fn unsupported(
    logical: &LogicalPlans,
    text: &str,
    has_window: bool,
) -> Vec<QueryProblem> {
    let tokens = SqlTokens::of(text);
    let offset_of = |keyword: &str| tokens.find(keyword).map_or(0, |range| range.start);
    let mut problems = Vec::new();
    if signals(&logical.unoptimized).is_empty() {
        let message = "the query reads no signal, so it would never run";
        problems.push(QueryProblem::of_whole_text(message));
    }
    // The optimizer converts most subqueries to joins.
    visit(&logical.optimized, |node| match node {
        LogicalPlan::RecursiveQuery(_) => {
            let message = "a recursive query cannot be run again on the next batch, and its memory is \
                           not bounded: write it without RECURSIVE";
            problems.push(QueryProblem::at(offset_of("recursive"), message));
        }
        LogicalPlan::Join(join) if !has_window => {
            let (left, right) = (signals(&join.left), signals(&join.right));
            let apart = left.intersection(right).is_empty();
            if apart && !left.is_empty() && !right.is_empty() {
                let message = format!(
                    "{left} and {right} are never in one batch: declare a `window` to join them; \
                     it also limits how much is held"
                );
                problems.push(QueryProblem::at(offset_of("join"), message));
            }
        }
        node if !has_window => {
            if let Some((outer, inner)) = compares_apart(node) {
                let message = format!(
                    "{outer} and {inner} are never in one batch: declare a `window` to compare \
                     them; it also limits how much is held"
                );
                let name = inner.iter().next().map_or("select", Signal::name);
                problems.push(QueryProblem::at(offset_of(name), message));
            }
        }
        _ => {}
    });
    problems
}

/// The signals of a step's input rows and those of its scalar subqueries, if both exist and have no signal in common.
fn compares_apart(node: &LogicalPlan) -> Option<(SignalSet, SignalSet)> {
    let mut subquery_signals = SignalSet::NONE;
    let visited = node.apply_expressions(|expr| {
        expr.apply(|expr| {
            if let Expr::ScalarSubquery(subquery) = expr {
                subquery_signals = subquery_signals.union(signals(&subquery.subquery));
            }
            Ok(TreeNodeRecursion::Continue)
        })
    });
    visited.expect("visiting an expression does not fail");
    let inputs = node.inputs().into_iter();
    let input_signals = inputs.fold(SignalSet::NONE, |all, input| all.union(signals(input)));
    let apart = input_signals.intersection(subquery_signals).is_empty();
    (apart && !input_signals.is_empty() && !subquery_signals.is_empty())
        .then_some((input_signals, subquery_signals))
}

/// Whether the query yields all or some of its input rows, unchanged and in order.
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

/// Calls `look` for each step of a plan and of its subqueries.
fn visit(plan: &LogicalPlan, mut look: impl FnMut(&LogicalPlan)) {
    let visited = plan.apply_with_subqueries(|node| {
        look(node);
        Ok(TreeNodeRecursion::Continue)
    });
    visited.expect("visiting a plan does not fail");
}
