//! Reads the cells of a row by column name.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, UInt32Type, UInt64Type};

use crate::Batch;
use crate::batch::cells;
use crate::schema::opening;
use crate::unix_nanos::UnixNanos;

/// A row of a batch. Each method panics if the batch has no such column, or if the column has another type.
#[derive(Clone, Copy)]
pub(crate) struct BatchRow<'a> {
    pub(crate) batch: &'a Batch,
    pub(crate) row: usize,
}

impl<'a> BatchRow<'a> {
    pub(crate) fn all(batch: &'a Batch) -> impl Iterator<Item = BatchRow<'a>> {
        (0..batch.num_rows()).map(move |row| BatchRow { batch, row })
    }

    /// The time of the row; `now` if it has no time.
    pub(crate) fn time(self, now: UnixNanos) -> UnixNanos {
        self.timestamp(opening::TIME).unwrap_or(now)
    }

    pub(crate) fn uid(self) -> Option<&'a str> {
        self.text(opening::UID)
    }

    pub(crate) fn source(self) -> &'a str {
        self.word(opening::SOURCE).unwrap_or_default()
    }

    pub(crate) fn timestamp(self, column: &str) -> Option<UnixNanos> {
        cells::time(self.batch.numbers(column), self.row)
    }

    pub(crate) fn text(self, column: &str) -> Option<&'a str> {
        cells::text(self.batch.text(column), self.row)
    }

    pub(crate) fn word(self, column: &str) -> Option<&'a str> {
        cells::word(&self.batch.words(column), self.row)
    }

    pub(crate) fn bytes(self, column: &str) -> Option<&'a [u8]> {
        cells::bytes(self.batch.bytes(column), self.row)
    }

    pub(crate) fn uint64(self, column: &str) -> Option<u64> {
        cells::number::<UInt64Type>(self.batch.numbers(column), self.row)
    }

    pub(crate) fn uint32(self, column: &str) -> u32 {
        self.batch.numbers::<UInt32Type>(column).value(self.row)
    }

    pub(crate) fn int32(self, column: &str) -> i32 {
        self.batch.numbers::<Int32Type>(column).value(self.row)
    }

    /// A value that is not finite becomes 0, since stores cannot keep it.
    pub(crate) fn float(self, column: &str) -> f64 {
        let float = self.batch.numbers::<Float64Type>(column).value(self.row);
        if float.is_finite() { float } else { 0.0 }
    }

    pub(crate) fn uint64s(self, column: &str) -> Option<&'a [u64]> {
        cells::uint64s(self.batch.column(column).as_list(), self.row)
    }

    pub(crate) fn texts(self, column: &str) -> impl Iterator<Item = &'a str> {
        cells::texts(self.batch.column(column).as_list(), self.row)
    }
}
