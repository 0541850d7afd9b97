//! A column of values that go into attributes.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, exec_err, plan_err};
use pipeline::attributes::{Form, Map, Value, encode_value};

/// How the values of a column become `AnyValue`s.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Encoding {
    /// Are `AnyValue`s already.
    AnyValue,
    /// Attributes become a map within the attributes.
    Map,
    Text,
    Int,
    Double,
    Bool,
    Bytes,
    /// Ids become text in hex.
    Hex,
    Null,
}

/// Values of one type, ready to be encoded.
pub(super) struct Values {
    encoding: Encoding,
    column: ArrayRef,
}

/// # Errors
/// A planning error, where values of the field's type cannot stand in attributes.
pub(super) fn check(field: &Field) -> Result<()> {
    match encoding(field) {
        Some(_) => Ok(()),
        None => plan_err!(
            "a value of attributes is text, a number, a boolean or attributes; {} is {}",
            field.name(),
            field.data_type()
        ),
    }
}

fn encoding(field: &Field) -> Option<Encoding> {
    Some(match (Form::of(field), field.data_type()) {
        (Some(Form::Value), _) => Encoding::AnyValue,
        (Some(Form::Map), _) => Encoding::Map,
        (None, DataType::Null) => Encoding::Null,
        (None, DataType::Boolean) => Encoding::Bool,
        (None, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => Encoding::Text,
        (None, DataType::Dictionary(_, value)) => encoding(&Field::new("", *value.clone(), true))?,
        (None, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64) => Encoding::Text,
        (None, DataType::FixedSizeBinary(_)) => Encoding::Hex,
        (None, DataType::Binary | DataType::LargeBinary | DataType::BinaryView) => Encoding::Bytes,
        (None, kind) if kind.is_integer() => Encoding::Int,
        (None, kind) if kind.is_floating() || kind.is_decimal() => Encoding::Double,
        _ => return None,
    })
}

impl Values {
    pub(super) fn new(field: &Field, column: &ArrayRef) -> Result<Values> {
        let Some(encoding) = encoding(field) else {
            return exec_err!("{} is no value of attributes", field.data_type());
        };
        let column = match encoding {
            Encoding::Text => cast(column, &DataType::Utf8View)?,
            Encoding::Int => cast(column, &DataType::Int64)?,
            Encoding::Double => cast(column, &DataType::Float64)?,
            Encoding::Bool => cast(column, &DataType::Boolean)?,
            Encoding::Bytes => cast(column, &DataType::BinaryView)?,
            _ => column.clone(),
        };
        Ok(Values { encoding, column })
    }

    /// Appends a row's `AnyValue` and returns true; nothing where it is null.
    pub(super) fn encode(&self, row: usize, out: &mut Vec<u8>) -> bool {
        let column = &self.column;
        if self.encoding == Encoding::Null || column.is_null(row) {
            return false;
        }
        match self.encoding {
            Encoding::Null => return false,
            Encoding::AnyValue => out.extend_from_slice(column.as_binary_view().value(row)),
            Encoding::Map => {
                let run = column.as_binary_view().value(row);
                encode_value(out, Value::Map(Map::new(run)));
            }
            Encoding::Text => encode_value(out, Value::Text(column.as_string_view().value(row))),
            Encoding::Int => {
                let int = column.as_primitive::<Int64Type>().value(row);
                encode_value(out, Value::Int(int));
            }
            Encoding::Double => {
                let double = column.as_primitive::<Float64Type>().value(row);
                encode_value(out, Value::Double(double));
            }
            Encoding::Bool => encode_value(out, Value::Bool(column.as_boolean().value(row))),
            Encoding::Bytes => encode_value(out, Value::Bytes(column.as_binary_view().value(row))),
            Encoding::Hex => {
                let id = hex::encode(column.as_fixed_size_binary().value(row));
                encode_value(out, Value::Text(&id));
            }
        }
        true
    }
}
