//! Plans brackets on attributes: `attributes['k'][0]` becomes one call of a getter with the whole path.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawFieldAccessExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, lit};
use pipeline::attributes::AttributesForm;

use super::getter::{getter, text_getter_args};
use super::read::GetterType;

/// Plans an access by brackets to a column of attributes or of values, or to another such access.
#[derive(Debug)]
pub(super) struct AttributeAccessPlanner;

impl ExprPlanner for AttributeAccessPlanner {
    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let RawFieldAccessExpr { expr, field_access } = access;
        let outer_args = text_getter_args(&expr).cloned();
        let mut args = match outer_args {
            Some(args) => args,
            None => {
                let (_, field) = expr.to_field(schema)?;
                if AttributesForm::of(&field).is_some() {
                    vec![expr]
                } else if field.data_type() == &DataType::BinaryView {
                    return plan_err!(
                        "{expr} is not of type attributes: CASE and COALESCE lose that type; \
                         use brackets inside of them, as in coalesce(a['k'], b['k'])"
                    );
                } else {
                    return Ok(PlannerResult::Original(RawFieldAccessExpr {
                        expr,
                        field_access,
                    }));
                }
            }
        };
        args.push(match field_access {
            GetFieldAccess::NamedStructField { name } => lit(name),
            GetFieldAccess::ListIndex { key } => index(*key)?,
            GetFieldAccess::ListRange { .. } => {
                return plan_err!("attributes have no ranges: take one item, as in [0]");
            }
        });
        let call = ScalarFunction::new_udf(getter(GetterType::Text), args);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }
}

/// The literal of an index in brackets.
///
/// # Errors
/// If the key is not an index from 0.
fn index(key: Expr) -> Result<Expr> {
    match key {
        Expr::Literal(ScalarValue::Int64(Some(index)), _) if index >= 0 => Ok(lit(index)),
        Expr::Literal(ScalarValue::UInt64(Some(index)), _) => Ok(lit(index)),
        other => plan_err!(
            "a key of attributes must be a text literal or an index from 0; [{other}] is neither"
        ),
    }
}
