//! Reads attributes in place, without allocation.

use super::wire::{WireField, next_field};

/// A value that borrows from the encoded bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// An empty `AnyValue`, or a `KeyValue` without a value.
    Empty,
    Text(&'a str),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(&'a [u8]),
    Array(Array<'a>),
    Map(Map<'a>),
}

impl<'a> Value<'a> {
    /// The text; `None` if the value has another type.
    pub fn as_text(self) -> Option<&'a str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The integer; `None` if the value has another type.
    pub fn as_int(self) -> Option<i64> {
        match self {
            Value::Int(int) => Some(int),
            _ => None,
        }
    }
}

/// The items of an array value, in order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Array<'a>(&'a [u8]);

impl<'a> Array<'a> {
    /// The decoded items.
    pub fn iter(self) -> impl Iterator<Item = Value<'a>> {
        self.items().map(value)
    }

    /// The items as encoded `AnyValue`s.
    pub(super) fn items(self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            loop {
                match next_field(&mut rest)? {
                    (1, WireField::Bytes(item)) => return Some(item),
                    _ => continue,
                }
            }
        })
    }
}

/// A run of `KeyValue` messages.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Map<'a>(&'a [u8]);

impl<'a> Map<'a> {
    /// Wraps checked bytes.
    pub fn new(bytes: &'a [u8]) -> Map<'a> {
        Map(bytes)
    }

    /// Whether the map has no entries.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Keys and values in order, including duplicate keys.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        self.entries()
            .map(|(key, value_bytes)| (text(key), value(value_bytes)))
    }

    /// The first value of this key.
    pub fn get(self, key: &str) -> Option<Value<'a>> {
        self.encoded(key).map(value)
    }

    /// The first value of this key, as an encoded `AnyValue`.
    pub fn encoded(self, key: &str) -> Option<&'a [u8]> {
        self.entries()
            .find(|(candidate, _)| *candidate == key.as_bytes())
            .map(|(_, value_bytes)| value_bytes)
    }

    /// The first value of this key, if it is text.
    pub fn text(self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_text()
    }

    /// Keys and encoded `AnyValue`s in order, neither decoded nor checked. This is for callers that need few of many
    /// entries: [`value`] decodes one value.
    pub fn entries(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            loop {
                if let (_, WireField::Bytes(entry)) = next_field(&mut rest)? {
                    return Some(key_value(entry));
                }
            }
        })
    }
}

/// The key and the encoded `AnyValue` of a `KeyValue`.
pub(super) fn key_value(mut entry: &[u8]) -> (&[u8], &[u8]) {
    let (mut key, mut value): (&[u8], &[u8]) = (&[], &[]);
    while let Some((number, field)) = next_field(&mut entry) {
        match (number, field) {
            (1, WireField::Bytes(bytes)) => key = bytes,
            (2, WireField::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    (key, value)
}

/// Decodes one `AnyValue`. If it has several fields, the last one is used, since they are a oneof.
pub fn value(mut bytes: &[u8]) -> Value<'_> {
    let mut decoded = Value::Empty;
    while let Some(field) = next_field(&mut bytes) {
        match field {
            (1, WireField::Bytes(bytes)) => decoded = Value::Text(text(bytes)),
            (2, WireField::Varint(bits)) => decoded = Value::Bool(bits != 0),
            (3, WireField::Varint(bits)) => decoded = Value::Int(bits as i64),
            (4, WireField::Fixed64(bits)) => decoded = Value::Double(f64::from_le_bytes(bits)),
            (5, WireField::Bytes(bytes)) => decoded = Value::Array(Array(bytes)),
            (6, WireField::Bytes(bytes)) => decoded = Value::Map(Map(bytes)),
            (7, WireField::Bytes(bytes)) => decoded = Value::Bytes(bytes),
            _ => {}
        }
    }
    decoded
}

/// The value of a key in an `AnyValue` that is a map, as an encoded `AnyValue`.
pub fn value_bytes_of<'a>(any_value: &'a [u8], key: &str) -> Option<&'a [u8]> {
    match value(any_value) {
        Value::Map(map) => map.encoded(key),
        _ => None,
    }
}

/// The item at an index (from 0) in an `AnyValue` that is an array, as an encoded `AnyValue`.
pub fn value_at_index(any_value: &[u8], index: usize) -> Option<&[u8]> {
    match value(any_value) {
        Value::Array(array) => array.items().nth(index),
        _ => None,
    }
}

/// Decodes UTF-8. Checked bytes are valid; invalid bytes are read as empty text.
fn text(bytes: &[u8]) -> &str {
    simdutf8::basic::from_utf8(bytes).unwrap_or_default()
}
