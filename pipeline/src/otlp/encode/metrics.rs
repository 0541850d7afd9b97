//! Encodes rows of `metrics` as metrics with their data points.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, BinaryViewArray, BooleanArray, DictionaryArray, Int32Array, StringArray, StringViewArray,
};

use super::ScopeItems;
use super::groups::RowGroups;
use super::points::{DataPointKind, PointArrays};
use super::writer::ReverseWriter;
use crate::Batch;
use crate::batch::cells;
use crate::schema::metrics as columns;

/// The columns of metrics of a batch.
pub(super) struct MetricArrays<'a> {
    name: &'a StringViewArray,
    description: &'a StringViewArray,
    unit: &'a StringViewArray,
    metadata: &'a BinaryViewArray,
    kinds: MetricTypes<'a>,
    temporality: &'a Int32Array,
    is_monotonic: &'a BooleanArray,
    points: PointArrays<'a>,
    /// The rows of each metric.
    groups: RowGroups,
}

/// The column `type`, decoded.
struct MetricTypes<'a> {
    /// The kind of each word of the dictionary.
    of_words: Vec<DataPointKind>,
    keys: &'a Int32Array,
}

impl MetricTypes<'_> {
    fn of(column: &DictionaryArray<Int32Type>) -> MetricTypes<'_> {
        let words: &StringArray = column.values().as_string();
        MetricTypes {
            of_words: words.iter().map(DataPointKind::of).collect(),
            keys: column.keys(),
        }
    }

    fn value(&self, row: usize) -> DataPointKind {
        self.of_words[self.keys.value(row) as usize]
    }
}

impl<'a> MetricArrays<'a> {
    pub(super) fn of(batch: &'a Batch) -> MetricArrays<'a> {
        let mut metrics = MetricArrays {
            name: batch.text(columns::NAME),
            description: batch.text(columns::DESCRIPTION),
            unit: batch.text(columns::UNIT),
            metadata: batch.bytes(columns::METADATA),
            kinds: MetricTypes::of(batch.column(columns::TYPE).as_dictionary()),
            temporality: batch.numbers::<Int32Type>(columns::AGGREGATION_TEMPORALITY),
            is_monotonic: batch.column(columns::IS_MONOTONIC).as_boolean(),
            points: PointArrays::of(batch),
            groups: RowGroups::one(batch.num_rows()),
        };
        metrics.groups = metrics.groups();
        metrics
    }

    fn groups(&self) -> RowGroups {
        let mut groups = RowGroups::one(self.name.len());
        groups.split_by_views(self.name);
        groups.split_by_views(self.description);
        groups.split_by_views(self.unit);
        groups.split_by_views(self.metadata);
        groups.split_by_numbers(self.temporality);
        groups.split_by(|row| (self.kinds.value(row), self.monotonic(row)));
        groups
    }

    fn temporality(&self, row: usize) -> Option<i32> {
        cells::number(self.temporality, row)
    }

    fn monotonic(&self, row: usize) -> bool {
        self.is_monotonic.is_valid(row) && self.is_monotonic.value(row)
    }

    fn put_metric(&self, rows: Range<usize>, out: &mut ReverseWriter) {
        let first = rows.start;
        let kind = self.kinds.value(first);
        out.run(12, self.metadata.value(first));
        out.message(kind.field(), |out| {
            out.uint(3, u64::from(self.monotonic(first)));
            out.int32(2, self.temporality(first).unwrap_or(0));
            for row in rows.rev() {
                out.message(1, |out| self.points.put(kind, row, out));
            }
        });
        out.text(3, self.unit.value(first));
        out.text(2, self.description.value(first));
        out.text(1, self.name.value(first));
    }
}

impl ScopeItems for MetricArrays<'_> {
    fn size_estimate(&self) -> usize {
        self.points.size_estimate()
    }

    fn put(&self, rows: Range<usize>, out: &mut ReverseWriter) {
        let mut end = rows.end;
        while end > rows.start {
            let start = self.groups.start(end).max(rows.start);
            out.message(2, |out| self.put_metric(start..end, out));
            end = start;
        }
    }
}
