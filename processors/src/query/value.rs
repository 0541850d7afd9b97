//! Encodes a column of values to set them in attributes.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, exec_err, plan_err};
use pipeline::attributes::{AttributesForm, Map, Value, encode_value};

/// How to encode the values of a column as `AnyValue`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ValueEncoding {
    /// The values are already encoded.
    AnyValue,
    /// Attributes become a nested map.
    Map,
    Text,
    Int,
    Double,
    Bool,
    Bytes,
    /// Ids become hexadecimal text.
    Hex,
    Null,
}

/// Values of one type, ready to be encoded.
pub(super) struct AttributeValues {
    encoding: ValueEncoding,
    column: ArrayRef,
}

/// Checks that attributes can hold values of the field's type.
///
/// # Errors
/// A planning error if they cannot.
pub(super) fn check(field: &Field) -> Result<()> {
    match encoding(field) {
        Some(_) => Ok(()),
        None => plan_err!(
            "a value of attributes must be text, a number, a boolean or attributes; {} is {}",
            field.name(),
            field.data_type()
        ),
    }
}

/// How to encode the values of a field; `None` if attributes cannot hold them.
fn encoding(field: &Field) -> Option<ValueEncoding> {
    Some(match (AttributesForm::of(field), field.data_type()) {
        (Some(AttributesForm::Value), _) => ValueEncoding::AnyValue,
        (Some(AttributesForm::Map), _) => ValueEncoding::Map,
        (None, DataType::Null) => ValueEncoding::Null,
        (None, DataType::Boolean) => ValueEncoding::Bool,
        (None, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => ValueEncoding::Text,
        (None, DataType::Dictionary(_, value)) => encoding(&Field::new("", *value.clone(), true))?,
        (None, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64) => {
            ValueEncoding::Text
        }
        (None, DataType::FixedSizeBinary(_)) => ValueEncoding::Hex,
        (None, DataType::Binary | DataType::LargeBinary | DataType::BinaryView) => {
            ValueEncoding::Bytes
        }
        (None, kind) if kind.is_integer() => ValueEncoding::Int,
        (None, kind) if kind.is_floating() || kind.is_decimal() => ValueEncoding::Double,
        _ => return None,
    })
}

impl AttributeValues {
    pub(super) fn new(field: &Field, column: &ArrayRef) -> Result<AttributeValues> {
        let Some(encoding) = encoding(field) else {
            return exec_err!(
                "attributes cannot hold values of type {}",
                field.data_type()
            );
        };
        let column = match encoding {
            ValueEncoding::Text => cast(column, &DataType::Utf8View)?,
            ValueEncoding::Int => cast(column, &DataType::Int64)?,
            ValueEncoding::Double => cast(column, &DataType::Float64)?,
            ValueEncoding::Bool => cast(column, &DataType::Boolean)?,
            ValueEncoding::Bytes => cast(column, &DataType::BinaryView)?,
            _ => column.clone(),
        };
        Ok(AttributeValues { encoding, column })
    }

    /// Appends a row's `AnyValue` and returns true; returns false if the value is null.
    pub(super) fn encode(&self, row: usize, out: &mut Vec<u8>) -> bool {
        let column = &self.column;
        if self.encoding == ValueEncoding::Null || column.is_null(row) {
            return false;
        }
        match self.encoding {
            ValueEncoding::Null => return false,
            ValueEncoding::AnyValue => out.extend_from_slice(column.as_binary_view().value(row)),
            ValueEncoding::Map => {
                let run = column.as_binary_view().value(row);
                encode_value(out, Value::Map(Map::new(run)));
            }
            ValueEncoding::Text => {
                encode_value(out, Value::Text(column.as_string_view().value(row)))
            }
            ValueEncoding::Int => {
                let int = column.as_primitive::<Int64Type>().value(row);
                encode_value(out, Value::Int(int));
            }
            ValueEncoding::Double => {
                let double = column.as_primitive::<Float64Type>().value(row);
                encode_value(out, Value::Double(double));
            }
            ValueEncoding::Bool => encode_value(out, Value::Bool(column.as_boolean().value(row))),
            ValueEncoding::Bytes => {
                encode_value(out, Value::Bytes(column.as_binary_view().value(row)))
            }
            ValueEncoding::Hex => {
                let id = hex::encode(column.as_fixed_size_binary().value(row));
                encode_value(out, Value::Text(&id));
            }
        }
        true
    }
}
