//! Writes JSON from the start to the end.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::otlp::descriptors::FieldType;

/// A buffer to which JSON is appended.
pub(super) struct JsonWriter {
    bytes: Vec<u8>,
}

impl JsonWriter {
    pub(super) fn with_capacity(capacity: usize) -> JsonWriter {
        JsonWriter {
            bytes: Vec::with_capacity(capacity),
        }
    }

    pub(super) fn finish(self) -> String {
        String::from_utf8(self.bytes).expect("names, numbers and text are UTF-8")
    }

    pub(super) fn open(&mut self, bracket: u8) {
        self.bytes.push(bracket);
    }

    pub(super) fn close(&mut self, bracket: u8) {
        self.bytes.push(bracket);
    }

    /// Writes a comma, unless the next item is the first one.
    #[inline]
    pub(super) fn comma(&mut self) {
        if !matches!(self.bytes.last(), Some(b'{' | b'[')) {
            self.bytes.push(b',');
        }
    }

    /// Writes the name of the next field.
    #[inline]
    pub(super) fn name(&mut self, name: &str) {
        self.comma();
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(b"\":");
    }

    /// Writes the default of a field.
    pub(super) fn default(&mut self, kind: FieldType) {
        let default: &[u8] = match kind {
            FieldType::Text | FieldType::Bytes | FieldType::Id(_) => b"\"\"",
            FieldType::Bool => b"false",
            FieldType::Double => b"0.0",
            FieldType::Int64 | FieldType::Uint64 | FieldType::Fixed64 | FieldType::Sfixed64 => {
                b"\"0\""
            }
            FieldType::Int32
            | FieldType::Sint32
            | FieldType::Uint32
            | FieldType::Fixed32
            | FieldType::Enum(_) => b"0",
            FieldType::Message(_) => b"{}",
        };
        self.bytes.extend_from_slice(default);
    }

    #[inline]
    fn serialize(&mut self, value: &(impl Serialize + ?Sized)) {
        serde_json::to_writer(&mut self.bytes, value).expect("writing to a vector cannot fail");
    }

    /// Writes text, with quotes and escapes.
    pub(super) fn text(&mut self, text: &str) {
        self.serialize(text);
    }

    pub(super) fn bool(&mut self, value: bool) {
        self.serialize(&value);
    }

    /// Writes a number of at most 32 bits.
    #[inline]
    pub(super) fn number(&mut self, value: impl Into<i64>) {
        self.serialize(&value.into());
    }

    /// Writes a number of 64 bits in quotes, since some JSON readers would lose precision.
    #[inline]
    pub(super) fn quoted(&mut self, value: impl Serialize) {
        self.bytes.push(b'"');
        self.serialize(&value);
        self.bytes.push(b'"');
    }

    /// Writes a double. NaN and the infinities are written as text.
    #[inline]
    pub(super) fn double(&mut self, value: f64) {
        if value.is_finite() {
            return self.serialize(&value);
        }
        let special: &[u8] = if value.is_nan() {
            b"\"NaN\""
        } else if value > 0.0 {
            b"\"Infinity\""
        } else {
            b"\"-Infinity\""
        };
        self.bytes.extend_from_slice(special);
    }

    /// Writes bytes as base64.
    pub(super) fn base64(&mut self, bytes: &[u8]) {
        self.text(&STANDARD.encode(bytes));
    }

    /// Writes bytes as hexadecimal digits.
    #[inline]
    pub(super) fn hex(&mut self, bytes: &[u8]) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.bytes.push(b'"');
        for byte in bytes {
            let pair = [
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ];
            self.bytes.extend_from_slice(&pair);
        }
        self.bytes.push(b'"');
    }
}
