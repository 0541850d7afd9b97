//! JSON, written from its start to its end.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::otlp::descriptors::Kind;

pub(super) struct JsonWriter {
    bytes: Vec<u8>,
}

impl JsonWriter {
    pub(super) fn with_room(room: usize) -> JsonWriter {
        JsonWriter {
            bytes: Vec::with_capacity(room),
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

    /// Before an item, where it is not the first.
    #[inline]
    pub(super) fn comma(&mut self) {
        if !matches!(self.bytes.last(), Some(b'{' | b'[')) {
            self.bytes.push(b',');
        }
    }

    /// The name of the next field.
    #[inline]
    pub(super) fn name(&mut self, name: &str) {
        self.comma();
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(b"\":");
    }

    /// The default of a field that is absent.
    pub(super) fn default(&mut self, kind: Kind) {
        let default: &[u8] = match kind {
            Kind::Text | Kind::Bytes | Kind::Id(_) => b"\"\"",
            Kind::Bool => b"false",
            Kind::Double => b"0.0",
            Kind::Int64 | Kind::Uint64 | Kind::Fixed64 | Kind::Sfixed64 => b"\"0\"",
            Kind::Int32 | Kind::Sint32 | Kind::Uint32 | Kind::Fixed32 | Kind::Enum(_) => b"0",
            Kind::Message(_) => b"{}",
        };
        self.bytes.extend_from_slice(default);
    }

    #[inline]
    fn serialize(&mut self, value: &(impl Serialize + ?Sized)) {
        serde_json::to_writer(&mut self.bytes, value).expect("a vector takes all");
    }

    pub(super) fn text(&mut self, text: &str) {
        self.serialize(text);
    }

    pub(super) fn bool(&mut self, value: bool) {
        self.serialize(&value);
    }

    /// Of at most 32 bits.
    #[inline]
    pub(super) fn number(&mut self, value: impl Into<i64>) {
        self.serialize(&value.into());
    }

    /// A number of 64 bits, in quotes: not all JSON readers take it whole.
    #[inline]
    pub(super) fn quoted(&mut self, value: impl Serialize) {
        self.bytes.push(b'"');
        self.serialize(&value);
        self.bytes.push(b'"');
    }

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

    pub(super) fn base64(&mut self, bytes: &[u8]) {
        self.text(&STANDARD.encode(bytes));
    }

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
