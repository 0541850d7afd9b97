//! Reads the cells of a column; `None` if the cell is null. [`Batch::text`](super::Batch::text) and the methods beside
//! it look up a column by name, so call them once for all rows of a batch.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Int32Type, TimestampNanosecondType, UInt64Type};
use arrow_array::{
    Array, BinaryViewArray, FixedSizeBinaryArray, ListArray, PrimitiveArray, StringArray,
    StringViewArray, TypedDictionaryArray,
};

use crate::unix_nanos::UnixNanos;

/// A dictionary column of texts.
pub type WordColumn<'a> = TypedDictionaryArray<'a, Int32Type, StringArray>;

/// The text of a row.
#[inline]
pub fn text(column: &StringViewArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

/// The bytes of a row.
#[inline]
pub fn bytes(column: &BinaryViewArray, row: usize) -> Option<&[u8]> {
    column.is_valid(row).then(|| column.value(row))
}

/// The text of a row of a dictionary column.
#[inline]
pub fn word<'a>(column: &WordColumn<'a>, row: usize) -> Option<&'a str> {
    let key = number(column.keys(), row)?;
    Some(column.values().value(usize::try_from(key).ok()?))
}

/// The id of a row.
#[inline]
pub fn id(column: &FixedSizeBinaryArray, row: usize) -> Option<&[u8]> {
    column.is_valid(row).then(|| column.value(row))
}

/// The number of a row.
#[inline]
pub fn number<T: ArrowPrimitiveType>(column: &PrimitiveArray<T>, row: usize) -> Option<T::Native> {
    column.is_valid(row).then(|| column.value(row))
}

/// The time of a row. A time before 1970 reads as 0.
#[inline]
pub fn time(column: &PrimitiveArray<TimestampNanosecondType>, row: usize) -> Option<UnixNanos> {
    let time = number(column, row)?;
    Some(UnixNanos(u64::try_from(time).unwrap_or_default()))
}

/// The list of a row: the items of all rows, and the range of those that belong to this row.
pub fn list(column: &ListArray, row: usize) -> Option<(&dyn Array, Range<usize>)> {
    let offsets = column.value_offsets();
    let range = offsets[row] as usize..offsets[row + 1] as usize;
    let is_valid = column.is_valid(row);
    is_valid.then(|| (column.values().as_ref(), range))
}

/// The unsigned numbers in the list of a row.
pub fn uint64s(column: &ListArray, row: usize) -> Option<&[u64]> {
    let (items, range) = list(column, row)?;
    Some(&items.as_primitive::<UInt64Type>().values()[range])
}

/// The texts in the list of a row, without nulls; empty if the list is null.
pub fn texts(column: &ListArray, row: usize) -> impl Iterator<Item = &str> {
    let items = list(column, row).into_iter();
    items.flat_map(|(items, range)| {
        let items = items.as_string_view();
        range.filter_map(move |item| text(items, item))
    })
}
