//! Casts columns to the types of a signal.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, StructArray};
use datafusion::arrow::compute::kernels::{cast, zip};
use datafusion::arrow::compute::{CastOptions, can_cast_types, is_not_null};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::arrow::error::ArrowError;
use datafusion::common::ScalarValue;

/// Whether a column may be cast that the query itself does not cast: only between types of one kind, such as numbers.
pub(super) fn is_implicit_cast(from: &DataType, to: &DataType) -> bool {
    use DataType::{
        Binary, BinaryView, Dictionary, FixedSizeBinary, LargeUtf8, List, Struct, Timestamp, Utf8,
        Utf8View,
    };
    let text = |kind: &DataType| match kind {
        Utf8 | LargeUtf8 | Utf8View => true,
        Dictionary(_, value) => matches!(**value, Utf8 | LargeUtf8 | Utf8View),
        _ => false,
    };
    match (from, to) {
        (from, to) if from == to => true,
        (DataType::Null, _) => true,
        (from, to) if text(from) && text(to) => true,
        (from, to) if from.is_integer() && (to.is_integer() || to.is_floating()) => true,
        (from, to) if from.is_floating() && to.is_floating() => true,
        (from, to) if from.is_decimal() && to.is_floating() => true,
        (Timestamp(..), Timestamp(..)) => true,
        (Binary | BinaryView, FixedSizeBinary(_)) => true,
        (List(from), List(to)) => is_implicit_cast(from.data_type(), to.data_type()),
        (Struct(from), Struct(to)) => to.iter().all(|field| {
            let given = from.iter().find(|given| given.name() == field.name());
            given.is_some_and(|given| is_implicit_cast(given.data_type(), field.data_type()))
        }),
        _ => false,
    }
}

/// Casts a column to a type. Values that the type cannot hold become null.
pub(super) fn cast_to(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    if column.data_type() == to {
        return Ok(column.clone());
    }
    if column.data_type().is_null() {
        return Ok(arrow_array::new_null_array(to, column.len()));
    }
    match to {
        DataType::List(item) if matches!(column.data_type(), DataType::List(_)) => {
            let (_, offsets, values, nulls) = column.as_list::<i32>().clone().into_parts();
            let values = cast_to_field(&values, item)?;
            return Ok(Arc::new(ListArray::try_new(
                item.clone(),
                offsets,
                values,
                nulls,
            )?));
        }
        DataType::Struct(fields) if matches!(column.data_type(), DataType::Struct(_)) => {
            return cast_struct(column.as_struct(), fields);
        }
        _ => {}
    }
    let options = CastOptions {
        safe: true,
        ..CastOptions::default()
    };
    if let DataType::FixedSizeBinary(length) = to {
        let bytes = cast::cast_with_options(column, &DataType::Binary, &options)?;
        let ids = bytes.as_binary::<i32>().iter();
        let ids = ids.map(|id| id.filter(|id| id.len() == *length as usize));
        let ids = arrow_array::FixedSizeBinaryArray::try_from_sparse_iter_with_size(ids, *length)?;
        return Ok(Arc::new(ids));
    }
    if !can_cast_types(column.data_type(), to)
        && let DataType::Dictionary(_, value) = to
    {
        let text = cast::cast_with_options(column, value, &options)?;
        return cast::cast_with_options(&text, to, &options);
    }
    cast::cast_with_options(column, to, &options)
}

/// Casts a struct; fields are matched by name.
fn cast_struct(given: &StructArray, fields: &Fields) -> Result<ArrayRef, ArrowError> {
    let columns = fields.iter().map(|field| {
        let column = given.column_by_name(field.name()).ok_or_else(|| {
            ArrowError::InvalidArgumentError(format!("no field {}", field.name()))
        })?;
        cast_to_field(column, field)
    });
    let columns = columns.collect::<Result<_, _>>()?;
    let nulls = given.nulls().cloned();
    Ok(Arc::new(StructArray::try_new(
        fields.clone(),
        columns,
        nulls,
    )?))
}

/// Casts a column to a field's type. If the field is not nullable, nulls become the type's empty value.
fn cast_to_field(column: &ArrayRef, field: &Field) -> Result<ArrayRef, ArrowError> {
    let column = cast_to(column, field.data_type())?;
    if field.is_nullable() || column.logical_null_count() == 0 {
        return Ok(column);
    }
    if let DataType::Struct(fields) = field.data_type() {
        // The fields of the struct already have their empty values.
        let (_, columns, _) = column.as_struct().clone().into_parts();
        return Ok(Arc::new(StructArray::try_new(
            fields.clone(),
            columns,
            None,
        )?));
    }
    let empty = ScalarValue::new_default(field.data_type())?.to_array_of_size(column.len())?;
    zip::zip(&is_not_null(&column)?, &column, &empty)
}
