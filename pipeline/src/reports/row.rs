//! Reads the cells of a row by column name.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, TimestampNanosecondType, UInt32Type, UInt64Type};
use arrow_array::{Array, BinaryViewArray, StringArray, StringViewArray, TypedDictionaryArray};

use crate::Batch;
use crate::component::UnixNanos;
use crate::schema::opening;

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

    /// The time of the row, else `now`.
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
        let times = self.batch.numbers::<TimestampNanosecondType>(column);
        let known = times.is_valid(self.row);
        known.then(|| UnixNanos(u64::try_from(times.value(self.row)).unwrap_or_default()))
    }

    pub(crate) fn text(self, column: &str) -> Option<&'a str> {
        text(self.batch.text(column), self.row)
    }

    pub(crate) fn word(self, column: &str) -> Option<&'a str> {
        word(&self.batch.words(column), self.row)
    }

    pub(crate) fn bytes(self, column: &str) -> Option<&'a [u8]> {
        bytes(self.batch.bytes(column), self.row)
    }

    pub(crate) fn uint64(self, column: &str) -> Option<u64> {
        let numbers = self.batch.numbers::<UInt64Type>(column);
        numbers.is_valid(self.row).then(|| numbers.value(self.row))
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

    pub(crate) fn uint64s(self, column: &str) -> Option<Vec<u64>> {
        let lists = self.batch.column(column).as_list::<i32>();
        let known = lists.is_valid(self.row);
        known.then(|| {
            let items = lists.value(self.row);
            items.as_primitive::<UInt64Type>().values().to_vec()
        })
    }

    pub(crate) fn texts(self, column: &str) -> Vec<String> {
        let lists = self.batch.column(column).as_list::<i32>();
        if lists.is_null(self.row) {
            return Vec::new();
        }
        let items = lists.value(self.row);
        let items = items.as_string_view().iter();
        items.flatten().map(str::to_owned).collect()
    }
}

/// A dictionary column of texts.
pub(crate) type WordColumn<'a> = TypedDictionaryArray<'a, Int32Type, StringArray>;

pub(crate) fn text(texts: &StringViewArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row))
}

pub(crate) fn bytes(bytes: &BinaryViewArray, row: usize) -> Option<&[u8]> {
    bytes.is_valid(row).then(|| bytes.value(row))
}

pub(crate) fn word<'a>(words: &WordColumn<'a>, row: usize) -> Option<&'a str> {
    let keys = words.keys();
    let key = keys.is_valid(row).then(|| keys.value(row))?;
    Some(words.values().value(usize::try_from(key).ok()?))
}
