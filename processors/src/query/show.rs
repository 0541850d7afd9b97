//! The functions `to_json(attributes)` and `keys(attributes)`.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringViewBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryViewArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use pipeline::attributes::{AttributesForm, Map, Value, map_to_json, to_json, value};

/// A function that converts attributes or a value to text.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ShowFunction {
    kind: ShowKind,
    signature: Signature,
}

/// The kind of a [`ShowFunction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ShowKind {
    /// The attributes or value as JSON text.
    ToJson,
    /// The keys in order, as a list; null for an array or a scalar.
    Keys,
}

/// The functions of this module.
pub(super) fn functions() -> [ScalarUDF; 2] {
    [ShowKind::ToJson, ShowKind::Keys].map(|kind| {
        ScalarUDF::from(ShowFunction {
            kind,
            signature: Signature::any(1, Volatility::Immutable),
        })
    })
}

impl ScalarUDFImpl for ShowFunction {
    fn name(&self) -> &'static str {
        match self.kind {
            ShowKind::ToJson => "to_json",
            ShowKind::Keys => "keys",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("return_field_from_args is called instead")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let name = self.name();
        match args.arg_fields {
            [attributes] if AttributesForm::of(attributes).is_some() => {}
            [other] => return plan_err!("{name}: {} is not of type attributes", other.name()),
            _ => return plan_err!("{name} takes one argument, attributes"),
        }
        let data_type = match self.kind {
            ShowKind::ToJson => DataType::Utf8View,
            ShowKind::Keys => DataType::List(item()),
        };
        Ok(Arc::new(Field::new(name, data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let form = args
            .arg_fields
            .first()
            .and_then(|field| AttributesForm::of(field));
        let (Some(form), [argument]) = (form, args.args.as_slice()) else {
            return exec_err!("{} takes one argument, attributes", self.name());
        };
        let column = argument.to_array(args.number_rows)?;
        let Some(column) = column.as_binary_view_opt() else {
            return exec_err!(
                "{}: attributes are of type {}",
                self.name(),
                column.data_type()
            );
        };
        Ok(ColumnarValue::Array(match self.kind {
            ShowKind::ToJson => json(form, column),
            ShowKind::Keys => keys(form, column),
        }))
    }
}

/// The field of the items of the list of keys.
fn item() -> FieldRef {
    Arc::new(Field::new("item", DataType::Utf8View, true))
}

fn json(form: AttributesForm, column: &BinaryViewArray) -> ArrayRef {
    let mut out = StringViewBuilder::with_capacity(column.len());
    for bytes in column {
        out.append_option(bytes.map(|bytes| match form {
            AttributesForm::Map => {
                serde_json::Value::Object(map_to_json(Map::new(bytes))).to_string()
            }
            AttributesForm::Value => to_json(value(bytes)).to_string(),
        }));
    }
    Arc::new(out.finish())
}

fn keys(form: AttributesForm, column: &BinaryViewArray) -> ArrayRef {
    let mut out = ListBuilder::new(StringViewBuilder::new()).with_field(item());
    for bytes in column {
        let map = bytes.and_then(|bytes| match form {
            AttributesForm::Map => Some(Map::new(bytes)),
            AttributesForm::Value => match value(bytes) {
                Value::Map(map) => Some(map),
                _ => None,
            },
        });
        for (key, _) in map.into_iter().flat_map(Map::iter) {
            out.values().append_value(key);
        }
        out.append(map.is_some());
    }
    Arc::new(out.finish())
}
