//! The columns of `metrics` while they grow.

use std::sync::Arc;

use arrow_array::types::{Float64Type, Int32Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StructArray};
use arrow_buffer::{Buffer, NullBufferBuilder};
use bytes::Bytes;

use super::super::columns::{
    Ids, Nullable, Side, bytes, list, nullable_numbers, numbers, texts, times, words,
};
use super::super::context::{Context, opening};
use super::super::{item_of, struct_fields};
use super::point::Point;
use super::{TYPES, Type};
use crate::Signal;
use crate::schema::metrics;

/// A list column: its items, and where each row's end.
pub(super) struct Lists<T> {
    pub(super) values: Vec<T>,
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl<T> Lists<T> {
    fn new() -> Lists<T> {
        Lists {
            values: Vec::new(),
            ends: vec![0],
            nulls: NullBufferBuilder::new(0),
        }
    }

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

pub(super) struct Exemplars {
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
    pub(super) attributes: Vec<u128>,
    pub(super) time: Vec<u64>,
    pub(super) double: Nullable<f64>,
    pub(super) int: Nullable<i64>,
    pub(super) span_id: Ids,
    pub(super) trace_id: Ids,
}

pub(super) struct Points {
    name: Vec<u128>,
    description: Vec<u128>,
    unit: Vec<u128>,
    metadata: Vec<u128>,
    types: Vec<i32>,
    temporality: Nullable<i32>,
    is_monotonic: Nullable<bool>,
    start: Vec<u64>,
    time: Vec<u64>,
    flags: Vec<u32>,
    attributes: Vec<u128>,
    double: Nullable<f64>,
    int: Nullable<i64>,
    count: Nullable<u64>,
    sum: Nullable<f64>,
    min: Nullable<f64>,
    max: Nullable<f64>,
    pub(super) bucket_counts: Lists<u64>,
    pub(super) explicit_bounds: Lists<f64>,
    scale: Nullable<i32>,
    zero_count: Nullable<u64>,
    zero_threshold: Nullable<f64>,
    positive_offset: Nullable<i32>,
    pub(super) positive_counts: Lists<u64>,
    negative_offset: Nullable<i32>,
    pub(super) negative_counts: Lists<u64>,
    pub(super) quantiles: Lists<(f64, f64)>,
    pub(super) exemplars: Exemplars,
}

impl Points {
    pub(super) fn new() -> Points {
        Points {
            name: Vec::new(),
            description: Vec::new(),
            unit: Vec::new(),
            metadata: Vec::new(),
            types: Vec::new(),
            temporality: Nullable::new(),
            is_monotonic: Nullable::new(),
            start: Vec::new(),
            time: Vec::new(),
            flags: Vec::new(),
            attributes: Vec::new(),
            double: Nullable::new(),
            int: Nullable::new(),
            count: Nullable::new(),
            sum: Nullable::new(),
            min: Nullable::new(),
            max: Nullable::new(),
            bucket_counts: Lists::new(),
            explicit_bounds: Lists::new(),
            scale: Nullable::new(),
            zero_count: Nullable::new(),
            zero_threshold: Nullable::new(),
            positive_offset: Nullable::new(),
            positive_counts: Lists::new(),
            negative_offset: Nullable::new(),
            negative_counts: Lists::new(),
            quantiles: Lists::new(),
            exemplars: Exemplars {
                ends: vec![0],
                nulls: NullBufferBuilder::new(0),
                attributes: Vec::new(),
                time: Vec::new(),
                double: Nullable::new(),
                int: Nullable::new(),
                span_id: Ids::new(8),
                trace_id: Ids::new(16),
            },
        }
    }

    pub(super) fn len(&self) -> usize {
        self.time.len()
    }

    /// Ends a row: what is its own.
    pub(super) fn push(&mut self, point: &Point, attributes: u128, data_type: Type) {
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
        self.bucket_counts.end_row(data_type == Type::Histogram);
        self.explicit_bounds.end_row(data_type == Type::Histogram);
        self.scale.push(point.scale);
        self.zero_count.push(point.zero_count);
        self.zero_threshold.push(point.zero_threshold);
        self.positive_offset.push(point.positive_offset);
        self.positive_counts
            .end_row(point.positive_offset.is_some());
        self.negative_offset.push(point.negative_offset);
        self.negative_counts
            .end_row(point.negative_offset.is_some());
        self.quantiles.end_row(data_type == Type::Summary);
        self.exemplars.ends.push(self.exemplars.time.len() as i32);
        if data_type == Type::Summary {
            self.exemplars.nulls.append_null();
        } else {
            self.exemplars.nulls.append_non_null();
        }
    }

    /// Repeats a metric for its rows.
    pub(super) fn metric(
        &mut self,
        [name, description, unit, metadata]: [u128; 4],
        data_type: Type,
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
        let has_temporality = !matches!(data_type, Type::Gauge | Type::Summary);
        self.temporality
            .repeat(has_temporality.then_some(temporality), rows);
        self.is_monotonic
            .repeat((data_type == Type::Sum).then_some(is_monotonic), rows);
    }

    /// The batch's rows.
    pub(super) fn finish(
        mut self,
        side: Side,
        context: Context,
        request: &Bytes,
        source: &str,
    ) -> RecordBatch {
        let rows = self.len();
        let buffers = &side.buffers(Buffer::from(request.clone()));
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
            .expect("the columns are the schema's, all of one length")
    }
}

impl Exemplars {
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
