//! Writes a protobuf message from its end to its start.
//!
//! ```text
//!  buffer  ░░░░░░░░░░░░░░│key│length│ content │ fields after it
//!                        └─ start: the next field is written before it
//! ```
//!
//! The length of a message precedes its content. Since the content is written first, its length is known when it must
//! be written. So no size is computed in advance, and every byte is written once. The caller writes fields in
//! descending order, and the last item of a list first.
//!
//! Fields with their default value are omitted, as proto3 specifies. `always_*` and `optional_*` are for members of a
//! oneof and for `optional` fields.

use bytes::Bytes;

mod runs;

/// A buffer that is filled from its end to its start.
#[derive(Debug)]
pub(super) struct ReverseWriter {
    buffer: Vec<u8>,
    /// The start of the written bytes.
    start: usize,
}

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const BYTES: u32 = 2;
const FIXED32: u32 = 5;

impl ReverseWriter {
    /// A writer for a message of about `capacity` bytes. It grows if the message is larger.
    pub(super) fn with_capacity(capacity: usize) -> ReverseWriter {
        ReverseWriter {
            buffer: vec![0; capacity],
            start: capacity,
        }
    }

    /// Returns the message.
    pub(super) fn finish(self) -> Bytes {
        Bytes::from(self.buffer).slice(self.start..)
    }

    fn len(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Reserves `length` bytes before the written bytes.
    #[inline]
    fn space(&mut self, length: usize) -> &mut [u8] {
        if self.start < length {
            self.grow(length);
        }
        let end = self.start;
        self.start -= length;
        &mut self.buffer[self.start..end]
    }

    #[cold]
    fn grow(&mut self, length: usize) {
        let capacity = 2 * self.buffer.len() + length;
        let mut larger = vec![0; capacity];
        let start = capacity - self.len();
        larger[start..].copy_from_slice(&self.buffer[self.start..]);
        *self = ReverseWriter {
            buffer: larger,
            start,
        };
    }

    #[inline]
    fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        self.space(N).copy_from_slice(&bytes);
    }

    #[inline]
    fn varint(&mut self, value: u64) {
        if value < 0x80 {
            self.array([value as u8]);
        } else {
            self.long_varint(value);
        }
    }

    fn long_varint(&mut self, mut value: u64) {
        let length = prost::encoding::encoded_len_varint(value);
        let (last, leading) = self
            .space(length)
            .split_last_mut()
            .expect("a varint has at least one byte");
        for byte in leading {
            *byte = value as u8 | 0x80;
            value >>= 7;
        }
        *last = value as u8;
    }

    #[inline]
    fn key(&mut self, number: u32, wire_type: u32) {
        self.varint(u64::from(number << 3 | wire_type));
    }

    /// Writes a message, even if it is empty. `write` writes its fields.
    #[inline]
    pub(super) fn message(&mut self, number: u32, write: impl FnOnce(&mut ReverseWriter)) {
        let length_before = self.len();
        write(self);
        let length = self.len() - length_before;
        self.varint(length as u64);
        self.key(number, BYTES);
    }

    /// Writes bytes or an encoded message, even if it is empty.
    #[inline]
    pub(super) fn bytes(&mut self, number: u32, bytes: &[u8]) {
        self.space(bytes.len()).copy_from_slice(bytes);
        self.varint(bytes.len() as u64);
        self.key(number, BYTES);
    }

    /// Writes an id. Its length must be below 128.
    #[inline]
    pub(super) fn id<const LENGTH: usize>(&mut self, number: u32, id: [u8; LENGTH]) {
        debug_assert!(number < 16, "its key is one byte");
        self.array(id);
        self.array([(number << 3 | BYTES) as u8, LENGTH as u8]);
    }

    #[inline]
    pub(super) fn text(&mut self, number: u32, text: &str) {
        if !text.is_empty() {
            self.bytes(number, text.as_bytes());
        }
    }

    #[inline]
    pub(super) fn uint(&mut self, number: u32, value: u64) {
        if value != 0 {
            self.varint(value);
            self.key(number, VARINT);
        }
    }

    /// Writes an int32 or enum. Negative values take ten bytes.
    #[inline]
    pub(super) fn int32(&mut self, number: u32, value: i32) {
        self.uint(number, i64::from(value) as u64);
    }

    #[inline]
    pub(super) fn sint32(&mut self, number: u32, value: i32) {
        self.uint(number, u64::from((value << 1 ^ value >> 31) as u32));
    }

    #[inline]
    pub(super) fn fixed64(&mut self, number: u32, value: u64) {
        if value != 0 {
            self.always_fixed64(number, value);
        }
    }

    #[inline]
    pub(super) fn always_fixed64(&mut self, number: u32, value: u64) {
        debug_assert!(number < 16, "its key is one byte");
        let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
        self.array([(number << 3 | FIXED64) as u8, a, b, c, d, e, f, g, h]);
    }

    #[inline]
    pub(super) fn fixed32(&mut self, number: u32, value: u32) {
        if value != 0 {
            self.array(value.to_le_bytes());
            self.key(number, FIXED32);
        }
    }

    /// Writes a double, unless all its bits are 0: -0.0 is written.
    #[inline]
    pub(super) fn double(&mut self, number: u32, value: f64) {
        self.fixed64(number, value.to_bits());
    }

    #[inline]
    pub(super) fn optional_double(&mut self, number: u32, value: Option<f64>) {
        if let Some(value) = value {
            self.always_fixed64(number, value.to_bits());
        }
    }

    /// Writes a packed list of fixed64 or double.
    pub(super) fn packed_fixed64<T: Copy>(
        &mut self,
        number: u32,
        values: &[T],
        bytes: impl Fn(T) -> [u8; 8],
    ) {
        if values.is_empty() {
            return;
        }
        let length = values.len() * 8;
        let slots = self.space(length).chunks_exact_mut(8);
        for (slot, value) in slots.zip(values) {
            slot.copy_from_slice(&bytes(*value));
        }
        self.varint(length as u64);
        self.key(number, BYTES);
    }

    /// Writes a packed list of varints.
    pub(super) fn packed_varints(&mut self, number: u32, values: &[u64]) {
        if values.is_empty() {
            return;
        }
        self.message(number, |out| {
            values.iter().rev().for_each(|&value| out.varint(value));
        });
    }

    /// Writes a run of length-delimited fields (attributes) with the field number `number`, which must be below 16.
    /// Copies the run, and replaces keys with other numbers in place.
    pub(super) fn run(&mut self, number: u32, run: &[u8]) {
        debug_assert!(number < 16, "its key is one byte");
        let key = (number << 3 | BYTES) as u8;
        let copy = self.space(run.len());
        copy.copy_from_slice(run);
        if !runs::has_keys(run, key) && !runs::set_keys(copy, key) {
            self.start += run.len();
            self.rewrite(number, run);
        }
    }

    /// Writes a run that has keys of several bytes or a malformed end. The malformed end is omitted.
    #[cold]
    fn rewrite(&mut self, number: u32, mut run: &[u8]) {
        let mut entries = Vec::new();
        while let Some(entry) = runs::next_entry(&mut run) {
            entries.push(entry);
        }
        for entry in entries.into_iter().rev() {
            self.bytes(number, entry);
        }
    }
}

#[cfg(test)]
mod tests;
