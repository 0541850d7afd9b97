//! Builds view arrays whose items are mostly in the buffers of another array, so that those items are not copied.

use arrow_array::builder::make_view;
use arrow_array::{BinaryViewArray, StringViewArray};
use arrow_buffer::{Buffer, NullBuffer, ScalarBuffer};
use datafusion::common::Result;
use datafusion::error::DataFusionError;

/// Builds a view array that shares the buffers of `rows`.
pub(super) struct ViewsBuilder<'a> {
    rows: &'a BinaryViewArray,
    /// Bytes that are in no buffer of `rows`.
    added: Vec<u8>,
}

/// The maximum length of an item that its view contains. The view of a longer item has its length in the low 32 bits,
/// the number of its buffer in bits 64 to 95 and its offset in the bits above
/// (<https://arrow.apache.org/docs/format/Columnar.html#variable-size-binary-view-layout>).
const MAX_INLINE: usize = 12;

impl<'a> ViewsBuilder<'a> {
    /// A builder whose array shares the buffers of `rows`.
    pub(super) fn sharing(rows: &'a BinaryViewArray) -> ViewsBuilder<'a> {
        ViewsBuilder {
            rows,
            added: Vec::new(),
        }
    }

    /// The view of `part`, which is a part of the row's value.
    pub(super) fn view_within(&self, row: usize, part: &[u8]) -> u128 {
        if part.len() <= MAX_INLINE {
            return make_view(part, 0, 0);
        }
        // A value with such a part is longer than 12 bytes, so it is in a buffer.
        let view = self.rows.views()[row];
        let (buffer, offset) = ((view >> 64) as u32, (view >> 96) as u32);
        let before = part.as_ptr() as usize - self.rows.value(row).as_ptr() as usize;
        make_view(part, buffer, offset + before as u32)
    }

    /// Copies bytes and returns their view; `None` if all copied bytes would exceed 4 GiB.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Option<u128> {
        let buffer = self.rows.data_buffers().len() as u32;
        let offset = u32::try_from(self.added.len()).ok()?;
        if bytes.len() > MAX_INLINE {
            u32::try_from(self.added.len() + bytes.len()).ok()?;
            self.added.extend_from_slice(bytes);
        }
        Some(make_view(bytes, buffer, offset))
    }

    /// The array of texts with these views; `None` becomes null.
    pub(super) fn text(self, views: Vec<Option<u128>>) -> Result<StringViewArray> {
        let (views, buffers, nulls) = self.parts(views);
        StringViewArray::try_new(views, buffers, nulls).map_err(DataFusionError::from)
    }

    /// The array of bytes with these views; `None` becomes null.
    pub(super) fn binary(self, views: Vec<Option<u128>>) -> Result<BinaryViewArray> {
        let (views, buffers, nulls) = self.parts(views);
        BinaryViewArray::try_new(views, buffers, nulls).map_err(DataFusionError::from)
    }

    fn parts(
        self,
        views: Vec<Option<u128>>,
    ) -> (ScalarBuffer<u128>, Vec<Buffer>, Option<NullBuffer>) {
        let nulls = NullBuffer::from_iter(views.iter().map(Option::is_some));
        let views = views.into_iter().map(Option::unwrap_or_default).collect();
        let mut buffers = self.rows.data_buffers().to_vec();
        if !self.added.is_empty() {
            buffers.push(Buffer::from_vec(self.added));
        }
        (views, buffers, (nulls.null_count() > 0).then_some(nulls))
    }
}
