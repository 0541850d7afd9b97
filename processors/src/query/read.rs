//! Reads one value of each row's attributes into a column.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, PrimitiveBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, BinaryViewArray};
use datafusion::common::{Result, exec_err};
use pipeline::attributes::{Form, Value, to_json, value};

use super::getter::Kind;
use super::path::{Step, walk};
use super::views::Views;

/// The doubles that int64 holds, from -2⁶³ up to 2⁶³.
const INT64: Range<f64> = i64::MIN as f64..-(i64::MIN as f64);

/// As many rows as the column has.
pub(super) fn column(kind: Kind, form: Form, column: &ArrayRef, path: &[Step]) -> Result<ArrayRef> {
    let Some(rows) = column.as_binary_view_opt() else {
        return exec_err!("attributes are of type {}", column.data_type());
    };
    let found = Found { form, path, rows };
    Ok(match kind {
        Kind::Text => found.texts()?,
        Kind::Value => found.values()?,
        Kind::Int => found.numbers::<Int64Type>(|value| match value {
            Value::Int(int) => Some(int),
            // A cast of Rust's saturates; what int64 cannot hold is no whole number of ours.
            Value::Double(double) if INT64.contains(&double) => Some(double as i64),
            _ => None,
        }),
        Kind::Double => found.numbers::<Float64Type>(|value| match value {
            Value::Int(int) => Some(int as f64),
            Value::Double(double) => Some(double),
            _ => None,
        }),
        Kind::Bool => found.bools(),
    })
}

struct Found<'a> {
    form: Form,
    path: &'a [Step],
    rows: &'a BinaryViewArray,
}

impl Found<'_> {
    /// Calls `put` for each row. Where a row's view is that of the row before, so is what was found:
    /// a resource's attributes are one view, repeated.
    fn each<T: Copy>(
        &self,
        mut get: impl FnMut(usize, &[u8]) -> T,
        none: T,
        mut put: impl FnMut(T),
    ) {
        let views = self.rows.views();
        let mut last: Option<(u128, T)> = None;
        for row in 0..self.rows.len() {
            if self.rows.is_null(row) {
                put(none);
                continue;
            }
            let view = views[row];
            let found = match last {
                Some((before, found)) if before == view => found,
                _ => {
                    let bytes = self.rows.value(row);
                    walk(self.form, bytes, self.path).map_or(none, |any| get(row, any))
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
        let views = Views::beside(self.rows);
        let mut found_views = Vec::with_capacity(self.rows.len());
        self.each(
            |row, any| Some(views.within(row, any)),
            None,
            |found| found_views.push(found),
        );
        Ok(Arc::new(views.binary(found_views)?))
    }

    fn texts(&self) -> Result<ArrayRef> {
        let mut views = Views::beside(self.rows);
        let mut found_views = Vec::with_capacity(self.rows.len());
        let text = |row, any: &[u8]| match value(any) {
            Value::Empty => None,
            Value::Text(text) => Some(views.within(row, text.as_bytes())),
            other => {
                let json = to_json(other);
                let text = match json {
                    serde_json::Value::String(text) => text,
                    json => json.to_string(),
                };
                views.added(text.as_bytes())
            }
        };
        self.each(text, None, |found| found_views.push(found));
        Ok(Arc::new(views.text(found_views)?))
    }
}
