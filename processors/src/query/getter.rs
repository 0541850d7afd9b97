//! Functions that read one value of attributes as text, as a number, as a boolean, or encoded.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use pipeline::attributes::AttributesForm;

use super::path::PathStep;
use super::read::{self, GetterType};

/// The function `f(attributes, 'k', 0, …)`. Its result is null if a step is absent or the value is of another type.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Getter {
    kind: GetterType,
    signature: Signature,
}

static GETTERS: LazyLock<[Arc<ScalarUDF>; 5]> = LazyLock::new(|| {
    [
        GetterType::Text,
        GetterType::Int,
        GetterType::Double,
        GetterType::Bool,
        GetterType::Value,
    ]
    .map(|kind| {
        Arc::new(ScalarUDF::from(Getter {
            kind,
            signature: Signature::variadic_any(Volatility::Immutable),
        }))
    })
});

/// The getter of a type.
pub(super) fn getter(kind: GetterType) -> Arc<ScalarUDF> {
    GETTERS[kind as usize].clone()
}

/// The arguments of an expression that is a text getter, to build a getter of another type with them; `None` for any
/// other expression.
pub(super) fn text_getter_args(expr: &Expr) -> Option<&Vec<Expr>> {
    let Expr::ScalarFunction(call) = expr else {
        return None;
    };
    let getter = call.func.inner().as_ref() as &dyn std::any::Any;
    let getter = getter.downcast_ref::<Getter>()?;
    (getter.kind == GetterType::Text).then_some(&call.args)
}

/// The name of a getter's column: `attributes['k'][0]`.
fn in_brackets(args: &[Expr], column: impl Fn(&Expr) -> String) -> String {
    let Some((attributes, path)) = args.split_first() else {
        return String::new();
    };
    let mut name = column(attributes);
    for step in path {
        name.push_str(&match step {
            Expr::Literal(literal, _) => match literal.try_as_str() {
                Some(Some(key)) => format!("['{key}']"),
                _ => format!("[{literal}]"),
            },
            other => format!("[{other}]"),
        });
    }
    name
}

impl ScalarUDFImpl for Getter {
    fn name(&self) -> &'static str {
        match self.kind {
            GetterType::Text => "attribute_text",
            GetterType::Int => "attribute_int",
            GetterType::Double => "attribute_double",
            GetterType::Bool => "attribute_bool",
            GetterType::Value => "attribute_value",
        }
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        Ok(in_brackets(args, |column| column.schema_name().to_string()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("return_field_from_args is called instead")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let Some(attributes) = args.arg_fields.first() else {
            return plan_err!("{} needs attributes and a key", self.name());
        };
        if AttributesForm::of(attributes).is_none() {
            return plan_err!("{} is not of type attributes", attributes.name());
        }
        for step in args.scalar_arguments.iter().skip(1) {
            match step {
                Some(literal) => drop(PathStep::of(literal)?),
                None => {
                    return plan_err!("a key of attributes must be a literal, not an expression");
                }
            }
        }
        let field = match self.kind {
            GetterType::Text => Field::new(self.name(), DataType::Utf8View, true),
            GetterType::Int => Field::new(self.name(), DataType::Int64, true),
            GetterType::Double => Field::new(self.name(), DataType::Float64, true),
            GetterType::Bool => Field::new(self.name(), DataType::Boolean, true),
            GetterType::Value => Field::new(self.name(), DataType::BinaryView, true)
                .with_metadata(AttributesForm::Value.metadata()),
        };
        Ok(Arc::new(field))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(form) = args
            .arg_fields
            .first()
            .and_then(|field| AttributesForm::of(field))
        else {
            return exec_err!("{}: the argument is not of type attributes", self.name());
        };
        let path = args.args.iter().skip(1).map(|step| match step {
            ColumnarValue::Scalar(literal) => PathStep::of(literal),
            ColumnarValue::Array(_) => exec_err!("a key of attributes must be a literal"),
        });
        let path = path.collect::<Result<Vec<PathStep>>>()?;
        let Some(column) = args.args.into_iter().next() else {
            return exec_err!("{} has no arguments", self.name());
        };
        match column {
            ColumnarValue::Array(column) => Ok(ColumnarValue::Array(read::read_column(
                self.kind, form, &column, &path,
            )?)),
            ColumnarValue::Scalar(scalar) => {
                let found = read::read_column(self.kind, form, &scalar.to_array()?, &path)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                    &found, 0,
                )?))
            }
        }
    }
}
