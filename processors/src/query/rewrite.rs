//! Rewrites the expressions of a plan. One use is an analyzer rule: it makes comparisons of a column of values, such as
//! `body`, compare its text and not its encoded bytes.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;
use pipeline::attributes::AttributesForm;

use super::getter::getter;
use super::read::GetterType;

/// Rewrites each expression of a plan and of its subqueries, innermost first. `rewrite` gets the schema of the columns
/// that the expression can name. The names of columns do not change.
pub(super) fn rewrite_expressions(
    plan: LogicalPlan,
    rewrite: fn(Expr, &DFSchema) -> Result<Transformed<Expr>>,
) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|plan| {
        let schema = merge_schema(&plan.inputs());
        let names = NamePreserver::new(&plan);
        plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let rewritten = expr.transform_up(|expr| rewrite(expr, &schema))?;
            Ok(rewritten.update_data(|expr| name.restore(expr)))
        })
    })
    .map(|plan| plan.data)
}

/// Makes comparisons read a column of values as text. Runs before type coercion, which would make `body = 'x'` a
/// comparison of bytes.
#[derive(Debug)]
pub(super) struct CompareValuesAsText;

impl AnalyzerRule for CompareValuesAsText {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite_expressions(plan, read_as_text)
    }

    fn name(&self) -> &'static str {
        "compare_values_as_text"
    }
}

fn read_as_text(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let is_compared = match &expr {
        // Logic operators have boolean operands. They are skipped, since a long chain of them is deeply nested.
        Expr::BinaryExpr(binary) => !binary.op.is_logic_operator(),
        Expr::InList(_) | Expr::Between(_) => true,
        _ => false,
    };
    if !is_compared {
        return Ok(Transformed::no(expr));
    }
    expr.map_children(|operand| {
        let (_, field) = operand.to_field(schema)?;
        if AttributesForm::of(&field) != Some(AttributesForm::Value) {
            return Ok(Transformed::no(operand));
        }
        let read = ScalarFunction::new_udf(getter(GetterType::Text), vec![operand]);
        Ok(Transformed::yes(Expr::ScalarFunction(read)))
    })
}
