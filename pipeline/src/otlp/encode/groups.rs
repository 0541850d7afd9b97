//! Groups of adjacent rows with the same values.

use arrow_array::types::{ArrowPrimitiveType, ByteViewType};
use arrow_array::{Array, GenericByteViewArray, PrimitiveArray};

/// For each row, whether it begins a group: whether it differs from the row before it in any column.
#[derive(Clone, Debug)]
pub(super) struct RowGroups {
    starts: Vec<bool>,
}

impl RowGroups {
    /// All rows in one group.
    pub(super) fn one(rows: usize) -> RowGroups {
        RowGroups {
            starts: vec![false; rows],
        }
    }

    /// The first row of the group that contains row `end - 1`.
    pub(super) fn start(&self, end: usize) -> usize {
        let start = self.starts[..end].iter().rposition(|&starts| starts);
        start.unwrap_or(0)
    }

    /// Begins a group at each row whose value differs from that of the row before it. Compares values only if their
    /// views differ.
    pub(super) fn split_by_views<T: ByteViewType>(&mut self, column: &GenericByteViewArray<T>) {
        let views = column.views();
        if !all_equal(views) {
            for (row, pair) in views.windows(2).enumerate() {
                if pair[0] != pair[1] && differ(column, row) {
                    self.starts[row + 1] = true;
                }
            }
        }
        self.split_by_nulls(column);
    }

    /// Begins a group at each row whose number differs from that of the row before it.
    pub(super) fn split_by_numbers<T: ArrowPrimitiveType>(&mut self, column: &PrimitiveArray<T>) {
        let values = column.values();
        if !all_equal(values) {
            self.split_by(|row| values[row]);
        }
        self.split_by_nulls(column);
    }

    /// Begins a group at each row whose value differs from that of the row before it.
    pub(super) fn split_by<T: PartialEq>(&mut self, value: impl Fn(usize) -> T) {
        for row in 1..self.starts.len() {
            self.starts[row] |= value(row - 1) != value(row);
        }
    }

    fn split_by_nulls(&mut self, column: &dyn Array) {
        if column.null_count() > 0 {
            self.split_by(|row| column.is_null(row));
        }
    }
}

/// Whether all values are equal. Usually they are. So the loop does not stop early, and the compiler can vectorize it.
fn all_equal<T: PartialEq + Copy>(values: &[T]) -> bool {
    let Some(&first) = values.first() else {
        return true;
    };
    values
        .iter()
        .fold(true, |same, &value| same & (value == first))
}

#[cold]
fn differ<T: ByteViewType>(column: &GenericByteViewArray<T>, row: usize) -> bool {
    let value = |row| -> &[u8] { column.value(row).as_ref() };
    value(row) != value(row + 1)
}
