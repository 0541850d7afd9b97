//! `metrics` → metrics with their data points.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, BinaryViewArray, ListArray, StringArray, StringViewArray, TypedDictionaryArray,
};
use arrow_array::{BooleanArray, PrimitiveArray};

use super::context::{same_bytes, same_text};
use super::traces::{items, put_id};
use super::{Items, put};
use crate::Batch;
use crate::schema::metrics as columns;

pub(super) struct Metrics<'a> {
    batch: &'a Batch,
    name: &'a StringViewArray,
    description: &'a StringViewArray,
    unit: &'a StringViewArray,
    metadata: &'a BinaryViewArray,
    types: TypedDictionaryArray<'a, Int32Type, StringArray>,
    temporality: &'a PrimitiveArray<Int32Type>,
    is_monotonic: &'a BooleanArray,
    attributes: &'a BinaryViewArray,
    exemplars: &'a ListArray,
}

impl<'a> Metrics<'a> {
    pub(super) fn of(batch: &'a Batch) -> Metrics<'a> {
        Metrics {
            batch,
            name: batch.text(columns::NAME),
            description: batch.text(columns::DESCRIPTION),
            unit: batch.text(columns::UNIT),
            metadata: batch.bytes(columns::METADATA),
            types: batch.words(columns::TYPE),
            temporality: batch.numbers::<Int32Type>(columns::AGGREGATION_TEMPORALITY),
            is_monotonic: batch.column(columns::IS_MONOTONIC).as_boolean(),
            attributes: batch.bytes(columns::ATTRIBUTES),
            exemplars: batch.column(columns::EXEMPLARS).as_list(),
        }
    }

    fn type_of(&self, row: usize) -> &'a str {
        self.types
            .values()
            .value(self.types.keys().value(row) as usize)
    }

    fn same_metric_until(&self, row: usize, end: usize) -> usize {
        let same = |other: &usize| {
            same_text(self.name, row, *other)
                && same_text(self.description, row, *other)
                && same_text(self.unit, row, *other)
                && same_bytes(self.metadata, row, *other)
                && self.type_of(row) == self.type_of(*other)
                && self.optional(self.temporality, row) == self.optional(self.temporality, *other)
                && self.monotonic(row) == self.monotonic(*other)
        };
        (row + 1..end).find(|other| !same(other)).unwrap_or(end)
    }

    fn monotonic(&self, row: usize) -> bool {
        self.is_monotonic.is_valid(row) && self.is_monotonic.value(row)
    }

    fn optional<T: arrow_array::types::ArrowPrimitiveType>(
        &self,
        column: &PrimitiveArray<T>,
        row: usize,
    ) -> Option<T::Native> {
        column.is_valid(row).then(|| column.value(row))
    }

    fn u64(&self, column: &str, row: usize) -> u64 {
        self.optional(self.batch.numbers::<UInt64Type>(column), row)
            .unwrap_or(0)
    }

    fn f64(&self, column: &str, row: usize) -> Option<f64> {
        self.optional(self.batch.numbers::<Float64Type>(column), row)
    }

    fn put_point(&self, out: &mut Vec<u8>, row: usize) {
        put::fixed64(out, 2, self.u64(columns::START_TIME_UNIX_NANO, row));
        put::fixed64(out, 3, self.u64(columns::TIME_UNIX_NANO, row));
        let flags = u64::from(self.batch.numbers::<UInt32Type>(columns::FLAGS).value(row));
        let attributes = self.attributes.value(row);
        match self.type_of(row) {
            "gauge" | "sum" => {
                if let Some(double) = self.f64(columns::VALUE_DOUBLE, row) {
                    put::always_fixed64(out, 4, double.to_bits());
                }
                if let Some(int) =
                    self.optional(self.batch.numbers::<Int64Type>(columns::VALUE_INT), row)
                {
                    put::always_fixed64(out, 6, int as u64);
                }
                self.put_exemplars(out, 5, row);
                put::run(out, 7, attributes);
                put::uint(out, 8, flags);
            }
            "histogram" => {
                put::fixed64(out, 4, self.u64(columns::COUNT, row));
                self.put_optional(out, 5, columns::SUM, row);
                let counts = self.list::<UInt64Type>(columns::BUCKET_COUNTS, row);
                put::packed_fixed64(out, 6, counts.iter().copied());
                let bounds = self.list::<Float64Type>(columns::EXPLICIT_BOUNDS, row);
                put::packed_fixed64(out, 7, bounds.iter().map(|bound| bound.to_bits()));
                self.put_exemplars(out, 8, row);
                put::run(out, 9, attributes);
                put::uint(out, 10, flags);
                self.put_optional(out, 11, columns::MIN, row);
                self.put_optional(out, 12, columns::MAX, row);
            }
            "exponential_histogram" => {
                put::run(out, 1, attributes);
                put::fixed64(out, 4, self.u64(columns::COUNT, row));
                self.put_optional(out, 5, columns::SUM, row);
                let scale = self.optional(self.batch.numbers::<Int32Type>(columns::SCALE), row);
                put::sint32(out, 6, scale.unwrap_or(0));
                put::fixed64(out, 7, self.u64(columns::ZERO_COUNT, row));
                self.put_buckets(
                    out,
                    8,
                    columns::POSITIVE_OFFSET,
                    columns::POSITIVE_BUCKET_COUNTS,
                    row,
                );
                self.put_buckets(
                    out,
                    9,
                    columns::NEGATIVE_OFFSET,
                    columns::NEGATIVE_BUCKET_COUNTS,
                    row,
                );
                put::uint(out, 10, flags);
                self.put_exemplars(out, 11, row);
                self.put_optional(out, 12, columns::MIN, row);
                self.put_optional(out, 13, columns::MAX, row);
                put::double(
                    out,
                    14,
                    self.f64(columns::ZERO_THRESHOLD, row).unwrap_or(0.0),
                );
            }
            _ => {
                put::fixed64(out, 4, self.u64(columns::COUNT, row));
                put::double(out, 5, self.f64(columns::SUM, row).unwrap_or(0.0));
                let lists = self.batch.column(columns::QUANTILE_VALUES).as_list::<i32>();
                let pairs = lists.values().as_struct();
                for item in items(lists, row) {
                    let mut pair = Vec::new();
                    put::double(
                        &mut pair,
                        1,
                        pairs.column(0).as_primitive::<Float64Type>().value(item),
                    );
                    put::double(
                        &mut pair,
                        2,
                        pairs.column(1).as_primitive::<Float64Type>().value(item),
                    );
                    put::bytes(out, 6, &pair);
                }
                put::run(out, 7, attributes);
                put::uint(out, 8, flags);
            }
        }
    }

    fn put_optional(&self, out: &mut Vec<u8>, number: u32, column: &str, row: usize) {
        if let Some(value) = self.f64(column, row) {
            put::always_fixed64(out, number, value.to_bits());
        }
    }

    fn list<T: arrow_array::types::ArrowPrimitiveType>(
        &self,
        column: &str,
        row: usize,
    ) -> &'a [T::Native] {
        let lists = self.batch.column(column).as_list::<i32>();
        &lists.values().as_primitive::<T>().values()[items(lists, row)]
    }

    fn put_buckets(&self, out: &mut Vec<u8>, number: u32, offset: &str, counts: &str, row: usize) {
        let Some(offset) = self.optional(self.batch.numbers::<Int32Type>(offset), row) else {
            return;
        };
        let mut buckets = Vec::new();
        put::sint32(&mut buckets, 1, offset);
        put::packed_varints(&mut buckets, 2, self.list::<UInt64Type>(counts, row));
        put::bytes(out, number, &buckets);
    }

    fn put_exemplars(&self, out: &mut Vec<u8>, number: u32, row: usize) {
        let all = self.exemplars.values().as_struct();
        for item in items(self.exemplars, row) {
            let mut exemplar = Vec::new();
            put::fixed64(
                &mut exemplar,
                2,
                all.column(1).as_primitive::<UInt64Type>().value(item),
            );
            if let Some(double) = self.optional(all.column(2).as_primitive::<Float64Type>(), item) {
                put::always_fixed64(&mut exemplar, 3, double.to_bits());
            }
            put_id(&mut exemplar, 4, all.column(4).as_fixed_size_binary(), item);
            put_id(&mut exemplar, 5, all.column(5).as_fixed_size_binary(), item);
            if let Some(int) = self.optional(all.column(3).as_primitive::<Int64Type>(), item) {
                put::always_fixed64(&mut exemplar, 6, int as u64);
            }
            put::run(&mut exemplar, 7, all.column(0).as_binary_view().value(item));
            put::bytes(out, number, &exemplar);
        }
    }
}

impl Items for Metrics<'_> {
    fn put(&self, rows: Range<usize>, out: &mut Vec<u8>) {
        let (mut metric, mut data, mut point) = (Vec::new(), Vec::new(), Vec::new());
        let mut row = rows.start;
        while row < rows.end {
            let first = row;
            let end = self.same_metric_until(row, rows.end);
            data.clear();
            while row < end {
                point.clear();
                self.put_point(&mut point, row);
                put::bytes(&mut data, 1, &point);
                row += 1;
            }
            let temporality = self.optional(self.temporality, first).unwrap_or(0);
            put::int32(&mut data, 2, temporality);
            put::uint(&mut data, 3, u64::from(self.monotonic(first)));
            metric.clear();
            put::text(&mut metric, 1, self.name.value(first).as_bytes());
            put::text(&mut metric, 2, self.description.value(first).as_bytes());
            put::text(&mut metric, 3, self.unit.value(first).as_bytes());
            let field = match self.type_of(first) {
                "gauge" => 5,
                "sum" => 7,
                "histogram" => 9,
                "exponential_histogram" => 10,
                _ => 11,
            };
            put::bytes(&mut metric, field, &data);
            put::run(&mut metric, 12, self.metadata.value(first));
            put::bytes(out, 2, &metric);
        }
    }
}
