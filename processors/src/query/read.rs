//! Reads one value from the attributes of each row into a column.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, PrimitiveBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, BinaryViewArray};
use datafusion::common::{Result, exec_err};
use pipeline::attributes::{AttributesForm, Value, to_json, value};

use super::path::{PathStep, walk};
use super::views::ViewsBuilder;

/// The type as which a getter reads a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum GetterType {
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

/// The doubles that an int64 can hold, from -2⁶³ to below 2⁶³.
const INT64: Range<f64> = i64::MIN as f64..-(i64::MIN as f64);

/// Reads the value at `path` from each row of a column of this form.
pub(super) fn read_column(
    kind: GetterType,
    form: AttributesForm,
    column: &ArrayRef,
    path: &[PathStep],
) -> Result<ArrayRef> {
    let Some(rows) = column.as_binary_view_opt() else {
        return exec_err!("attributes are of type {}", column.data_type());
    };
    let reader = ValueReader { form, path, rows };
    Ok(match kind {
        GetterType::Text => reader.texts()?,
        GetterType::Value => reader.values()?,
        GetterType::Int => reader.numbers::<Int64Type>(|value| match value {
            Value::Int(int) => Some(int),
            // Rust's cast saturates, so a double outside of int64 becomes null here.
            Value::Double(double) if INT64.contains(&double) => Some(double as i64),
            _ => None,
        }),
        GetterType::Double => reader.numbers::<Float64Type>(|value| match value {
            Value::Int(int) => Some(int as f64),
            Value::Double(double) => Some(double),
            _ => None,
        }),
        GetterType::Bool => reader.bools(),
    })
}

/// Reads the value at one path from each row.
struct ValueReader<'a> {
    form: AttributesForm,
    path: &'a [PathStep],
    rows: &'a BinaryViewArray,
}

impl ValueReader<'_> {
    /// Calls `put` for each row: with the result of `get`, or with `absent` if the value is absent. Rows of one
    /// resource repeat one view, so a row with the view of the previous row gets the same result without a call of
    /// `get`.
    fn each<T: Copy>(
        &self,
        mut get: impl FnMut(usize, &[u8]) -> T,
        absent: T,
        mut put: impl FnMut(T),
    ) {
        let views = self.rows.views();
        let mut last: Option<(u128, T)> = None;
        for row in 0..self.rows.len() {
            if self.rows.is_null(row) {
                put(absent);
                continue;
            }
            let view = views[row];
            let found = match last {
                Some((last_view, found)) if last_view == view => found,
                _ => {
                    let bytes = self.rows.value(row);
                    walk(self.form, bytes, self.path).map_or(absent, |any| get(row, any))
                }
            };
            last = Some((view, found));
            put(found);
        }
    }

    fn numbers<T: ArrowPrimitiveType>(
        &self,
        number: impl Fn(Value<'_>) -> Option<T::Native>,
    ) -> ArrayRef {
        let mut out = PrimitiveBuilder::<T>::with_capacity(self.rows.len());
        self.each(
            |_, any| number(value(any)),
            None,
            |found| out.append_option(found),
        );
        Arc::new(out.finish())
    }

    fn bools(&self) -> ArrayRef {
        let mut out = BooleanBuilder::with_capacity(self.rows.len());
        let bool = |_, any: &[u8]| match value(any) {
            Value::Bool(bool) => Some(bool),
            _ => None,
        };
        self.each(bool, None, |found| out.append_option(found));
        Arc::new(out.finish())
    }

    fn values(&self) -> Result<ArrayRef> {
        let views = ViewsBuilder::sharing(self.rows);
        let mut found_views = Vec::with_capacity(self.rows.len());
        self.each(
            |row, any| Some(views.view_within(row, any)),
            None,
            |found| found_views.push(found),
        );
        Ok(Arc::new(views.binary(found_views)?))
    }

    fn texts(&self) -> Result<ArrayRef> {
        let mut views = ViewsBuilder::sharing(self.rows);
        let mut found_views = Vec::with_capacity(self.rows.len());
        let text = |row, any: &[u8]| match value(any) {
            Value::Empty => None,
            Value::Text(text) => Some(views.view_within(row, text.as_bytes())),
            other => {
                let json = to_json(other);
                let text = match json {
                    serde_json::Value::String(text) => text,
                    json => json.to_string(),
                };
                views.add(text.as_bytes())
            }
        };
        self.each(text, None, |found| found_views.push(found));
        Ok(Arc::new(views.text(found_views)?))
    }
}
