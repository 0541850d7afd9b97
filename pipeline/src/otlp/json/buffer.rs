//! Protobuf, written from its start to its end.
//!
//! The length of a message stands before it and is known behind it. One byte is kept for it; a
//! message of 128 bytes or more moves back to make room for the others.

use crate::otlp::wire::{BYTES, FIXED32, FIXED64, VARINT};

#[derive(Debug)]
pub(super) struct MessageBuffer {
    bytes: Vec<u8>,
}

/// Any number, as it stands on the wire.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scalar {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
}

impl Scalar {
    /// By its bits: -0.0 is not the default.
    pub(super) fn is_default(self) -> bool {
        matches!(
            self,
            Scalar::Varint(0) | Scalar::Fixed64(0) | Scalar::Fixed32(0)
        )
    }

    fn wire_type(self) -> u32 {
        match self {
            Scalar::Varint(_) => VARINT,
            Scalar::Fixed64(_) => FIXED64,
            Scalar::Fixed32(_) => FIXED32,
        }
    }
}

impl MessageBuffer {
    pub(super) fn with_room(room: usize) -> MessageBuffer {
        MessageBuffer {
            bytes: Vec::with_capacity(room),
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets all that was written behind this length.
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

    /// Begins a message or packed list; [`MessageBuffer::close`] takes where its content begins.
    #[inline]
    pub(super) fn open(&mut self, number: u32) -> usize {
        self.key(number, BYTES);
        self.bytes.push(0);
        self.bytes.len()
    }

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

    /// Text or bytes.
    #[inline]
    pub(super) fn bytes(&mut self, number: u32, bytes: &[u8]) {
        self.key(number, BYTES);
        self.varint(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    /// What a decoder adds to the end, between [`MessageBuffer::open`] and [`MessageBuffer::close`].
    pub(super) fn end(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    #[inline]
    pub(super) fn scalar(&mut self, number: u32, scalar: Scalar) {
        self.key(number, scalar.wire_type());
        self.packed(scalar);
    }

    /// An item of a packed list.
    #[inline]
    pub(super) fn packed(&mut self, scalar: Scalar) {
        match scalar {
            Scalar::Varint(value) => self.varint(value),
            Scalar::Fixed64(value) => self.bytes.extend_from_slice(&value.to_le_bytes()),
            Scalar::Fixed32(value) => self.bytes.extend_from_slice(&value.to_le_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use prost::encoding::decode_varint;

    use super::MessageBuffer;

    #[test]
    fn lengths_are_as_short_as_can_be() {
        for length in [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_152] {
            let mut buffer = MessageBuffer::with_room(0);
            let start = buffer.open(1);
            buffer.end().resize(start + length, 7);
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
