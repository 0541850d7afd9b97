//! An analyzer rule that compares a column of values, such as `body`, by its text and not by its encoded
//! bytes.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;
use pipeline::attributes::Form;

use super::getter::{ReadAs, getter};
use super::rewrite::expressions;

/// Runs before type coercion, which would make `body = 'x'` a comparison of bytes.
#[derive(Debug)]
pub(super) struct WholeValues;

impl AnalyzerRule for WholeValues {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        expressions(plan, rewrite)
    }

    fn name(&self) -> &'static str {
        "whole_values"
    }
}

fn rewrite(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let is_compared = match &expr {
        // Logic operators have boolean operands. They are skipped, since a long chain of them is deeply
        // nested.
        Expr::BinaryExpr(binary) => !binary.op.is_logic_operator(),
        Expr::InList(_) | Expr::Between(_) => true,
        _ => false,
    };
    if !is_compared {
        return Ok(Transformed::no(expr));
    }
    expr.map_children(|operand| {
        let (_, field) = operand.to_field(schema)?;
        if Form::of(&field) != Some(Form::Value) {
            return Ok(Transformed::no(operand));
        }
        let read = ScalarFunction::new_udf(getter(ReadAs::Text), vec![operand]);
        Ok(Transformed::yes(Expr::ScalarFunction(read)))
    })
}
