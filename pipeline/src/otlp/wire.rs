//! Reads protobuf's wire format in one forward walk (<https://protobuf.dev/programming-guides/encoding/>). Errors have
//! the position of the problem.

use std::ops::Range;

/// The request is malformed. None of its rows is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}{}", at_byte(*offset))]
pub struct DecodeError {
    /// What is wrong.
    pub reason: String,
    /// The position in the uncompressed request; `None` if `reason` contains the path, or the position is unknown.
    pub offset: Option<usize>,
}

fn at_byte(offset: Option<usize>) -> String {
    offset
        .map(|offset| format!(" at byte {offset}"))
        .unwrap_or_default()
}

/// The error is boxed, so that a result fits in registers.
pub(super) type Result<T> = std::result::Result<T, Box<DecodeError>>;

impl From<Box<DecodeError>> for DecodeError {
    fn from(boxed: Box<DecodeError>) -> DecodeError {
        *boxed
    }
}

/// The nesting limit of messages, as in prost and in Google's own implementations.
pub(super) const MAX_DEPTH: u32 = 100;

pub(super) const VARINT: u32 = 0;
pub(super) const FIXED64: u32 = 1;
pub(super) const BYTES: u32 = 2;
const START_GROUP: u32 = 3;
const END_GROUP: u32 = 4;
pub(super) const FIXED32: u32 = 5;

/// Field keys for patterns, each a field number with a wire type: `BYTES_1` is field 1, length-delimited.
pub(super) mod keys {
    macro_rules! keys {
        ($($name:ident = $number:literal $wire_type:ident),+ $(,)?) => {
            $( pub(in crate::otlp) const $name: u32 = $number << 3 | super::$wire_type; )+
        };
    }
    keys! {
        VARINT_1 = 1 VARINT,
        VARINT_2 = 2 VARINT,
        VARINT_3 = 3 VARINT,
        VARINT_4 = 4 VARINT,
        VARINT_5 = 5 VARINT,
        VARINT_6 = 6 VARINT,
        VARINT_7 = 7 VARINT,
        VARINT_8 = 8 VARINT,
        VARINT_10 = 10 VARINT,
        VARINT_12 = 12 VARINT,
        VARINT_14 = 14 VARINT,
        FIXED64_1 = 1 FIXED64,
        FIXED64_2 = 2 FIXED64,
        FIXED64_3 = 3 FIXED64,
        FIXED64_4 = 4 FIXED64,
        FIXED64_5 = 5 FIXED64,
        FIXED64_6 = 6 FIXED64,
        FIXED64_7 = 7 FIXED64,
        FIXED64_8 = 8 FIXED64,
        FIXED64_11 = 11 FIXED64,
        FIXED64_12 = 12 FIXED64,
        FIXED64_13 = 13 FIXED64,
        FIXED64_14 = 14 FIXED64,
        BYTES_1 = 1 BYTES,
        BYTES_2 = 2 BYTES,
        BYTES_3 = 3 BYTES,
        BYTES_4 = 4 BYTES,
        BYTES_5 = 5 BYTES,
        BYTES_6 = 6 BYTES,
        BYTES_7 = 7 BYTES,
        BYTES_8 = 8 BYTES,
        BYTES_9 = 9 BYTES,
        BYTES_10 = 10 BYTES,
        BYTES_11 = 11 BYTES,
        BYTES_12 = 12 BYTES,
        BYTES_13 = 13 BYTES,
        BYTES_15 = 15 BYTES,
        FIXED32_6 = 6 FIXED32,
        FIXED32_8 = 8 FIXED32,
        FIXED32_16 = 16 FIXED32,
    }
}

/// Reads one message of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct WireReader<'a> {
    bytes: &'a [u8],
    pos: usize,
    end: usize,
    /// The number of messages that contain this message.
    depth: u32,
}

impl<'a> WireReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> WireReader<'a> {
        WireReader {
            bytes,
            pos: 0,
            end: bytes.len(),
            depth: 0,
        }
    }

    /// A reader of the message in a range of this message.
    pub(super) fn within(&self, range: Range<usize>) -> WireReader<'a> {
        WireReader {
            bytes: self.bytes,
            pos: range.start,
            end: range.end,
            depth: self.depth + 1,
        }
    }

    /// A reader of a range of this message, which consists of whole fields.
    pub(super) fn part(&self, range: Range<usize>) -> WireReader<'a> {
        WireReader {
            pos: range.start,
            end: range.end,
            ..*self
        }
    }

    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    #[inline]
    pub(super) fn check_depth(&self) -> Result<()> {
        if self.depth > MAX_DEPTH {
            return Err(self.error(format!("messages nested deeper than {MAX_DEPTH}")));
        }
        Ok(())
    }

    /// The position in the request.
    pub(super) fn pos(&self) -> usize {
        self.pos
    }

    /// The bytes that were not read yet.
    #[inline(always)]
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.pos..self.end]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pos == self.end
    }

    /// A range of the request.
    pub(super) fn slice(&self, range: Range<usize>) -> &'a [u8] {
        &self.bytes[range]
    }

    /// The position of a slice of the request; `None` if the bytes are not in the request.
    pub(super) fn offset_of(&self, part: &[u8]) -> Option<usize> {
        let offset = (part.as_ptr() as usize).checked_sub(self.bytes.as_ptr() as usize)?;
        (offset + part.len() <= self.bytes.len()).then_some(offset)
    }

    /// An error at the current position.
    #[cold]
    pub(super) fn error(&self, reason: impl Into<String>) -> Box<DecodeError> {
        Box::new(DecodeError {
            reason: reason.into(),
            offset: Some(self.pos),
        })
    }

    /// Reads the key of the next field; `None` at the end of the message.
    #[inline(always)]
    pub(super) fn next_key(&mut self) -> Result<Option<u32>> {
        if self.pos == self.end {
            return Ok(None);
        }
        let start = self.pos;
        let first = self.bytes[start];
        if first.wrapping_sub(8) < 0x78 {
            self.pos += 1;
            return Ok(Some(u32::from(first)));
        }
        self.long_key(start)
    }

    #[cold]
    fn long_key(&mut self, start: usize) -> Result<Option<u32>> {
        let key = self.varint()?;
        let Ok(key) = u32::try_from(key) else {
            return Err(self.within(start..start).error("field key over 32 bits"));
        };
        if key < 8 {
            return Err(self.within(start..start).error("field number 0"));
        }
        Ok(Some(key))
    }

    #[inline(always)]
    pub(super) fn varint(&mut self) -> Result<u64> {
        match self.bytes[self.pos..self.end] {
            [byte, ..] if byte < 0x80 => {
                self.pos += 1;
                Ok(u64::from(byte))
            }
            // Most lengths of messages have two bytes.
            [low, high, ..] if high < 0x80 => {
                self.pos += 2;
                Ok(u64::from(low & 0x7f) | u64::from(high) << 7)
            }
            _ => self.long_varint(),
        }
    }

    #[cold]
    fn long_varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for (index, &byte) in self.bytes[self.pos..self.end].iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                if index == 9 && byte > 1 {
                    return Err(self.error("varint over 64 bits"));
                }
                self.pos += index + 1;
                return Ok(value);
            }
        }
        if self.end - self.pos >= 10 {
            return Err(self.error("varint over 10 bytes"));
        }
        Err(self.error("truncated varint"))
    }

    /// Reads a uint32 or int32: the low 32 bits, as protobuf specifies.
    #[inline(always)]
    pub(super) fn uint32(&mut self) -> Result<u32> {
        Ok(self.varint()? as u32)
    }

    #[inline]
    pub(super) fn sint32(&mut self) -> Result<i32> {
        let bits = self.uint32()?;
        Ok((bits >> 1) as i32 ^ -((bits & 1) as i32))
    }

    #[inline(always)]
    pub(super) fn fixed64(&mut self) -> Result<u64> {
        self.fixed().map(u64::from_le_bytes)
    }

    #[inline(always)]
    pub(super) fn fixed32(&mut self) -> Result<u32> {
        self.fixed().map(u32::from_le_bytes)
    }

    #[inline(always)]
    pub(super) fn double(&mut self) -> Result<f64> {
        self.fixed().map(f64::from_le_bytes)
    }

    #[inline(always)]
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        match self.bytes[self.pos..self.end].first_chunk::<N>() {
            Some(bytes) => {
                self.pos += N;
                Ok(*bytes)
            }
            None => Err(self.error("truncated number")),
        }
    }

    /// Reads a length-delimited field and returns the range of its bytes.
    #[inline(always)]
    pub(super) fn range(&mut self) -> Result<Range<usize>> {
        let start = self.pos;
        let length = self.varint()?;
        if length > (self.end - self.pos) as u64 {
            return Err(self.too_long(start, length));
        }
        let from = self.pos;
        self.pos += length as usize;
        Ok(from..self.pos)
    }

    #[cold]
    fn too_long(&self, start: usize, length: u64) -> Box<DecodeError> {
        let left = self.end - self.pos;
        self.within(start..start)
            .error(format!("length {length} where only {left} bytes are left"))
    }

    /// Reads a length-delimited field and returns a reader of the message in it.
    #[inline(always)]
    pub(super) fn message(&mut self) -> Result<WireReader<'a>> {
        let range = self.range()?;
        Ok(self.within(range))
    }

    /// Reads text, checks that it is UTF-8 and returns its range.
    #[inline(always)]
    pub(super) fn text(&mut self) -> Result<Range<usize>> {
        let range = self.range()?;
        if self.bytes[range.clone()].is_ascii() {
            return Ok(range);
        }
        self.utf8(range)
    }

    /// Reads text and checks that it is UTF-8.
    #[inline]
    pub(super) fn utf8_text(&mut self) -> Result<&'a str> {
        let range = self.range()?;
        simdutf8::basic::from_utf8(&self.bytes[range.clone()])
            .map_err(|_| self.within(range).error("text that is not UTF-8"))
    }

    #[cold]
    fn utf8(&self, range: Range<usize>) -> Result<Range<usize>> {
        if simdutf8::basic::from_utf8(&self.bytes[range.clone()]).is_ok() {
            return Ok(range);
        }
        Err(self.within(range).error("text that is not UTF-8"))
    }

    /// Reads an id of exactly `length` bytes; `None` if it is empty.
    #[inline(always)]
    pub(super) fn id(&mut self, length: usize, name: &str) -> Result<Option<&'a [u8]>> {
        let range = self.range()?;
        match range.len() {
            0 => Ok(None),
            found if found == length => Ok(Some(&self.bytes[range])),
            found => Err(self
                .within(range)
                .error(format!("{name} of {found} bytes, not {length}"))),
        }
    }

    /// Skips a field with a key that the caller does not accept. `field_numbers` has a bit for each field number of the
    /// message. If the message has this field number, the wire type is wrong, which is an error.
    #[cold]
    pub(super) fn skip(&mut self, key: u32, field_numbers: u64) -> Result<()> {
        self.skip_nested(key, field_numbers, self.depth)
    }

    /// Skips a field of any number.
    #[inline]
    pub(super) fn pass(&mut self, key: u32) -> Result<()> {
        match key & 7 {
            VARINT => self.varint().map(drop),
            FIXED64 => self.fixed64().map(drop),
            BYTES => self.range().map(drop),
            FIXED32 => self.fixed32().map(drop),
            _ => self.skip(key, 0),
        }
    }

    fn skip_nested(&mut self, key: u32, field_numbers: u64, depth: u32) -> Result<()> {
        let number = key >> 3;
        if number < 64 && field_numbers & 1 << number != 0 {
            return Err(self.error(format!("field {number} with wire type {}", key & 7)));
        }
        // The same limit as in prost.
        if depth >= MAX_DEPTH {
            return Err(self.error(format!("fields nested deeper than {MAX_DEPTH}")));
        }
        match key & 7 {
            VARINT => self.varint().map(drop),
            FIXED64 => self.fixed64().map(drop),
            BYTES => self.range().map(drop),
            FIXED32 => self.fixed32().map(drop),
            START_GROUP => loop {
                match self.next_key()? {
                    None => return Err(self.error("group without an end")),
                    Some(end) if end & 7 == END_GROUP => {
                        return if end >> 3 == number {
                            Ok(())
                        } else {
                            Err(self.error("end of another group"))
                        };
                    }
                    Some(inner) => self.skip_nested(inner, 0, depth + 1)?,
                }
            },
            END_GROUP => Err(self.error("end of a group that did not begin")),
            other => Err(self.error(format!("wire type {other}"))),
        }
    }
}

/// The set of the field numbers of a message, as bits, for [`WireReader::skip`].
pub(super) const fn number_bits<const N: usize>(numbers: [u32; N]) -> u64 {
    let mut bits = 0;
    let mut index = 0;
    while index < N {
        bits |= 1 << numbers[index];
        index += 1;
    }
    bits
}
