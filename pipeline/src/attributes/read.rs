//! Reads attributes where they stand, without building anything.

use super::wire::{Field, next_field};

/// A value, borrowed from the bytes it stands in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// An `AnyValue` with nothing in it, or none at all.
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
    /// The text, unless it is of another type.
    pub fn as_text(self) -> Option<&'a str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, unless it is of another type.
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
    pub fn iter(self) -> impl Iterator<Item = Value<'a>> {
        self.items().map(value)
    }

    /// The items as encoded `AnyValue`s.
    pub(super) fn items(self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            loop {
                match next_field(&mut rest)? {
                    (1, Field::Bytes(item)) => return Some(item),
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
    /// Reads checked bytes.
    pub fn new(bytes: &'a [u8]) -> Map<'a> {
        Map(bytes)
    }

    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Keys and values in order; a key that stands twice comes twice.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        self.entries()
            .map(|(key, value_bytes)| (text(key), value(value_bytes)))
    }

    /// The first value of this key.
    pub fn get(self, key: &str) -> Option<Value<'a>> {
        self.encoded(key).map(value)
    }

    /// The first value of this key as it stands, an encoded `AnyValue`.
    pub fn encoded(self, key: &str) -> Option<&'a [u8]> {
        self.entries()
            .find(|(candidate, _)| *candidate == key.as_bytes())
            .map(|(_, value_bytes)| value_bytes)
    }

    /// The first value of this key, if it is text.
    pub fn text(self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_text()
    }

    /// Keys and encoded `AnyValue`s in order, neither looked at further: for who wants a few of
    /// many. [`value`] reads one.
    pub fn entries(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            loop {
                if let (_, Field::Bytes(entry)) = next_field(&mut rest)? {
                    return Some(key_value(entry));
                }
            }
        })
    }
}

pub(super) fn key_value(mut entry: &[u8]) -> (&[u8], &[u8]) {
    let (mut key, mut value): (&[u8], &[u8]) = (&[], &[]);
    while let Some((number, field)) = next_field(&mut entry) {
        match (number, field) {
            (1, Field::Bytes(bytes)) => key = bytes,
            (2, Field::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    (key, value)
}

/// Reads one `AnyValue`; of several fields the last counts (it is a oneof).
pub fn value(mut bytes: &[u8]) -> Value<'_> {
    let mut found = Value::Empty;
    while let Some(field) = next_field(&mut bytes) {
        match field {
            (1, Field::Bytes(bytes)) => found = Value::Text(text(bytes)),
            (2, Field::Varint(bits)) => found = Value::Bool(bits != 0),
            (3, Field::Varint(bits)) => found = Value::Int(bits as i64),
            (4, Field::Fixed64(bits)) => found = Value::Double(f64::from_le_bytes(bits)),
            (5, Field::Bytes(bytes)) => found = Value::Array(Array(bytes)),
            (6, Field::Bytes(bytes)) => found = Value::Map(Map(bytes)),
            (7, Field::Bytes(bytes)) => found = Value::Bytes(bytes),
            _ => {}
        }
    }
    found
}

/// The value of a key, as an encoded `AnyValue`, of an `AnyValue` that is a map.
pub fn value_bytes_of<'a>(any_value: &'a [u8], key: &str) -> Option<&'a [u8]> {
    match value(any_value) {
        Value::Map(map) => map.encoded(key),
        _ => None,
    }
}

/// The item at an index (from 0), as an encoded `AnyValue`, of an `AnyValue` that is an array.
pub fn value_at_index(any_value: &[u8], index: usize) -> Option<&[u8]> {
    match value(any_value) {
        Value::Array(array) => array.items().nth(index),
        _ => None,
    }
}

/// Checked bytes are UTF-8; others read as empty.
fn text(bytes: &[u8]) -> &str {
    simdutf8::basic::from_utf8(bytes).unwrap_or_default()
}
