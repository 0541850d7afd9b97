//! Converts the rows of a query to rows of a signal. The columns are checked when the query is planned.

use std::sync::Arc;

use arrow_array::builder::BinaryViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampNanosecondType, UInt64Type};
use arrow_array::{
    Array, ArrayRef, RecordBatch, TimestampNanosecondArray, UInt32Array, UInt64Array,
};
use datafusion::arrow::compute::is_not_null;
use datafusion::arrow::compute::kernels::{take, zip};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::error::ArrowError;
use pipeline::attributes::{Form, MapBuilder};
use pipeline::config::nearest;
use pipeline::rows::Rows;
use pipeline::schema::otlp_context::{RESOURCE_ATTRIBUTES, SERVICE_NAME};
use pipeline::schema::{logs, metrics, opening, traces};
use pipeline::{Delivery, Signal, SignalSet};

use super::fit::{casts, to_type};
use super::mistake::Mistake;
use super::value::{self, AttributeValues};
use super::words::SqlWords;
use crate::service_columns::{FOLLOWING, follow};

/// How to build the columns of a signal from those of a query.
pub(crate) struct SignalOutput {
    into: Signal,
    /// In the signal's order.
    columns: Vec<ColumnSource>,
    /// One row with the empty value of each column; null if the column is nullable.
    empty: RecordBatch,
}

/// What a column of the signal is built from.
enum ColumnSource {
    /// The query's column of this index, unchanged.
    Same(usize),
    /// The query's column of this index, cast; values that cannot be cast are null.
    Cast(usize),
    /// The query's column of this index, each value encoded as `AnyValue`.
    Encoded(usize),
    /// The query does not yield the column.
    Missing,
}

impl SignalOutput {
    /// # Errors
    /// A mistake for each column of the query that the signal does not have, that has a wrong type or a
    /// duplicate name, and for each missing column that the signal requires.
    pub(crate) fn new(
        schema: &Schema,
        into: Signal,
        sql: &str,
    ) -> Result<SignalOutput, Vec<Mistake>> {
        let words = SqlWords::of(sql);
        let place = |name: &str| words.find(name).map_or(0, |word| word.start);
        let wanted = into.schema();
        let mut mistakes = Vec::new();
        for (index, field) in schema.fields().iter().enumerate() {
            let mut before = schema.fields()[..index].iter();
            if before.any(|other| other.name() == field.name()) {
                let name = field.name();
                let message = format!(
                    "the query yields {name:?} twice: leave one of them out, or rename it with AS"
                );
                mistakes.push(Mistake::at(place(name), message));
                continue;
            }
            if wanted.column_with_name(field.name()).is_none() {
                let name = field.name();
                let names = wanted.fields().iter().map(|field| field.name().as_str());
                mistakes.push(Mistake {
                    suggestion: nearest(name, names).map(str::to_owned),
                    ..Mistake::at(place(name), format!("{into} has no column {name:?}"))
                });
            }
        }
        let mut columns = Vec::with_capacity(wanted.fields().len());
        for field in wanted.fields() {
            let Some((index, given)) = schema.column_with_name(field.name()) else {
                if is_needed(field) {
                    let message = format!("{into} needs a column {:?}", field.name());
                    mistakes.push(Mistake::of_all(message));
                }
                columns.push(ColumnSource::Missing);
                continue;
            };
            match fit(given, field, index) {
                Ok(made) => columns.push(made),
                Err(why) => {
                    let name = field.name();
                    mistakes.push(Mistake::at(place(name), format!("{into}.{name} {why}")));
                }
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let mut row = Rows::new(into);
        row.push(None, None, "", &[]);
        Ok(SignalOutput {
            into,
            columns,
            empty: row.finish(Delivery::nobody()).rows().clone(),
        })
    }

    /// Converts rows of the query to rows of the signal. `source` is used if the query yields no column
    /// `source`.
    ///
    /// # Errors
    /// Rows of the query cause none.
    pub(crate) fn rows(
        &self,
        yielded: &RecordBatch,
        source: &str,
    ) -> Result<RecordBatch, ArrowError> {
        let schema = self.into.schema();
        let rows = yielded.num_rows();
        let mut columns = Vec::with_capacity(self.columns.len());
        for (place, (made, field)) in self.columns.iter().zip(schema.fields()).enumerate() {
            let empty = self.empty.column(place);
            let column = match made {
                ColumnSource::Same(index) => yielded.column(*index).clone(),
                ColumnSource::Cast(index) => to_type(yielded.column(*index), field.data_type())?,
                ColumnSource::Encoded(index) => {
                    encoded(yielded.schema_ref().field(*index), yielded.column(*index))?
                }
                ColumnSource::Missing if field.name() == opening::SOURCE => {
                    let text = arrow_array::StringArray::from(vec![source]);
                    repeated(
                        &to_type(&(Arc::new(text) as ArrayRef), field.data_type())?,
                        rows,
                    )?
                }
                ColumnSource::Missing => repeated(empty, rows)?,
            };
            columns.push(match field.is_nullable() || column.null_count() == 0 {
                true => column,
                false => without_nulls(&column, empty)?,
            });
        }
        if SignalSet::TELEMETRY.contains(self.into) {
            self.follow_time(&mut columns);
            self.follow_resource(&mut columns);
        }
        RecordBatch::try_new(schema, columns)
    }

    fn is_missing(&self, name: &str) -> bool {
        self.into
            .schema()
            .column_with_name(name)
            .is_some_and(|(place, _)| matches!(self.columns[place], ColumnSource::Missing))
    }

    fn place(&self, name: &str) -> usize {
        let schema = self.into.schema();
        schema
            .index_of(name)
            .expect("every OTLP signal has the column")
    }

    /// Sets `time` from the OTLP time column, or the other way round, if the query yields only one of them.
    fn follow_time(&self, columns: &mut [ArrayRef]) {
        let wire = match self.into {
            Signal::Traces => traces::START_TIME_UNIX_NANO,
            Signal::Metrics => metrics::TIME_UNIX_NANO,
            _ => logs::TIME_UNIX_NANO,
        };
        let (time_at, wire_at) = (self.place(opening::TIME), self.place(wire));
        match (self.is_missing(opening::TIME), self.is_missing(wire)) {
            (false, true) => {
                let times = columns[time_at].as_primitive::<TimestampNanosecondType>();
                let nanos = times
                    .iter()
                    .map(|time| time.and_then(|time| u64::try_from(time).ok()).unwrap_or(0));
                columns[wire_at] = Arc::new(UInt64Array::from_iter_values(nanos));
            }
            (true, false) => {
                let nanos = columns[wire_at].as_primitive::<UInt64Type>();
                let times = nanos.iter().map(|nanos| {
                    let time = i64::try_from(nanos?).ok()?;
                    (time != 0).then_some(time)
                });
                let times: TimestampNanosecondArray = times.collect();
                columns[time_at] = Arc::new(times.with_timezone("UTC"));
            }
            _ => {}
        }
    }

    /// Sets the service columns from the resource attributes. If the query yields `service_name` without a
    /// resource, sets the resource from the service columns.
    fn follow_resource(&self, columns: &mut [ArrayRef]) {
        let resource_at = self.place(RESOURCE_ATTRIBUTES);
        if self.is_missing(RESOURCE_ATTRIBUTES) {
            if !self.is_missing(SERVICE_NAME) {
                columns[resource_at] = resources(
                    &FOLLOWING.map(|(column, key)| (key, columns[self.place(column)].clone())),
                );
            }
            return;
        }
        let resources = columns[resource_at].clone();
        for (column, key) in FOLLOWING {
            let at = self.place(column);
            if let Some(names) = follow(
                columns[at].as_string_view(),
                key,
                resources.as_binary_view(),
            ) {
                columns[at] = Arc::new(names);
            }
        }
    }
}

/// Whether the query must yield the column: a dictionary column has no empty value. (`source` is known.)
fn is_needed(field: &Field) -> bool {
    let is_word = matches!(field.data_type(), DataType::Dictionary(..));
    is_word && !field.is_nullable() && field.name() != opening::SOURCE
}

fn fit(given: &Field, wanted: &Field, index: usize) -> Result<ColumnSource, String> {
    let (from, to) = (given.data_type(), wanted.data_type());
    match (Form::of(given), Form::of(wanted)) {
        (one, other) if one.is_some() && one == other => return Ok(ColumnSource::Same(index)),
        (None, Some(Form::Map)) if from.is_null() => return Ok(ColumnSource::Missing),
        (_, Some(Form::Map)) => {
            return Err(
                "must be attributes: build them with attributes('k', v, …) or set(…)".to_owned(),
            );
        }
        (_, Some(Form::Value)) if value::check(given).is_ok() => {
            return Ok(ColumnSource::Encoded(index));
        }
        (Some(_), None) if !from.equals_datatype(to) => {
            return Err(format!(
                "is {to}, but the query yields attributes: read one value with brackets"
            ));
        }
        _ => {}
    }
    if from == to {
        return Ok(ColumnSource::Same(index));
    }
    if casts(from, to) {
        return Ok(ColumnSource::Cast(index));
    }
    Err(format!("is {to}, but the query yields {from}: cast it"))
}

/// Repeats the first value of a column for each row.
fn repeated(column: &ArrayRef, rows: usize) -> Result<ArrayRef, ArrowError> {
    if column.is_null(0) {
        return Ok(arrow_array::new_null_array(column.data_type(), rows));
    }
    take::take(column, &UInt32Array::from_value(0, rows), None)
}

fn without_nulls(column: &ArrayRef, empty: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let given = is_not_null(column)?;
    let empty = repeated(empty, column.len())?;
    zip::zip(&given, column, &empty)
}

fn encoded(field: &Field, column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let values = AttributeValues::new(field, column)?;
    let mut out = BinaryViewBuilder::with_capacity(column.len());
    let mut any_value = Vec::new();
    for row in 0..column.len() {
        any_value.clear();
        match values.encode(row, &mut any_value) {
            true => out.append_value(&any_value),
            false => out.append_null(),
        }
    }
    Ok(Arc::new(out.finish()))
}

/// Builds resource attributes from columns of text.
fn resources<const N: usize>(texts: &[(&str, ArrayRef); N]) -> ArrayRef {
    let rows = texts.first().map_or(0, |(_, column)| column.len());
    let mut out = BinaryViewBuilder::with_capacity(rows).with_deduplicate_strings();
    let mut run = MapBuilder::new();
    for row in 0..rows {
        for (key, column) in texts {
            if column.is_valid(row) {
                run.text(key, column.as_string_view().value(row));
            }
        }
        let run = run.finish();
        out.append_option((!run.is_empty()).then_some(run));
    }
    Arc::new(out.finish())
}
