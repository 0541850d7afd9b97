//! The functions that read one value of attributes: as text, as a number, or encoded.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use pipeline::attributes::Form;

use super::path::PathStep;
use super::read;

/// The type as which a value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ReadAs {
    /// Text unchanged, any other type as JSON.
    Text,
    /// A whole number; a double is truncated.
    Int,
    /// A number, whole or not.
    Double,
    Bool,
    /// The encoded `AnyValue` itself.
    Value,
}

/// `f(attributes, 'k', 0, …)`: null if a step is absent or the value is of another type.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Getter {
    kind: ReadAs,
    signature: Signature,
}

static GETTERS: LazyLock<[Arc<ScalarUDF>; 5]> = LazyLock::new(|| {
    [
        ReadAs::Text,
        ReadAs::Int,
        ReadAs::Double,
        ReadAs::Bool,
        ReadAs::Value,
    ]
    .map(|kind| {
        Arc::new(ScalarUDF::from(Getter {
            kind,
            signature: Signature::variadic_any(Volatility::Immutable),
        }))
    })
});

pub(super) fn getter(kind: ReadAs) -> Arc<ScalarUDF> {
    GETTERS[kind as usize].clone()
}

/// The arguments of an expression that reads a value as text, to build a getter of another type.
pub(super) fn as_text_getter(expr: &Expr) -> Option<&Vec<Expr>> {
    let Expr::ScalarFunction(call) = expr else {
        return None;
    };
    let getter = call.func.inner().as_ref() as &dyn std::any::Any;
    let getter = getter.downcast_ref::<Getter>()?;
    (getter.kind == ReadAs::Text).then_some(&call.args)
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
            ReadAs::Text => "attribute_text",
            ReadAs::Int => "attribute_int",
            ReadAs::Double => "attribute_double",
            ReadAs::Bool => "attribute_bool",
            ReadAs::Value => "attribute_value",
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
        if Form::of(attributes).is_none() {
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
            ReadAs::Text => Field::new(self.name(), DataType::Utf8View, true),
            ReadAs::Int => Field::new(self.name(), DataType::Int64, true),
            ReadAs::Double => Field::new(self.name(), DataType::Float64, true),
            ReadAs::Bool => Field::new(self.name(), DataType::Boolean, true),
            ReadAs::Value => Field::new(self.name(), DataType::BinaryView, true)
                .with_metadata(Form::Value.metadata()),
        };
        Ok(Arc::new(field))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(form) = args.arg_fields.first().and_then(|field| Form::of(field)) else {
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
            ColumnarValue::Array(column) => Ok(ColumnarValue::Array(read::column(
                self.kind, form, &column, &path,
            )?)),
            ColumnarValue::Scalar(one) => {
                let found = read::column(self.kind, form, &one.to_array()?, &path)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                    &found, 0,
                )?))
            }
        }
    }
}
