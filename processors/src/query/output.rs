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
use pipeline::attributes::{AttributesForm, MapBuilder};
use pipeline::config::nearest;
use pipeline::rows::Rows;
use pipeline::schema::otlp_context::{RESOURCE_ATTRIBUTES, SERVICE_NAME};
use pipeline::schema::{logs, metrics, opening, traces};
use pipeline::{Delivery, Signal, SignalSet};

use super::cast::{cast_to, is_implicit_cast};
use super::sql_text::{QueryProblem, SqlTokens};
use super::value::{self, AttributeValues};
use crate::service_columns::{SERVICE_COLUMNS, update_from_resources};

/// Builds the columns of a signal from those of a query.
pub(crate) struct SignalOutput {
    into: Signal,
    /// The source of each column, in the order of the signal.
    columns: Vec<ColumnSource>,
    /// One row with the empty value of each column; null if the column is nullable.
    empty: RecordBatch,
}

/// The source of a column of the signal.
enum ColumnSource {
    /// The column of the query with this index, unchanged.
    Same(usize),
    /// The column of the query with this index, cast; values that cannot be cast are null.
    Cast(usize),
    /// The column of the query with this index, each value encoded as `AnyValue`.
    Encoded(usize),
    /// The query does not yield the column.
    Missing,
}

impl SignalOutput {
    /// Checks the columns of a query against those of a signal. `schema` is that of the query.
    ///
    /// # Errors
    /// A problem for each column of the query that the signal does not have, that has a wrong type or a duplicate name,
    /// and for each missing column that the signal requires.
    pub(crate) fn new(
        schema: &Schema,
        into: Signal,
        sql: &str,
    ) -> Result<SignalOutput, Vec<QueryProblem>> {
        let tokens = SqlTokens::of(sql);
        let offset_of = |name: &str| tokens.find(name).map_or(0, |range| range.start);
        let signal_schema = into.schema();
        let mut problems = Vec::new();
        for (index, field) in schema.fields().iter().enumerate() {
            let mut before = schema.fields()[..index].iter();
            if before.any(|other| other.name() == field.name()) {
                let name = field.name();
                let message = format!(
                    "the query yields {name:?} twice: leave one of them out, or rename it with AS"
                );
                problems.push(QueryProblem::at(offset_of(name), message));
                continue;
            }
            if signal_schema.column_with_name(field.name()).is_none() {
                let name = field.name();
                let names = signal_schema
                    .fields()
                    .iter()
                    .map(|field| field.name().as_str());
                problems.push(QueryProblem {
                    suggestion: nearest(name, names).map(str::to_owned),
                    ..QueryProblem::at(offset_of(name), format!("{into} has no column {name:?}"))
                });
            }
        }
        let mut columns = Vec::with_capacity(signal_schema.fields().len());
        for field in signal_schema.fields() {
            let Some((index, given)) = schema.column_with_name(field.name()) else {
                if is_needed(field) {
                    let message = format!("{into} needs a column {:?}", field.name());
                    problems.push(QueryProblem::of_whole_text(message));
                }
                columns.push(ColumnSource::Missing);
                continue;
            };
            match column_source(given, field, index) {
                Ok(source) => columns.push(source),
                Err(reason) => {
                    let name = field.name();
                    let message = format!("{into}.{name} {reason}");
                    problems.push(QueryProblem::at(offset_of(name), message));
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut row = Rows::new(into);
        row.push(None, None, "", &[]);
        Ok(SignalOutput {
            into,
            columns,
            empty: row.finish(Delivery::untracked()).rows().clone(),
        })
    }

    /// Converts rows of the query to rows of the signal. `source` is the source of the rows if the query yields no
    /// column `source`.
    ///
    /// # Errors
    /// No error is expected, since the columns were checked.
    pub(crate) fn rows(
        &self,
        yielded: &RecordBatch,
        source: &str,
    ) -> Result<RecordBatch, ArrowError> {
        let schema = self.into.schema();
        let rows = yielded.num_rows();
        let mut columns = Vec::with_capacity(self.columns.len());
        for (index, (column_source, field)) in self.columns.iter().zip(schema.fields()).enumerate()
        {
            let empty = self.empty.column(index);
            let column = match column_source {
                ColumnSource::Same(index) => yielded.column(*index).clone(),
                ColumnSource::Cast(index) => cast_to(yielded.column(*index), field.data_type())?,
                ColumnSource::Encoded(index) => {
                    encoded(yielded.schema_ref().field(*index), yielded.column(*index))?
                }
                ColumnSource::Missing if field.name() == opening::SOURCE => {
                    let text = arrow_array::StringArray::from(vec![source]);
                    repeated(
                        &cast_to(&(Arc::new(text) as ArrayRef), field.data_type())?,
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
            self.complete_time_columns(&mut columns);
            self.complete_service_columns(&mut columns);
        }
        RecordBatch::try_new(schema, columns)
    }

    fn is_missing(&self, name: &str) -> bool {
        self.into
            .schema()
            .column_with_name(name)
            .is_some_and(|(index, _)| matches!(self.columns[index], ColumnSource::Missing))
    }

    /// The index of a column that every signal of telemetry has.
    fn index_of(&self, name: &str) -> usize {
        let schema = self.into.schema();
        schema
            .index_of(name)
            .expect("every OTLP signal has the column")
    }

    /// If the query yields only one of `time` and the time column of OTLP, sets the other one from it.
    fn complete_time_columns(&self, columns: &mut [ArrayRef]) {
        let wire = match self.into {
            Signal::Traces => traces::START_TIME_UNIX_NANO,
            Signal::Metrics => metrics::TIME_UNIX_NANO,
            _ => logs::TIME_UNIX_NANO,
        };
        let (time_at, wire_at) = (self.index_of(opening::TIME), self.index_of(wire));
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

    /// Sets the service columns from the resource attributes. If the query yields `service_name` but no resource
    /// attributes, sets the resource attributes from the service columns.
    fn complete_service_columns(&self, columns: &mut [ArrayRef]) {
        let resource_at = self.index_of(RESOURCE_ATTRIBUTES);
        if self.is_missing(RESOURCE_ATTRIBUTES) {
            if !self.is_missing(SERVICE_NAME) {
                columns[resource_at] = resources(
                    &SERVICE_COLUMNS
                        .map(|(column, key)| (key, columns[self.index_of(column)].clone())),
                );
            }
            return;
        }
        let resources = columns[resource_at].clone();
        for (column, key) in SERVICE_COLUMNS {
            let at = self.index_of(column);
            if let Some(names) = update_from_resources(
                columns[at].as_string_view(),
                key,
                resources.as_binary_view(),
            ) {
                columns[at] = Arc::new(names);
            }
        }
    }
}

/// Whether the query must yield the column: a dictionary column that is not nullable has no empty value. The processor
/// sets `source` itself.
fn is_needed(field: &Field) -> bool {
    let is_word = matches!(field.data_type(), DataType::Dictionary(..));
    is_word && !field.is_nullable() && field.name() != opening::SOURCE
}

/// How to build the column `field` of the signal from the column `given` of the query, which has this index. An error
/// completes the message `SIGNAL.COLUMN …`.
fn column_source(given: &Field, field: &Field, index: usize) -> Result<ColumnSource, String> {
    let (from, to) = (given.data_type(), field.data_type());
    match (AttributesForm::of(given), AttributesForm::of(field)) {
        (given_form, form) if given_form.is_some() && given_form == form => {
            return Ok(ColumnSource::Same(index));
        }
        (None, Some(AttributesForm::Map)) if from.is_null() => return Ok(ColumnSource::Missing),
        (_, Some(AttributesForm::Map)) => {
            return Err(
                "must be attributes: build them with attributes('k', v, …) or set(…)".to_owned(),
            );
        }
        (_, Some(AttributesForm::Value)) if value::check(given).is_ok() => {
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
    if is_implicit_cast(from, to) {
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

/// Replaces nulls by the first value of `empty`.
fn without_nulls(column: &ArrayRef, empty: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let given = is_not_null(column)?;
    let empty = repeated(empty, column.len())?;
    zip::zip(&given, column, &empty)
}

/// Encodes each value as `AnyValue`.
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
