//! Column vectors that grow while a request is decoded, and then become arrays.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::make_view;
use arrow_array::types::{ArrowPrimitiveType, Int32Type, TimestampNanosecondType};
use arrow_array::{
    ArrayRef, BinaryViewArray, DictionaryArray, FixedSizeBinaryArray, ListArray, PrimitiveArray,
    StringArray, StringViewArray,
};
use arrow_buffer::{Buffer, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::FieldRef;

use super::check;
use super::wire::{Result, WireReader};

/// The buffers to which views point: the request, and copies of bytes that are not contiguous or not canonical in the
/// request.
#[derive(Debug, Default)]
pub(super) struct ViewBuffers {
    copied: Vec<u8>,
}

const REQUEST: u32 = 0;
const COPIED: u32 = 1;

impl ViewBuffers {
    /// Both buffers, in the order of the block numbers in views.
    pub(super) fn buffers(self, request: Buffer) -> Vec<Buffer> {
        if self.copied.is_empty() {
            vec![request]
        } else {
            vec![request, Buffer::from_vec(self.copied)]
        }
    }

    /// A view of text. Text that is not in the request is copied.
    pub(super) fn text(&mut self, reader: &WireReader<'_>, text: &str) -> u128 {
        match reader.offset_of(text.as_bytes()) {
            Some(offset) => make_view(text.as_bytes(), REQUEST, offset as u32),
            None => self.add(text.as_bytes()),
        }
    }

    /// Copies bytes and returns a view of the copy.
    fn add(&mut self, bytes: &[u8]) -> u128 {
        let offset = self.copied.len() as u32;
        self.copied.extend_from_slice(bytes);
        make_view(bytes, COPIED, offset)
    }
}

/// A view of a range of the request.
#[inline]
pub(super) fn view(reader: &WireReader<'_>, range: Range<usize>) -> u128 {
    let offset = range.start as u32;
    make_view(reader.slice(range), REQUEST, offset)
}

/// The view of an empty value.
pub(super) const EMPTY: u128 = 0;

/// The entries of one attributes field, collected while its message is decoded.
#[derive(Debug, Default)]
pub(super) struct AttributeRun {
    /// The range of entries that are contiguous in the request, including the key and length of each field.
    contiguous: Range<usize>,
    /// Copies of all entries, if they are not contiguous or not canonical.
    copied: Vec<u8>,
}

impl AttributeRun {
    /// Checks the `KeyValue` field whose key begins at `start`, and adds it.
    #[inline]
    pub(super) fn add(&mut self, reader: &mut WireReader<'_>, start: usize) -> Result<()> {
        let range = reader.range()?;
        if !check::key_value(reader.within(range.clone()))? {
            return self.rewrite(reader, range);
        }
        self.append(reader, start..range.end);
        Ok(())
    }

    /// Adds a whole field that was checked already.
    #[inline]
    pub(super) fn append(&mut self, reader: &WireReader<'_>, field: Range<usize>) {
        if self.copied.is_empty()
            && (self.contiguous.is_empty() || self.contiguous.end == field.start)
        {
            if self.contiguous.is_empty() {
                self.contiguous.start = field.start;
            }
            self.contiguous.end = field.end;
        } else {
            self.spill(reader);
            self.copied.extend_from_slice(reader.slice(field));
        }
    }

    /// Adds an entry that is not canonical.
    #[cold]
    fn rewrite(&mut self, reader: &WireReader<'_>, entry: Range<usize>) -> Result<()> {
        let canonical = check::canonical_key_value(reader.slice(entry.clone()), entry.start)?;
        self.spill(reader);
        self.copied.push(1 << 3 | 2);
        prost::encoding::encode_varint(canonical.len() as u64, &mut self.copied);
        self.copied.extend_from_slice(&canonical);
        Ok(())
    }

    /// Copies the contiguous entries.
    #[cold]
    fn spill(&mut self, reader: &WireReader<'_>) {
        self.copied
            .extend_from_slice(reader.slice(self.contiguous.clone()));
        self.contiguous = 0..0;
    }

    /// Whether the run has no entries.
    pub(super) fn is_empty(&self) -> bool {
        self.contiguous.is_empty() && self.copied.is_empty()
    }

    /// The bytes of the whole run.
    pub(super) fn bytes<'a>(&'a self, reader: &WireReader<'a>) -> &'a [u8] {
        if self.copied.is_empty() {
            reader.slice(self.contiguous.clone())
        } else {
            &self.copied
        }
    }

    /// The whole run as one view.
    #[inline]
    pub(super) fn finish(&self, reader: &WireReader<'_>, view_buffers: &mut ViewBuffers) -> u128 {
        if self.copied.is_empty() {
            if self.contiguous.is_empty() {
                EMPTY
            } else {
                view(reader, self.contiguous.clone())
            }
        } else {
            view_buffers.add(&self.copied)
        }
    }
}

/// One `AnyValue` field. If it occurs several times, the occurrences are merged.
#[derive(Debug, Default)]
pub(super) struct AnyValueField {
    /// The range of a single, canonical occurrence.
    single: Option<Range<usize>>,
    /// The canonical value, if there are several occurrences or the only one is not canonical.
    merged: Option<Vec<u8>>,
}

impl AnyValueField {
    /// Checks an occurrence of the field, and adds it.
    pub(super) fn add(&mut self, reader: &mut WireReader<'_>) -> Result<()> {
        let range = reader.range()?;
        let canonical = check::any_value(reader.within(range.clone()))?;
        match (&self.single, &mut self.merged) {
            (None, None) if canonical => self.single = Some(range),
            (earlier, merged) => {
                // Protobuf merges concatenated messages.
                let mut bytes = merged.take().unwrap_or_default();
                if let Some(earlier) = earlier.clone() {
                    bytes.extend_from_slice(reader.slice(earlier));
                }
                bytes.extend_from_slice(reader.slice(range.clone()));
                self.merged = Some(check::canonical_any_value(&bytes, range.start)?);
                self.single = None;
            }
        }
        Ok(())
    }

    /// The view of the value; `None` if the field does not occur.
    pub(super) fn finish(
        &self,
        reader: &WireReader<'_>,
        view_buffers: &mut ViewBuffers,
    ) -> Option<u128> {
        match (&self.single, &self.merged) {
            (Some(range), _) => Some(view(reader, range.clone())),
            (None, Some(merged)) => Some(view_buffers.add(merged)),
            (None, None) => None,
        }
    }
}

/// A nullable column.
#[derive(Debug)]
pub(super) struct NullableColumn<T> {
    pub(super) values: Vec<T>,
    nulls: NullBufferBuilder,
}

impl<T: Copy + Default> NullableColumn<T> {
    pub(super) fn new() -> NullableColumn<T> {
        NullableColumn {
            values: Vec::new(),
            nulls: NullBufferBuilder::new(0),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, value: Option<T>) {
        match value {
            Some(_) => self.nulls.append_non_null(),
            None => self.nulls.append_null(),
        }
        self.values.push(value.unwrap_or_default());
    }

    /// Appends a value `count` times.
    pub(super) fn repeat(&mut self, value: Option<T>, count: usize) {
        match value {
            Some(_) => self.nulls.append_n_non_nulls(count),
            None => self.nulls.append_n_nulls(count),
        }
        self.values
            .resize(self.values.len() + count, value.unwrap_or_default());
    }

    pub(super) fn finish(&mut self) -> (Vec<T>, Option<NullBuffer>) {
        (std::mem::take(&mut self.values), self.nulls.finish())
    }
}

/// A column of ids of one length in bytes.
#[derive(Debug)]
pub(super) struct IdColumn {
    length: usize,
    bytes: Vec<u8>,
    nulls: NullBufferBuilder,
}

impl IdColumn {
    pub(super) fn new(length: usize) -> IdColumn {
        IdColumn {
            length,
            bytes: Vec::new(),
            nulls: NullBufferBuilder::new(0),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, id: Option<&[u8]>) {
        match id {
            Some(id) => {
                self.bytes.extend_from_slice(id);
                self.nulls.append_non_null();
            }
            None => {
                self.bytes.resize(self.bytes.len() + self.length, 0);
                self.nulls.append_null();
            }
        }
    }

    pub(super) fn finish(mut self) -> ArrayRef {
        let nulls = self.nulls.finish();
        Arc::new(FixedSizeBinaryArray::new(
            self.length as i32,
            Buffer::from_vec(self.bytes),
            nulls,
        ))
    }
}

/// A column of numbers without nulls.
pub(super) fn numbers<T: ArrowPrimitiveType>(values: Vec<T::Native>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(values), None))
}

/// A column of numbers with nulls.
pub(super) fn nullable_numbers<T: ArrowPrimitiveType>(
    mut column: NullableColumn<T::Native>,
) -> ArrayRef
where
    T::Native: Default,
{
    let (values, nulls) = column.finish();
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(values), nulls))
}

/// A column of timestamps. A timestamp is null if the time is 0 or exceeds int64.
pub(super) fn timestamps(wire: Vec<u64>) -> ArrayRef {
    times(wire).0
}

/// Two columns that share a buffer: timestamps, and the times of the request as numbers. A timestamp is null if the
/// time exceeds int64 or is 0; in OTLP, 0 means that the time is unknown.
pub(super) fn times(wire: Vec<u64>) -> (ArrayRef, ArrayRef) {
    let is_time = |&time: &u64| time != 0 && i64::try_from(time).is_ok();
    let nulls =
        (!wire.iter().all(is_time)).then(|| wire.iter().map(is_time).collect::<NullBuffer>());
    let rows = wire.len();
    let buffer = Buffer::from_vec(wire);
    let timestamps = ScalarBuffer::<i64>::new(buffer.clone(), 0, rows);
    let timestamps =
        PrimitiveArray::<TimestampNanosecondType>::new(timestamps, nulls).with_timezone("UTC");
    let wire = PrimitiveArray::<arrow_array::types::UInt64Type>::new(
        ScalarBuffer::new(buffer, 0, rows),
        None,
    );
    (Arc::new(timestamps), Arc::new(wire))
}

/// A dictionary column of words. `keys` are the indexes of the words.
pub(super) fn words(keys: Vec<i32>, words: &[&str]) -> ArrayRef {
    let keys = PrimitiveArray::<Int32Type>::new(ScalarBuffer::from(keys), None);
    let words = StringArray::from_iter_values(words);
    Arc::new(DictionaryArray::new(keys, Arc::new(words)))
}

/// A list column. `ends` is 0, followed by the end of each row's items.
pub(super) fn list(
    item: &FieldRef,
    ends: Vec<i32>,
    items: ArrayRef,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    Arc::new(ListArray::new(
        item.clone(),
        OffsetBuffer::new(ScalarBuffer::from(ends)),
        items,
        nulls,
    ))
}

#[allow(
    unsafe_code,
    reason = "the decoder has checked what arrow would check again, at half of the cost of decoding"
)]
mod unchecked {
    use super::{
        Arc, ArrayRef, BinaryViewArray, Buffer, NullBuffer, ScalarBuffer, StringViewArray,
    };

    /// A column of text. [`WireReader::text`](super::WireReader::text) has checked the text of all views.
    pub(in crate::otlp) fn texts(
        views: Vec<u128>,
        buffers: &[Buffer],
        nulls: Option<NullBuffer>,
    ) -> ArrayRef {
        // SAFETY: each view was made by `make_view` over its block of `buffers`, from bytes that
        // were checked to be UTF-8, or is the empty view.
        Arc::new(unsafe {
            StringViewArray::new_unchecked(ScalarBuffer::from(views), buffers.to_vec(), nulls)
        })
    }

    /// A column of bytes.
    pub(in crate::otlp) fn bytes(
        views: Vec<u128>,
        buffers: &[Buffer],
        nulls: Option<NullBuffer>,
    ) -> ArrayRef {
        // SAFETY: each view was made by `make_view` over its block of `buffers`, or is empty.
        Arc::new(unsafe {
            BinaryViewArray::new_unchecked(ScalarBuffer::from(views), buffers.to_vec(), nulls)
        })
    }
}
pub(super) use unchecked::{bytes, texts};
