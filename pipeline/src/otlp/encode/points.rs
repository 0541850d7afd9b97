//! Data points: their columns, and how each kind is written.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float64Type, Int32Type, Int64Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, BinaryViewArray, FixedSizeBinaryArray, Float64Array, Int32Array, Int64Array, ListArray,
    PrimitiveArray, UInt32Array, UInt64Array,
};

use super::traces::{items, put_id};
use super::view_bytes;
use super::writer::Writer;
use crate::Batch;
use crate::schema::metrics as columns;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Gauge,
    Sum,
    Histogram,
    ExponentialHistogram,
    Summary,
}

impl Kind {
    /// By the word of the column `type`.
    pub(super) fn of(word: Option<&str>) -> Kind {
        match word {
            Some("gauge") => Kind::Gauge,
            Some("sum") => Kind::Sum,
            Some("histogram") => Kind::Histogram,
            Some("exponential_histogram") => Kind::ExponentialHistogram,
            _ => Kind::Summary,
        }
    }

    /// Where it stands in a `Metric`.
    pub(super) fn field(self) -> u32 {
        match self {
            Kind::Gauge => 5,
            Kind::Sum => 7,
            Kind::Histogram => 9,
            Kind::ExponentialHistogram => 10,
            Kind::Summary => 11,
        }
    }
}

pub(super) struct Points<'a> {
    start: &'a UInt64Array,
    time: &'a UInt64Array,
    flags: &'a UInt32Array,
    attributes: &'a BinaryViewArray,
    value_double: &'a Float64Array,
    value_int: &'a Int64Array,
    count: &'a UInt64Array,
    sum: &'a Float64Array,
    min: &'a Float64Array,
    max: &'a Float64Array,
    bucket_counts: Numbers<'a, UInt64Type>,
    explicit_bounds: Numbers<'a, Float64Type>,
    scale: &'a Int32Array,
    zero_count: &'a UInt64Array,
    zero_threshold: &'a Float64Array,
    positive: Buckets<'a>,
    negative: Buckets<'a>,
    quantiles: Quantiles<'a>,
    exemplars: Exemplars<'a>,
}

/// A column of lists of numbers.
struct Numbers<'a, T: ArrowPrimitiveType> {
    lists: &'a ListArray,
    values: &'a [T::Native],
}

struct Buckets<'a> {
    offset: &'a Int32Array,
    counts: Numbers<'a, UInt64Type>,
}

struct Quantiles<'a> {
    lists: &'a ListArray,
    quantile: &'a Float64Array,
    value: &'a Float64Array,
}

struct Exemplars<'a> {
    lists: &'a ListArray,
    attributes: &'a BinaryViewArray,
    time: &'a UInt64Array,
    value_double: &'a Float64Array,
    value_int: &'a Int64Array,
    span_id: &'a FixedSizeBinaryArray,
    trace_id: &'a FixedSizeBinaryArray,
}

/// Of the fields that most points have, with their keys and lengths; of an exemplar.
const FIXED_ROOM: [usize; 2] = [64, 64];

impl<'a> Points<'a> {
    pub(super) fn of(batch: &'a Batch) -> Points<'a> {
        let buckets = |offset, counts| Buckets {
            offset: batch.numbers::<Int32Type>(offset),
            counts: Numbers::of(batch, counts),
        };
        Points {
            start: batch.numbers::<UInt64Type>(columns::START_TIME_UNIX_NANO),
            time: batch.numbers::<UInt64Type>(columns::TIME_UNIX_NANO),
            flags: batch.numbers::<UInt32Type>(columns::FLAGS),
            attributes: batch.bytes(columns::ATTRIBUTES),
            value_double: batch.numbers::<Float64Type>(columns::VALUE_DOUBLE),
            value_int: batch.numbers::<Int64Type>(columns::VALUE_INT),
            count: batch.numbers::<UInt64Type>(columns::COUNT),
            sum: batch.numbers::<Float64Type>(columns::SUM),
            min: batch.numbers::<Float64Type>(columns::MIN),
            max: batch.numbers::<Float64Type>(columns::MAX),
            bucket_counts: Numbers::of(batch, columns::BUCKET_COUNTS),
            explicit_bounds: Numbers::of(batch, columns::EXPLICIT_BOUNDS),
            scale: batch.numbers::<Int32Type>(columns::SCALE),
            zero_count: batch.numbers::<UInt64Type>(columns::ZERO_COUNT),
            zero_threshold: batch.numbers::<Float64Type>(columns::ZERO_THRESHOLD),
            positive: buckets(columns::POSITIVE_OFFSET, columns::POSITIVE_BUCKET_COUNTS),
            negative: buckets(columns::NEGATIVE_OFFSET, columns::NEGATIVE_BUCKET_COUNTS),
            quantiles: Quantiles::of(batch.column(columns::QUANTILE_VALUES).as_list()),
            exemplars: Exemplars::of(batch.column(columns::EXEMPLARS).as_list()),
        }
    }

    pub(super) fn room(&self) -> usize {
        let [point, exemplar] = FIXED_ROOM;
        let numbers = self.bucket_counts.values.len() + self.explicit_bounds.values.len();
        point * self.time.len()
            + view_bytes(self.attributes.views())
            + 8 * numbers
            + exemplar * self.exemplars.time.len()
            + view_bytes(self.exemplars.attributes.views())
    }

    pub(super) fn put(&self, kind: Kind, row: usize, out: &mut Writer) {
        match kind {
            Kind::Gauge | Kind::Sum => self.put_number(row, out),
            Kind::Histogram => self.put_histogram(row, out),
            Kind::ExponentialHistogram => self.put_exponential_histogram(row, out),
            Kind::Summary => self.put_summary(row, out),
        }
    }

    fn put_number(&self, row: usize, out: &mut Writer) {
        out.uint(8, u64::from(self.flags.value(row)));
        out.run(7, self.attributes.value(row));
        if let Some(int) = valid(self.value_int, row) {
            out.always_fixed64(6, int as u64);
        }
        self.exemplars.put(5, row, out);
        out.optional_double(4, valid(self.value_double, row));
        self.put_times(row, out);
    }

    fn put_histogram(&self, row: usize, out: &mut Writer) {
        out.optional_double(12, valid(self.max, row));
        out.optional_double(11, valid(self.min, row));
        out.uint(10, u64::from(self.flags.value(row)));
        out.run(9, self.attributes.value(row));
        self.exemplars.put(8, row, out);
        out.packed_fixed64(7, self.explicit_bounds.of_row(row), f64::to_le_bytes);
        out.packed_fixed64(6, self.bucket_counts.of_row(row), u64::to_le_bytes);
        out.optional_double(5, valid(self.sum, row));
        out.fixed64(4, valid(self.count, row).unwrap_or(0));
        self.put_times(row, out);
    }

    fn put_exponential_histogram(&self, row: usize, out: &mut Writer) {
        out.double(14, valid(self.zero_threshold, row).unwrap_or(0.0));
        out.optional_double(13, valid(self.max, row));
        out.optional_double(12, valid(self.min, row));
        self.exemplars.put(11, row, out);
        out.uint(10, u64::from(self.flags.value(row)));
        self.negative.put(9, row, out);
        self.positive.put(8, row, out);
        out.fixed64(7, valid(self.zero_count, row).unwrap_or(0));
        out.sint32(6, valid(self.scale, row).unwrap_or(0));
        out.optional_double(5, valid(self.sum, row));
        out.fixed64(4, valid(self.count, row).unwrap_or(0));
        self.put_times(row, out);
        out.run(1, self.attributes.value(row));
    }

    fn put_summary(&self, row: usize, out: &mut Writer) {
        out.uint(8, u64::from(self.flags.value(row)));
        out.run(7, self.attributes.value(row));
        self.quantiles.put(6, row, out);
        out.double(5, valid(self.sum, row).unwrap_or(0.0));
        out.fixed64(4, valid(self.count, row).unwrap_or(0));
        self.put_times(row, out);
    }

    fn put_times(&self, row: usize, out: &mut Writer) {
        out.fixed64(3, self.time.value(row));
        out.fixed64(2, self.start.value(row));
    }
}

#[inline]
fn valid<T: ArrowPrimitiveType>(column: &PrimitiveArray<T>, row: usize) -> Option<T::Native> {
    column.is_valid(row).then(|| column.value(row))
}

impl<'a, T: ArrowPrimitiveType> Numbers<'a, T> {
    fn of(batch: &'a Batch, column: &str) -> Numbers<'a, T> {
        let lists: &ListArray = batch.column(column).as_list();
        Numbers {
            lists,
            values: lists.values().as_primitive::<T>().values(),
        }
    }

    fn of_row(&self, row: usize) -> &'a [T::Native] {
        &self.values[items(self.lists, row)]
    }
}

impl Buckets<'_> {
    fn put(&self, number: u32, row: usize, out: &mut Writer) {
        if let Some(offset) = valid(self.offset, row) {
            out.message(number, |out| {
                out.packed_varints(2, self.counts.of_row(row));
                out.sint32(1, offset);
            });
        }
    }
}

impl<'a> Quantiles<'a> {
    fn of(lists: &'a ListArray) -> Quantiles<'a> {
        let all = lists.values().as_struct();
        Quantiles {
            lists,
            quantile: all.column(0).as_primitive(),
            value: all.column(1).as_primitive(),
        }
    }

    fn put(&self, number: u32, row: usize, out: &mut Writer) {
        for item in items(self.lists, row).rev() {
            out.message(number, |out| {
                out.double(2, self.value.value(item));
                out.double(1, self.quantile.value(item));
            });
        }
    }
}

impl<'a> Exemplars<'a> {
    fn of(lists: &'a ListArray) -> Exemplars<'a> {
        let all = lists.values().as_struct();
        Exemplars {
            lists,
            attributes: all.column(0).as_binary_view(),
            time: all.column(1).as_primitive(),
            value_double: all.column(2).as_primitive(),
            value_int: all.column(3).as_primitive(),
            span_id: all.column(4).as_fixed_size_binary(),
            trace_id: all.column(5).as_fixed_size_binary(),
        }
    }

    fn put(&self, number: u32, row: usize, out: &mut Writer) {
        for item in items(self.lists, row).rev() {
            out.message(number, |out| {
                out.run(7, self.attributes.value(item));
                if let Some(int) = valid(self.value_int, item) {
                    out.always_fixed64(6, int as u64);
                }
                put_id::<16>(out, 5, self.trace_id, item);
                put_id::<8>(out, 4, self.span_id, item);
                out.optional_double(3, valid(self.value_double, item));
                out.fixed64(2, self.time.value(item));
            });
        }
    }
}
