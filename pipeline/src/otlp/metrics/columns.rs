//! The columns of `metrics` while a request is decoded.

use std::sync::Arc;

use arrow_array::types::{Float64Type, Int32Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StructArray};
use arrow_buffer::{Buffer, NullBufferBuilder};
use bytes::Bytes;

use super::{MetricType, TYPES};
use crate::Signal;
use crate::otlp::columns::{
    IdColumn, NullableColumn, ViewBuffers, bytes, list, nullable_numbers, numbers, texts, times,
    words,
};
use crate::otlp::context::{ContextColumns, opening};
use crate::otlp::{item_of, struct_fields};
use crate::schema::metrics;

/// A list column: its items, and the end of each row's items.
pub(super) struct ListColumn<T> {
    pub(super) values: Vec<T>,
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl<T> ListColumn<T> {
    fn new() -> ListColumn<T> {
        ListColumn {
            values: Vec::new(),
            ends: vec![0],
            nulls: NullBufferBuilder::new(0),
        }
    }

    /// Ends the list of a row. The list is null if it is not `present`.
    fn end_row(&mut self, present: bool) {
        self.ends.push(self.values.len() as i32);
        if present {
            self.nulls.append_non_null()
        } else {
            self.nulls.append_null()
        }
    }

    fn finish(mut self, column: &str, items: impl FnOnce(Vec<T>) -> ArrayRef) -> ArrayRef {
        let nulls = self.nulls.finish();
        list(
            &item_of(Signal::Metrics, column),
            self.ends,
            items(self.values),
            nulls,
        )
    }
}

/// The exemplars of all points.
pub(super) struct ExemplarColumns {
    /// The end of each point's exemplars.
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
    pub(super) attributes: Vec<u128>,
    pub(super) time: Vec<u64>,
    pub(super) double: NullableColumn<f64>,
    pub(super) int: NullableColumn<i64>,
    pub(super) span_id: IdColumn,
    pub(super) trace_id: IdColumn,
}

/// The singular fields of points of all types.
#[derive(Default)]
pub(super) struct PointFields {
    pub(super) start: u64,
    pub(super) time: u64,
    pub(super) flags: u32,
    pub(super) double: Option<f64>,
    pub(super) int: Option<i64>,
    pub(super) count: Option<u64>,
    pub(super) sum: Option<f64>,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
    pub(super) scale: Option<i32>,
    pub(super) zero_count: Option<u64>,
    pub(super) zero_threshold: Option<f64>,
    pub(super) positive_offset: Option<i32>,
    pub(super) negative_offset: Option<i32>,
}

/// The columns of all points. Readers append the items of lists directly.
pub(super) struct PointColumns {
    name: Vec<u128>,
    description: Vec<u128>,
    unit: Vec<u128>,
    metadata: Vec<u128>,
    types: Vec<i32>,
    temporality: NullableColumn<i32>,
    is_monotonic: NullableColumn<bool>,
    start: Vec<u64>,
    time: Vec<u64>,
    flags: Vec<u32>,
    attributes: Vec<u128>,
    double: NullableColumn<f64>,
    int: NullableColumn<i64>,
    count: NullableColumn<u64>,
    sum: NullableColumn<f64>,
    min: NullableColumn<f64>,
    max: NullableColumn<f64>,
    pub(super) bucket_counts: ListColumn<u64>,
    pub(super) explicit_bounds: ListColumn<f64>,
    scale: NullableColumn<i32>,
    zero_count: NullableColumn<u64>,
    zero_threshold: NullableColumn<f64>,
    positive_offset: NullableColumn<i32>,
    pub(super) positive_counts: ListColumn<u64>,
    negative_offset: NullableColumn<i32>,
    pub(super) negative_counts: ListColumn<u64>,
    pub(super) quantiles: ListColumn<(f64, f64)>,
    pub(super) exemplars: ExemplarColumns,
}

impl PointColumns {
    pub(super) fn new() -> PointColumns {
        PointColumns {
            name: Vec::new(),
            description: Vec::new(),
            unit: Vec::new(),
            metadata: Vec::new(),
            types: Vec::new(),
            temporality: NullableColumn::new(),
            is_monotonic: NullableColumn::new(),
            start: Vec::new(),
            time: Vec::new(),
            flags: Vec::new(),
            attributes: Vec::new(),
            double: NullableColumn::new(),
            int: NullableColumn::new(),
            count: NullableColumn::new(),
            sum: NullableColumn::new(),
            min: NullableColumn::new(),
            max: NullableColumn::new(),
            bucket_counts: ListColumn::new(),
            explicit_bounds: ListColumn::new(),
            scale: NullableColumn::new(),
            zero_count: NullableColumn::new(),
            zero_threshold: NullableColumn::new(),
            positive_offset: NullableColumn::new(),
            positive_counts: ListColumn::new(),
            negative_offset: NullableColumn::new(),
            negative_counts: ListColumn::new(),
            quantiles: ListColumn::new(),
            exemplars: ExemplarColumns {
                ends: vec![0],
                nulls: NullBufferBuilder::new(0),
                attributes: Vec::new(),
                time: Vec::new(),
                double: NullableColumn::new(),
                int: NullableColumn::new(),
                span_id: IdColumn::new(8),
                trace_id: IdColumn::new(16),
            },
        }
    }

    pub(super) fn len(&self) -> usize {
        self.time.len()
    }

    /// Ends the row of a point: appends its fields and ends its lists.
    pub(super) fn push(&mut self, point: &PointFields, attributes: u128, data_type: MetricType) {
        self.start.push(point.start);
        self.time.push(point.time);
        self.flags.push(point.flags);
        self.attributes.push(attributes);
        self.double.push(point.double);
        self.int.push(point.int);
        self.count.push(point.count);
        self.sum.push(point.sum);
        self.min.push(point.min);
        self.max.push(point.max);
        self.bucket_counts
            .end_row(data_type == MetricType::Histogram);
        self.explicit_bounds
            .end_row(data_type == MetricType::Histogram);
        self.scale.push(point.scale);
        self.zero_count.push(point.zero_count);
        self.zero_threshold.push(point.zero_threshold);
        self.positive_offset.push(point.positive_offset);
        self.positive_counts
            .end_row(point.positive_offset.is_some());
        self.negative_offset.push(point.negative_offset);
        self.negative_counts
            .end_row(point.negative_offset.is_some());
        self.quantiles.end_row(data_type == MetricType::Summary);
        self.exemplars.ends.push(self.exemplars.time.len() as i32);
        if data_type == MetricType::Summary {
            self.exemplars.nulls.append_null();
        } else {
            self.exemplars.nulls.append_non_null();
        }
    }

    /// Appends the fields of a metric for each of its `rows` rows.
    pub(super) fn metric(
        &mut self,
        [name, description, unit, metadata]: [u128; 4],
        data_type: MetricType,
        temporality: i32,
        is_monotonic: bool,
        rows: usize,
    ) {
        let total = self.name.len() + rows;
        self.name.resize(total, name);
        self.description.resize(total, description);
        self.unit.resize(total, unit);
        self.metadata.resize(total, metadata);
        self.types.resize(total, data_type as i32);
        let has_temporality = !matches!(data_type, MetricType::Gauge | MetricType::Summary);
        self.temporality
            .repeat(has_temporality.then_some(temporality), rows);
        self.is_monotonic
            .repeat((data_type == MetricType::Sum).then_some(is_monotonic), rows);
    }

    /// Makes the rows of the batch.
    pub(super) fn finish(
        mut self,
        view_buffers: ViewBuffers,
        context: ContextColumns,
        request: &Bytes,
        source: &str,
    ) -> RecordBatch {
        let rows = self.len();
        let buffers = &view_buffers.buffers(Buffer::from(request.clone()));
        let (time, wire_time) = times(self.time);
        let (is_monotonic, monotonic_nulls) = self.is_monotonic.finish();
        let uint64s = |values| numbers::<UInt64Type>(values);
        let quantiles = |values: Vec<(f64, f64)>| -> ArrayRef {
            let (quantiles, values): (Vec<f64>, Vec<f64>) = values.into_iter().unzip();
            let fields = struct_fields(&item_of(Signal::Metrics, metrics::QUANTILE_VALUES));
            let columns = vec![
                numbers::<Float64Type>(quantiles),
                numbers::<Float64Type>(values),
            ];
            Arc::new(StructArray::new(fields, columns, None))
        };
        let mut columns = opening(time, source, rows);
        columns.extend([
            texts(self.name, buffers, None),
            texts(self.description, buffers, None),
            texts(self.unit, buffers, None),
            bytes(self.metadata, buffers, None),
            words(self.types, &TYPES),
            nullable_numbers::<Int32Type>(self.temporality),
            Arc::new(BooleanArray::new(is_monotonic.into(), monotonic_nulls)),
            numbers::<UInt64Type>(self.start),
            wire_time,
            numbers::<UInt32Type>(self.flags),
            bytes(self.attributes, buffers, None),
            nullable_numbers::<Float64Type>(self.double),
            nullable_numbers::<Int64Type>(self.int),
            nullable_numbers::<UInt64Type>(self.count),
            nullable_numbers::<Float64Type>(self.sum),
            nullable_numbers::<Float64Type>(self.min),
            nullable_numbers::<Float64Type>(self.max),
            self.bucket_counts.finish(metrics::BUCKET_COUNTS, uint64s),
            self.explicit_bounds
                .finish(metrics::EXPLICIT_BOUNDS, |values| {
                    numbers::<Float64Type>(values)
                }),
            nullable_numbers::<Int32Type>(self.scale),
            nullable_numbers::<UInt64Type>(self.zero_count),
            nullable_numbers::<Float64Type>(self.zero_threshold),
            nullable_numbers::<Int32Type>(self.positive_offset),
            self.positive_counts
                .finish(metrics::POSITIVE_BUCKET_COUNTS, uint64s),
            nullable_numbers::<Int32Type>(self.negative_offset),
            self.negative_counts
                .finish(metrics::NEGATIVE_BUCKET_COUNTS, uint64s),
            self.quantiles.finish(metrics::QUANTILE_VALUES, quantiles),
            self.exemplars.finish(buffers),
        ]);
        columns.extend(context.finish(buffers));
        RecordBatch::try_new(Signal::Metrics.schema(), columns)
            .expect("the columns are those of the schema and have one length")
    }
}

impl ExemplarColumns {
    fn finish(mut self, buffers: &[Buffer]) -> ArrayRef {
        let item = item_of(Signal::Metrics, metrics::EXEMPLARS);
        let columns = vec![
            bytes(self.attributes, buffers, None),
            numbers::<UInt64Type>(self.time),
            nullable_numbers::<Float64Type>(self.double),
            nullable_numbers::<Int64Type>(self.int),
            self.span_id.finish(),
            self.trace_id.finish(),
        ];
        let items = StructArray::new(struct_fields(&item), columns, None);
        list(&item, self.ends, Arc::new(items), self.nulls.finish())
    }
}
