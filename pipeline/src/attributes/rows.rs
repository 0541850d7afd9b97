//! Changes columns of attributes.

use arrow_array::builder::make_view;
use arrow_array::{Array, BinaryViewArray};
use arrow_buffer::{Buffer, NullBuffer, ScalarBuffer};

/// A block of changed values that is this long is followed by another: views address 32 bits.
const BLOCK: usize = 1 << 30;

/// Changes the rows that are `chosen`. `edit` is given a row's value, none where it is null; it
/// appends what the value becomes and returns true, or appends nothing and returns false.
///
/// Rows that stand together and have the same view (the resource of all its spans) are edited
/// once. What is not changed is not copied: its views lead into the column's own buffers. None
/// where nothing changes at all.
pub fn edit_rows(
    column: &BinaryViewArray,
    mut chosen: impl FnMut(usize) -> bool,
    mut edit: impl FnMut(Option<&[u8]>, &mut Vec<u8>) -> bool,
) -> Option<BinaryViewArray> {
    let mut made = Made::beside(column);
    let mut latest: Option<(Option<u128>, Option<u128>)> = None;
    for row in (0..column.len()).filter(|&row| chosen(row)) {
        let before = column.is_valid(row).then(|| column.views()[row]);
        let after = match latest {
            Some((same, after)) if same == before => after,
            _ => made.view(|out| edit(before.map(|_| column.value(row)), out)),
        };
        latest = Some((before, after));
        if let Some(view) = after {
            made.replace(row, view);
        }
    }
    made.finish()
}

/// A column that is made of another one and of new values.
struct Made {
    changed: bool,
    views: Vec<u128>,
    /// Of columns with nulls.
    valid: Option<Vec<bool>>,
    buffers: Vec<Buffer>,
    /// The last block, after `buffers`.
    block: Vec<u8>,
}

impl Made {
    fn beside(column: &BinaryViewArray) -> Made {
        Made {
            changed: false,
            views: column.views().to_vec(),
            valid: column.nulls().map(|nulls| nulls.iter().collect()),
            buffers: column.data_buffers().to_vec(),
            block: Vec::new(),
        }
    }

    /// The view of a value that `append` appends, if it does.
    fn view(&mut self, append: impl FnOnce(&mut Vec<u8>) -> bool) -> Option<u128> {
        if self.block.len() >= BLOCK {
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
        let made = BinaryViewArray::try_new(views, self.buffers, nulls);
        Some(made.expect("views are the column's own or lead into a block that was pushed"))
    }
}
