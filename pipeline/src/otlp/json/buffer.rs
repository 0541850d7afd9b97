//! Writes protobuf from the start to the end.
//!
//! The length of a message precedes its content, but is known only when the content is written. So one byte is reserved
//! for the length. If the content has 128 bytes or more, it is moved, since its length needs more bytes.

use crate::otlp::wire::{BYTES, FIXED32, FIXED64, VARINT};

/// A buffer to which protobuf fields are appended.
#[derive(Debug)]
pub(super) struct MessageBuffer {
    bytes: Vec<u8>,
}

/// A number of any type, as encoded on the wire.
#[derive(Clone, Copy, Debug)]
pub(super) enum WireNumber {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
}

impl WireNumber {
    /// Whether all bits are 0: -0.0 is not the default.
    pub(super) fn is_default(self) -> bool {
        matches!(
            self,
            WireNumber::Varint(0) | WireNumber::Fixed64(0) | WireNumber::Fixed32(0)
        )
    }

    fn wire_type(self) -> u32 {
        match self {
            WireNumber::Varint(_) => VARINT,
            WireNumber::Fixed64(_) => FIXED64,
            WireNumber::Fixed32(_) => FIXED32,
        }
    }
}

impl MessageBuffer {
    pub(super) fn with_capacity(capacity: usize) -> MessageBuffer {
        MessageBuffer {
            bytes: Vec::with_capacity(capacity),
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Removes all bytes after this length.
    pub(super) fn truncate(&mut self, length: usize) {
        self.bytes.truncate(length);
    }

    #[inline]
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    #[inline]
    fn key(&mut self, number: u32, wire_type: u32) {
        self.varint(u64::from(number << 3 | wire_type));
    }

    /// Begins a message or packed list. Returns the start of its content, for [`MessageBuffer::close`].
    #[inline]
    pub(super) fn open(&mut self, number: u32) -> usize {
        self.key(number, BYTES);
        self.bytes.push(0);
        self.bytes.len()
    }

    /// Ends the message or packed list whose content begins at `start`, and writes its length.
    #[inline]
    pub(super) fn close(&mut self, start: usize) {
        let length = self.bytes.len() - start;
        if length < 0x80 {
            self.bytes[start - 1] = length as u8;
        } else {
            self.close_long(start, length);
        }
    }

    fn close_long(&mut self, start: usize, length: usize) {
        let more = prost::encoding::encoded_len_varint(length as u64) - 1;
        self.bytes.resize(self.bytes.len() + more, 0);
        self.bytes.copy_within(start..start + length, start + more);
        let mut rest = length;
        for byte in &mut self.bytes[start - 1..start + more] {
            *byte = rest as u8 | 0x80;
            rest >>= 7;
        }
        self.bytes[start + more - 1] &= 0x7f;
    }

    /// Appends a field of text or bytes.
    #[inline]
    pub(super) fn bytes(&mut self, number: u32, bytes: &[u8]) {
        self.key(number, BYTES);
        self.varint(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    /// The bytes, for a decoder that appends between [`MessageBuffer::open`] and [`MessageBuffer::close`].
    pub(super) fn raw(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Appends a field with a number.
    #[inline]
    pub(super) fn number(&mut self, number: u32, value: WireNumber) {
        self.key(number, value.wire_type());
        self.packed(value);
    }

    /// Appends an item of a packed list.
    #[inline]
    pub(super) fn packed(&mut self, value: WireNumber) {
        match value {
            WireNumber::Varint(value) => self.varint(value),
            WireNumber::Fixed64(value) => self.bytes.extend_from_slice(&value.to_le_bytes()),
            WireNumber::Fixed32(value) => self.bytes.extend_from_slice(&value.to_le_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use prost::encoding::decode_varint;

    use super::MessageBuffer;

    #[test]
    fn lengths_have_the_shortest_encoding() {
        for length in [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_152] {
            let mut buffer = MessageBuffer::with_capacity(0);
            let start = buffer.open(1);
            buffer.raw().resize(start + length, 7);
            buffer.close(start);
            let bytes = buffer.finish();
            let mut rest = &bytes[1..];
            assert_eq!(decode_varint(&mut rest).unwrap(), length as u64);
            assert_eq!(rest, vec![7; length]);
            let expected = prost::encoding::encoded_len_varint(length as u64);
            assert_eq!(bytes.len() - 1 - length, expected);
        }
    }
}
