//! `metrics` → metrics with their data points.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, BinaryViewArray, BooleanArray, DictionaryArray, Int32Array, StringArray, StringViewArray,
};

use super::Items;
use super::groups::Groups;
use super::points::{Kind, Points};
use super::writer::Writer;
use crate::Batch;
use crate::schema::metrics as columns;

pub(super) struct Metrics<'a> {
    name: &'a StringViewArray,
    description: &'a StringViewArray,
    unit: &'a StringViewArray,
    metadata: &'a BinaryViewArray,
    kinds: Kinds<'a>,
    temporality: &'a Int32Array,
    is_monotonic: &'a BooleanArray,
    points: Points<'a>,
    /// Rows of one metric.
    groups: Groups,
}

/// The column `type`.
struct Kinds<'a> {
    of_words: Vec<Kind>,
    keys: &'a Int32Array,
}

impl Kinds<'_> {
    fn of(column: &DictionaryArray<Int32Type>) -> Kinds<'_> {
        let words: &StringArray = column.values().as_string();
        Kinds {
            of_words: words.iter().map(Kind::of).collect(),
            keys: column.keys(),
        }
    }

    fn value(&self, row: usize) -> Kind {
        self.of_words[self.keys.value(row) as usize]
    }
}

impl<'a> Metrics<'a> {
    pub(super) fn of(batch: &'a Batch) -> Metrics<'a> {
        let mut metrics = Metrics {
            name: batch.text(columns::NAME),
            description: batch.text(columns::DESCRIPTION),
            unit: batch.text(columns::UNIT),
            metadata: batch.bytes(columns::METADATA),
            kinds: Kinds::of(batch.column(columns::TYPE).as_dictionary()),
            temporality: batch.numbers::<Int32Type>(columns::AGGREGATION_TEMPORALITY),
            is_monotonic: batch.column(columns::IS_MONOTONIC).as_boolean(),
            points: Points::of(batch),
            groups: Groups::one(batch.num_rows()),
        };
        metrics.groups = metrics.groups();
        metrics
    }

    fn groups(&self) -> Groups {
        let mut groups = Groups::one(self.name.len());
        groups.split_by_views(self.name);
        groups.split_by_views(self.description);
        groups.split_by_views(self.unit);
        groups.split_by_views(self.metadata);
        groups.split_by_numbers(self.temporality);
        groups.split_by(|row| (self.kinds.value(row), self.monotonic(row)));
        groups
    }

    fn temporality(&self, row: usize) -> Option<i32> {
        let column = self.temporality;
        column.is_valid(row).then(|| column.value(row))
    }

    fn monotonic(&self, row: usize) -> bool {
        self.is_monotonic.is_valid(row) && self.is_monotonic.value(row)
    }

    fn put_metric(&self, rows: Range<usize>, out: &mut Writer) {
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

impl Items for Metrics<'_> {
    fn room(&self) -> usize {
        self.points.room()
    }

    fn put(&self, rows: Range<usize>, out: &mut Writer) {
        let mut end = rows.end;
        while end > rows.start {
            let start = self.groups.start(end).max(rows.start);
            out.message(2, |out| self.put_metric(start..end, out));
            end = start;
        }
    }
}
