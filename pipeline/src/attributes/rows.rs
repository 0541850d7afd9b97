//! Edits columns of attributes.

use arrow_array::builder::make_view;
use arrow_array::{Array, BinaryViewArray};
use arrow_buffer::{Buffer, NullBuffer, ScalarBuffer};

/// When a block of edited values has this length in bytes, a new block begins, since views have offsets of 32 bits.
const MAX_BLOCK: usize = 1 << 30;

/// Edits the rows for which `is_chosen` returns true. `edit` gets the value of a row, or `None` if it is null. It
/// appends the new value and returns true, or appends nothing and returns false.
///
/// If successive chosen rows have the same view (such as the resource of several spans), `edit` is called once for all
/// of them. Unchanged values are not copied: their views point into the buffers of the column. Returns `None` if no
/// value changes.
pub fn edit_rows(
    column: &BinaryViewArray,
    mut is_chosen: impl FnMut(usize) -> bool,
    mut edit: impl FnMut(Option<&[u8]>, &mut Vec<u8>) -> bool,
) -> Option<BinaryViewArray> {
    let mut edited = EditedColumn::new(column);
    let mut latest: Option<(Option<u128>, Option<u128>)> = None;
    for row in (0..column.len()).filter(|&row| is_chosen(row)) {
        let before = column.is_valid(row).then(|| column.views()[row]);
        let after = match latest {
            Some((same, after)) if same == before => after,
            _ => edited.append(|out| edit(before.map(|_| column.value(row)), out)),
        };
        latest = Some((before, after));
        if let Some(view) = after {
            edited.replace(row, view);
        }
    }
    edited.finish()
}

/// A copy of a column in which some values are replaced.
struct EditedColumn {
    changed: bool,
    views: Vec<u128>,
    /// Whether each row is valid; `None` if the column has no nulls.
    valid: Option<Vec<bool>>,
    buffers: Vec<Buffer>,
    /// The block to which new values are appended. Its buffer index is after those of `buffers`.
    block: Vec<u8>,
}

impl EditedColumn {
    fn new(column: &BinaryViewArray) -> EditedColumn {
        EditedColumn {
            changed: false,
            views: column.views().to_vec(),
            valid: column.nulls().map(|nulls| nulls.iter().collect()),
            buffers: column.data_buffers().to_vec(),
            block: Vec::new(),
        }
    }

    /// Calls `append` and returns the view of the value that it appends; `None` if it appends nothing.
    fn append(&mut self, append: impl FnOnce(&mut Vec<u8>) -> bool) -> Option<u128> {
        if self.block.len() >= MAX_BLOCK {
            self.close_block();
        }
        let start = self.block.len();
        if !append(&mut self.block) {
            return None;
        }
        let value = &self.block[start..];
        Some(make_view(value, self.buffers.len() as u32, start as u32))
    }

    fn close_block(&mut self) {
        let block = std::mem::take(&mut self.block);
        self.buffers.push(Buffer::from_vec(block));
    }

    fn replace(&mut self, row: usize, view: u128) {
        self.changed = true;
        self.views[row] = view;
        if let Some(valid) = &mut self.valid {
            valid[row] = true;
        }
    }

    fn finish(mut self) -> Option<BinaryViewArray> {
        if !self.changed {
            return None;
        }
        self.close_block();
        let nulls = self.valid.map(NullBuffer::from);
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
        let views = ScalarBuffer::from(self.views);
        let edited = BinaryViewArray::try_new(views, self.buffers, nulls);
        Some(
            edited.expect("views point into buffers of the column or into a block that was pushed"),
        )
    }
}
