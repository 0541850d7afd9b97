//! An analyzer rule that gives getters of attributes their types, and makes a value that cannot be cast null instead of
//! failing the batch.

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::functions::core::expr_fn::nullif;
use datafusion::logical_expr::expr::{Between, BinaryExpr, Cast, InList, ScalarFunction, TryCast};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator, lit};
use datafusion::optimizer::AnalyzerRule;
use pipeline::attributes::AttributesForm;

use super::edit;
use super::getter::{getter, text_getter_args};
use super::read::GetterType;
use super::rewrite::rewrite_expressions;

/// Replaces casts. Runs after type coercion, which writes `attributes['n'] >= 500` as `CAST(text AS BIGINT) >= 500`.
///
/// - A cast of a text getter becomes a getter of that type. In a comparison with a whole number it becomes a getter of
///   doubles, so that whole and other numbers compare by value.
/// - A cast of a column of values, such as `body`, becomes a getter of the whole value.
/// - `set` and `attributes` take values with their own types, not as text.
/// - Any other cast that can fail becomes a `TRY_CAST`, which yields null; a division by zero yields null.
#[derive(Debug)]
pub(super) struct TypedGetters;

impl AnalyzerRule for TypedGetters {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite_expressions(plan, rewrite)
    }

    fn name(&self) -> &'static str {
        "typed_getters"
    }
}

fn rewrite(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match expr {
        Expr::Cast(Cast { expr, field }) => cast(*expr, &field, schema),
        Expr::TryCast(TryCast { expr, field }) => cast(*expr, &field, schema),
        Expr::BinaryExpr(binary) if binary.op.supports_propagation() => Ok(comparison(binary)),
        Expr::BinaryExpr(binary) => division(binary, schema),
        Expr::Between(between) => Ok(between_numbers(between)),
        Expr::InList(list) => Ok(in_numbers(list)),
        Expr::ScalarFunction(call) if edit::takes_values(&call) => Ok(take_encoded_values(call)),
        other => Ok(Transformed::no(other)),
    }
}

/// A call of a getter.
fn call(kind: GetterType, args: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(getter(kind), args))
}

/// Replaces a cast of `expr`.
fn cast(expr: Expr, to: &std::sync::Arc<Field>, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let data_type = to.data_type();
    let Some(args) = getter_args(&expr, schema)? else {
        let from = expr.get_type(schema)?;
        let field = to.clone();
        return Ok(if cannot_fail(&from, data_type) {
            Transformed::no(Expr::Cast(Cast::new_from_field(Box::new(expr), field)))
        } else {
            Transformed::yes(Expr::TryCast(TryCast::new_from_field(
                Box::new(expr),
                field,
            )))
        });
    };
    let (kind, yields) = match data_type {
        DataType::Boolean => (GetterType::Bool, DataType::Boolean),
        integer if integer.is_integer() => (GetterType::Int, DataType::Int64),
        number if number.is_floating() || number.is_decimal() => {
            (GetterType::Double, DataType::Float64)
        }
        _ => (GetterType::Text, DataType::Utf8View),
    };
    let read = call(kind, args);
    if *data_type == yields && kind != GetterType::Text {
        return Ok(Transformed::yes(read));
    }
    // A cast to text stays, so that `set` takes the text and not the value.
    Ok(Transformed::yes(Expr::TryCast(TryCast::new_from_field(
        Box::new(read),
        to.clone(),
    ))))
}

/// The arguments of a getter that reads the same value as the expression; `None` if the expression reads no value of
/// attributes.
fn getter_args(expr: &Expr, schema: &DFSchema) -> Result<Option<Vec<Expr>>> {
    if let Some(args) = text_getter_args(expr) {
        return Ok(Some(args.clone()));
    }
    let (_, field) = expr.to_field(schema)?;
    let is_value = AttributesForm::of(&field) == Some(AttributesForm::Value);
    Ok(is_value.then(|| vec![expr.clone()]))
}

/// Whether a cast succeeds for every value.
fn cannot_fail(from: &DataType, to: &DataType) -> bool {
    use DataType::{Dictionary, Int64, LargeUtf8, Null, Timestamp, UInt64, Utf8, Utf8View};
    let text = |kind: &DataType| matches!(kind, Utf8 | LargeUtf8 | Utf8View);
    match (from, to) {
        (Null, _) => true,
        (Dictionary(_, from), to) => cannot_fail(from, to),
        (from, Dictionary(_, to)) => cannot_fail(from, to),
        (from, to) if from == to || text(to) && (text(from) || from.is_numeric()) => true,
        (Timestamp(one, _), Timestamp(other, _)) => one == other,
        (from, to) if from.is_integer() && to.is_floating() => true,
        (from, Int64) if from.is_integer() => !matches!(from, UInt64),
        (from, UInt64) => from.is_unsigned_integer(),
        _ => false,
    }
}

/// A double represents every whole number below this magnitude exactly. So a comparison of doubles with such a number
/// is exact for every int64 and every double.
const EXACT: i64 = 1 << 53;

/// The value of a literal that is a whole number below [`EXACT`] in magnitude.
fn small_integer(expr: &Expr) -> Option<f64> {
    let Expr::Literal(literal, _) = expr else {
        return None;
    };
    let number = match literal {
        ScalarValue::Int8(Some(number)) => i64::from(*number),
        ScalarValue::Int16(Some(number)) => i64::from(*number),
        ScalarValue::Int32(Some(number)) => i64::from(*number),
        ScalarValue::Int64(Some(number)) => *number,
        ScalarValue::UInt8(Some(number)) => i64::from(*number),
        ScalarValue::UInt16(Some(number)) => i64::from(*number),
        ScalarValue::UInt32(Some(number)) => i64::from(*number),
        ScalarValue::UInt64(Some(number)) => i64::try_from(*number).ok()?,
        _ => return None,
    };
    (number.abs() < EXACT).then_some(number as f64)
}

/// The expression that reads the same value as a double; `None` if this expression does not read a whole number.
fn as_double(expr: &Expr) -> Option<Expr> {
    let inner = match expr {
        Expr::TryCast(TryCast { expr, field }) if field.data_type().is_integer() => expr.as_ref(),
        other => other,
    };
    let Expr::ScalarFunction(read) = inner else {
        return None;
    };
    (read.func.as_ref() == getter(GetterType::Int).as_ref())
        .then(|| call(GetterType::Double, read.args.clone()))
}

/// Compares a value of attributes with a whole number as doubles.
fn comparison(binary: BinaryExpr) -> Transformed<Expr> {
    let BinaryExpr { left, op, right } = binary;
    let (left, right) = match (as_double(&left), small_integer(&right)) {
        (Some(read), Some(number)) => (read, lit(number)),
        _ => match (small_integer(&left), as_double(&right)) {
            (Some(number), Some(read)) => (lit(number), read),
            _ => return Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })),
        },
    };
    Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(
        Box::new(left),
        op,
        Box::new(right),
    )))
}

/// Compares a value of attributes with two whole numbers in `BETWEEN` as doubles.
fn between_numbers(between: Between) -> Transformed<Expr> {
    let read = as_double(&between.expr);
    let ends = (small_integer(&between.low), small_integer(&between.high));
    let (Some(read), (Some(low), Some(high))) = (read, ends) else {
        return Transformed::no(Expr::Between(between));
    };
    Transformed::yes(Expr::Between(Between::new(
        Box::new(read),
        between.negated,
        Box::new(lit(low)),
        Box::new(lit(high)),
    )))
}

/// Compares a value of attributes with whole numbers in `IN` as doubles.
fn in_numbers(list: InList) -> Transformed<Expr> {
    let numbers: Option<Vec<f64>> = list.list.iter().map(small_integer).collect();
    let (Some(read), Some(numbers)) = (as_double(&list.expr), numbers) else {
        return Transformed::no(Expr::InList(list));
    };
    let numbers = numbers.into_iter().map(lit).collect();
    Transformed::yes(Expr::InList(InList::new(
        Box::new(read),
        numbers,
        list.negated,
    )))
}

/// Makes a division by an integer or decimal yield null if the divisor is zero.
fn division(binary: BinaryExpr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let divides = matches!(binary.op, Operator::Divide | Operator::Modulo);
    let by_literal = matches!(&*binary.right, Expr::Literal(literal, _)
        if !literal.is_null() && *literal != ScalarValue::new_zero(&literal.data_type())?);
    if !divides || by_literal {
        return Ok(Transformed::no(Expr::BinaryExpr(binary)));
    }
    let kind = binary.right.get_type(schema)?;
    if !kind.is_integer() && !kind.is_decimal() {
        return Ok(Transformed::no(Expr::BinaryExpr(binary)));
    }
    let right = nullif(*binary.right, lit(ScalarValue::new_zero(&kind)?));
    Ok(Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(
        binary.left,
        binary.op,
        Box::new(right),
    ))))
}

/// Replaces text getters among the arguments of `set` and `attributes` by getters of the encoded value.
fn take_encoded_values(mut setting: ScalarFunction) -> Transformed<Expr> {
    let mut changed = false;
    for arg in &mut setting.args {
        if let Some(args) = text_getter_args(arg) {
            *arg = call(GetterType::Value, args.clone());
            changed = true;
        }
    }
    let setting = Expr::ScalarFunction(setting);
    if changed {
        Transformed::yes(setting)
    } else {
        Transformed::no(setting)
    }
}
