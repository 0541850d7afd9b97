//! Column vectors that grow during the walk and become arrays at its end.

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
use super::wire::{Reader, Result};

/// The buffers that views lead into: the request, and what had to be copied together.
#[derive(Debug, Default)]
pub(super) struct Side {
    copied: Vec<u8>,
}

const REQUEST: u32 = 0;
const COPIED: u32 = 1;

impl Side {
    /// Both, in the order of the views' block numbers.
    pub(super) fn buffers(self, request: Buffer) -> Vec<Buffer> {
        if self.copied.is_empty() {
            vec![request]
        } else {
            vec![request, Buffer::from_vec(self.copied)]
        }
    }

    /// A view of text that stands in the request or was copied.
    pub(super) fn text(&mut self, reader: &Reader<'_>, text: &str) -> u128 {
        match reader.offset_of(text.as_bytes()) {
            Some(offset) => make_view(text.as_bytes(), REQUEST, offset as u32),
            None => self.add(text.as_bytes()),
        }
    }

    fn add(&mut self, bytes: &[u8]) -> u128 {
        let offset = self.copied.len() as u32;
        self.copied.extend_from_slice(bytes);
        make_view(bytes, COPIED, offset)
    }
}

/// A view of bytes that stand in the request.
#[inline]
pub(super) fn view(reader: &Reader<'_>, range: Range<usize>) -> u128 {
    let offset = range.start as u32;
    make_view(reader.slice(range), REQUEST, offset)
}

/// The empty view.
pub(super) const EMPTY: u128 = 0;

/// Entries of one attributes field, gathered while its message is walked.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Entries that stand one behind the other, with their keys and lengths.
    contiguous: Range<usize>,
    /// What was copied together, where they do not.
    copied: Vec<u8>,
}

impl Run {
    /// Takes the `KeyValue` field whose key begins at `start`.
    #[inline]
    pub(super) fn add(&mut self, reader: &mut Reader<'_>, start: usize) -> Result<()> {
        let range = reader.range()?;
        if !check::key_value(reader.within(range.clone()))? {
            return self.rewrite(reader, range);
        }
        self.append(reader, start..range.end);
        Ok(())
    }

    /// Takes a whole field that has been checked.
    #[inline]
    pub(super) fn append(&mut self, reader: &Reader<'_>, field: Range<usize>) {
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

    #[cold]
    fn rewrite(&mut self, reader: &Reader<'_>, entry: Range<usize>) -> Result<()> {
        let canonical = check::canonical_key_value(reader.slice(entry.clone()), entry.start)?;
        self.spill(reader);
        self.copied.push(1 << 3 | 2);
        prost::encoding::encode_varint(canonical.len() as u64, &mut self.copied);
        self.copied.extend_from_slice(&canonical);
        Ok(())
    }

    #[cold]
    fn spill(&mut self, reader: &Reader<'_>) {
        self.copied
            .extend_from_slice(reader.slice(self.contiguous.clone()));
        self.contiguous = 0..0;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.contiguous.is_empty() && self.copied.is_empty()
    }

    /// The whole run.
    pub(super) fn bytes<'a>(&'a self, reader: &Reader<'a>) -> &'a [u8] {
        if self.copied.is_empty() {
            reader.slice(self.contiguous.clone())
        } else {
            &self.copied
        }
    }

    /// The whole run as one view.
    #[inline]
    pub(super) fn finish(&self, reader: &Reader<'_>, side: &mut Side) -> u128 {
        if self.copied.is_empty() {
            if self.contiguous.is_empty() {
                EMPTY
            } else {
                view(reader, self.contiguous.clone())
            }
        } else {
            side.add(&self.copied)
        }
    }
}

/// One `AnyValue` field, which may come several times and then is merged.
#[derive(Debug, Default)]
pub(super) struct OneValue {
    found: Option<Range<usize>>,
    merged: Option<Vec<u8>>,
}

impl OneValue {
    pub(super) fn add(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        let range = reader.range()?;
        let canonical = check::any_value(reader.within(range.clone()))?;
        match (&self.found, &mut self.merged) {
            (None, None) if canonical => self.found = Some(range),
            (earlier, merged) => {
                // Messages that stand one behind the other are merged.
                let mut bytes = merged.take().unwrap_or_default();
                if let Some(earlier) = earlier.clone() {
                    bytes.extend_from_slice(reader.slice(earlier));
                }
                bytes.extend_from_slice(reader.slice(range.clone()));
                self.merged = Some(check::canonical_any_value(&bytes, range.start)?);
                self.found = None;
            }
        }
        Ok(())
    }

    pub(super) fn finish(&self, reader: &Reader<'_>, side: &mut Side) -> Option<u128> {
        match (&self.found, &self.merged) {
            (Some(range), _) => Some(view(reader, range.clone())),
            (None, Some(merged)) => Some(side.add(merged)),
            (None, None) => None,
        }
    }
}

/// A nullable column.
#[derive(Debug)]
pub(super) struct Nullable<T> {
    pub(super) values: Vec<T>,
    nulls: NullBufferBuilder,
}

impl<T: Copy + Default> Nullable<T> {
    pub(super) fn new() -> Nullable<T> {
        Nullable {
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

/// A column of ids, all of one length.
#[derive(Debug)]
pub(super) struct Ids {
    length: usize,
    bytes: Vec<u8>,
    nulls: NullBufferBuilder,
}

impl Ids {
    pub(super) fn new(length: usize) -> Ids {
        Ids {
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

pub(super) fn numbers<T: ArrowPrimitiveType>(values: Vec<T::Native>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(values), None))
}

pub(super) fn nullable_numbers<T: ArrowPrimitiveType>(mut column: Nullable<T::Native>) -> ArrayRef
where
    T::Native: Default,
{
    let (values, nulls) = column.finish();
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(values), nulls))
}

/// Timestamps; null where int64 does not hold them.
pub(super) fn timestamps(wire: Vec<u64>) -> ArrayRef {
    times(wire).0
}

/// Times as they came, and the same buffer as timestamps: null where int64 does not hold them, or
/// where they are 0, which is OTLP's way to say that there is none.
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

/// A column of few words, by index.
pub(super) fn words(keys: Vec<i32>, words: &[&str]) -> ArrayRef {
    let keys = PrimitiveArray::<Int32Type>::new(ScalarBuffer::from(keys), None);
    let words = StringArray::from_iter_values(words);
    Arc::new(DictionaryArray::new(keys, Arc::new(words)))
}

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
    reason = "the walk has checked what arrow would check again; it is half of the cost"
)]
mod unchecked {
    use super::{
        Arc, ArrayRef, BinaryViewArray, Buffer, NullBuffer, ScalarBuffer, StringViewArray,
    };

    /// Views of text that [`Reader::text`](super::Reader::text) has checked.
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

    /// Views of bytes.
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
