//! Encodes data points of each kind.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float64Type, Int32Type, Int64Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    BinaryViewArray, FixedSizeBinaryArray, Float64Array, Int32Array, Int64Array, ListArray,
    UInt32Array, UInt64Array,
};

use super::traces::{items, put_id};
use super::view_bytes;
use super::writer::ReverseWriter;
use crate::Batch;
use crate::batch::cells;
use crate::schema::metrics as columns;

/// The kind of a data point, which is the type of its metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DataPointKind {
    Gauge,
    Sum,
    Histogram,
    ExponentialHistogram,
    Summary,
}

impl DataPointKind {
    /// The kind of a word of the column `type`.
    pub(super) fn of(word: Option<&str>) -> DataPointKind {
        match word {
            Some("gauge") => DataPointKind::Gauge,
            Some("sum") => DataPointKind::Sum,
            Some("histogram") => DataPointKind::Histogram,
            Some("exponential_histogram") => DataPointKind::ExponentialHistogram,
            _ => DataPointKind::Summary,
        }
    }

    /// The number of its field in a `Metric`.
    pub(super) fn field(self) -> u32 {
        match self {
            DataPointKind::Gauge => 5,
            DataPointKind::Sum => 7,
            DataPointKind::Histogram => 9,
            DataPointKind::ExponentialHistogram => 10,
            DataPointKind::Summary => 11,
        }
    }
}

/// The columns of data points of a batch.
pub(super) struct PointArrays<'a> {
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
    bucket_counts: NumberLists<'a, UInt64Type>,
    explicit_bounds: NumberLists<'a, Float64Type>,
    scale: &'a Int32Array,
    zero_count: &'a UInt64Array,
    zero_threshold: &'a Float64Array,
    positive: BucketArrays<'a>,
    negative: BucketArrays<'a>,
    quantiles: QuantileArrays<'a>,
    exemplars: ExemplarArrays<'a>,
}

/// A column of lists of numbers.
struct NumberLists<'a, T: ArrowPrimitiveType> {
    lists: &'a ListArray,
    values: &'a [T::Native],
}

/// The buckets of one sign of exponential histograms.
struct BucketArrays<'a> {
    offset: &'a Int32Array,
    counts: NumberLists<'a, UInt64Type>,
}

/// The quantiles of summaries.
struct QuantileArrays<'a> {
    lists: &'a ListArray,
    quantile: &'a Float64Array,
    value: &'a Float64Array,
}

/// The exemplars of points.
struct ExemplarArrays<'a> {
    lists: &'a ListArray,
    attributes: &'a BinaryViewArray,
    time: &'a UInt64Array,
    value_double: &'a Float64Array,
    value_int: &'a Int64Array,
    span_id: &'a FixedSizeBinaryArray,
    trace_id: &'a FixedSizeBinaryArray,
}

/// Estimates of encoded sizes in bytes: of the fields that most points have, and of an exemplar.
const FIXED_SIZE: [usize; 2] = [64, 64];

impl<'a> PointArrays<'a> {
    pub(super) fn of(batch: &'a Batch) -> PointArrays<'a> {
        let buckets = |offset, counts| BucketArrays {
            offset: batch.numbers::<Int32Type>(offset),
            counts: NumberLists::of(batch, counts),
        };
        PointArrays {
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
            bucket_counts: NumberLists::of(batch, columns::BUCKET_COUNTS),
            explicit_bounds: NumberLists::of(batch, columns::EXPLICIT_BOUNDS),
            scale: batch.numbers::<Int32Type>(columns::SCALE),
            zero_count: batch.numbers::<UInt64Type>(columns::ZERO_COUNT),
            zero_threshold: batch.numbers::<Float64Type>(columns::ZERO_THRESHOLD),
            positive: buckets(columns::POSITIVE_OFFSET, columns::POSITIVE_BUCKET_COUNTS),
            negative: buckets(columns::NEGATIVE_OFFSET, columns::NEGATIVE_BUCKET_COUNTS),
            quantiles: QuantileArrays::of(batch.column(columns::QUANTILE_VALUES).as_list()),
            exemplars: ExemplarArrays::of(batch.column(columns::EXEMPLARS).as_list()),
        }
    }

    /// An estimate of the encoded size of all points, in bytes.
    pub(super) fn size_estimate(&self) -> usize {
        let [point, exemplar] = FIXED_SIZE;
        let numbers = self.bucket_counts.values.len() + self.explicit_bounds.values.len();
        point * self.time.len()
            + view_bytes(self.attributes.views())
            + 8 * numbers
            + exemplar * self.exemplars.time.len()
            + view_bytes(self.exemplars.attributes.views())
    }

    pub(super) fn put(&self, kind: DataPointKind, row: usize, out: &mut ReverseWriter) {
        match kind {
            DataPointKind::Gauge | DataPointKind::Sum => self.put_number(row, out),
            DataPointKind::Histogram => self.put_histogram(row, out),
            DataPointKind::ExponentialHistogram => self.put_exponential_histogram(row, out),
            DataPointKind::Summary => self.put_summary(row, out),
        }
    }

    fn put_number(&self, row: usize, out: &mut ReverseWriter) {
        out.uint(8, u64::from(self.flags.value(row)));
        out.run(7, self.attributes.value(row));
        if let Some(int) = cells::number(self.value_int, row) {
            out.always_fixed64(6, int as u64);
        }
        self.exemplars.put(5, row, out);
        out.optional_double(4, cells::number(self.value_double, row));
        self.put_times(row, out);
    }

    fn put_histogram(&self, row: usize, out: &mut ReverseWriter) {
        out.optional_double(12, cells::number(self.max, row));
        out.optional_double(11, cells::number(self.min, row));
        out.uint(10, u64::from(self.flags.value(row)));
        out.run(9, self.attributes.value(row));
        self.exemplars.put(8, row, out);
        out.packed_fixed64(7, self.explicit_bounds.of_row(row), f64::to_le_bytes);
        out.packed_fixed64(6, self.bucket_counts.of_row(row), u64::to_le_bytes);
        out.optional_double(5, cells::number(self.sum, row));
        out.fixed64(4, cells::number(self.count, row).unwrap_or(0));
        self.put_times(row, out);
    }

    fn put_exponential_histogram(&self, row: usize, out: &mut ReverseWriter) {
        out.double(14, cells::number(self.zero_threshold, row).unwrap_or(0.0));
        out.optional_double(13, cells::number(self.max, row));
        out.optional_double(12, cells::number(self.min, row));
        self.exemplars.put(11, row, out);
        out.uint(10, u64::from(self.flags.value(row)));
        self.negative.put(9, row, out);
        self.positive.put(8, row, out);
        out.fixed64(7, cells::number(self.zero_count, row).unwrap_or(0));
        out.sint32(6, cells::number(self.scale, row).unwrap_or(0));
        out.optional_double(5, cells::number(self.sum, row));
        out.fixed64(4, cells::number(self.count, row).unwrap_or(0));
        self.put_times(row, out);
        out.run(1, self.attributes.value(row));
    }

    fn put_summary(&self, row: usize, out: &mut ReverseWriter) {
        out.uint(8, u64::from(self.flags.value(row)));
        out.run(7, self.attributes.value(row));
        self.quantiles.put(6, row, out);
        out.double(5, cells::number(self.sum, row).unwrap_or(0.0));
        out.fixed64(4, cells::number(self.count, row).unwrap_or(0));
        self.put_times(row, out);
    }

    fn put_times(&self, row: usize, out: &mut ReverseWriter) {
        out.fixed64(3, self.time.value(row));
        out.fixed64(2, self.start.value(row));
    }
}

impl<'a, T: ArrowPrimitiveType> NumberLists<'a, T> {
    fn of(batch: &'a Batch, column: &str) -> NumberLists<'a, T> {
        let lists: &ListArray = batch.column(column).as_list();
        NumberLists {
            lists,
            values: lists.values().as_primitive::<T>().values(),
        }
    }

    fn of_row(&self, row: usize) -> &'a [T::Native] {
        &self.values[items(self.lists, row)]
    }
}

impl BucketArrays<'_> {
    fn put(&self, number: u32, row: usize, out: &mut ReverseWriter) {
        if let Some(offset) = cells::number(self.offset, row) {
            out.message(number, |out| {
                out.packed_varints(2, self.counts.of_row(row));
                out.sint32(1, offset);
            });
        }
    }
}

impl<'a> QuantileArrays<'a> {
    fn of(lists: &'a ListArray) -> QuantileArrays<'a> {
        let all = lists.values().as_struct();
        QuantileArrays {
            lists,
            quantile: all.column(0).as_primitive(),
            value: all.column(1).as_primitive(),
        }
    }

    fn put(&self, number: u32, row: usize, out: &mut ReverseWriter) {
        for item in items(self.lists, row).rev() {
            out.message(number, |out| {
                out.double(2, self.value.value(item));
                out.double(1, self.quantile.value(item));
            });
        }
    }
}

impl<'a> ExemplarArrays<'a> {
    fn of(lists: &'a ListArray) -> ExemplarArrays<'a> {
        let all = lists.values().as_struct();
        ExemplarArrays {
            lists,
            attributes: all.column(0).as_binary_view(),
            time: all.column(1).as_primitive(),
            value_double: all.column(2).as_primitive(),
            value_int: all.column(3).as_primitive(),
            span_id: all.column(4).as_fixed_size_binary(),
            trace_id: all.column(5).as_fixed_size_binary(),
        }
    }

    fn put(&self, number: u32, row: usize, out: &mut ReverseWriter) {
        for item in items(self.lists, row).rev() {
            out.message(number, |out| {
                out.run(7, self.attributes.value(item));
                if let Some(int) = cells::number(self.value_int, item) {
                    out.always_fixed64(6, int as u64);
                }
                put_id::<16>(out, 5, self.trace_id, item);
                put_id::<8>(out, 4, self.span_id, item);
                out.optional_double(3, cells::number(self.value_double, item));
                out.fixed64(2, self.time.value(item));
            });
        }
    }
}
