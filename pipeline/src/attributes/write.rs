//! Encodes attributes.

use super::read::Value;
use super::wire::{put_bytes, put_varint};

/// Builds a run of `KeyValue` messages, each a field with number 1.
#[derive(Clone, Debug, Default)]
pub struct MapBuilder {
    out: Vec<u8>,
    /// The current `KeyValue`. Its memory is reused.
    entry: Vec<u8>,
    /// The current `AnyValue`. Its memory is reused.
    any: Vec<u8>,
}

impl MapBuilder {
    /// An empty builder.
    pub fn new() -> MapBuilder {
        MapBuilder::default()
    }

    /// Adds a text value.
    pub fn text(&mut self, key: &str, text: &str) -> &mut MapBuilder {
        self.value(key, Value::Text(text))
    }

    /// Adds an integer value.
    pub fn int(&mut self, key: &str, int: i64) -> &mut MapBuilder {
        self.value(key, Value::Int(int))
    }

    /// Adds a double value.
    pub fn double(&mut self, key: &str, double: f64) -> &mut MapBuilder {
        self.value(key, Value::Double(double))
    }

    /// Adds a Boolean value.
    pub fn bool(&mut self, key: &str, bool: bool) -> &mut MapBuilder {
        self.value(key, Value::Bool(bool))
    }

    /// Adds a value of any type.
    pub fn value(&mut self, key: &str, value: Value<'_>) -> &mut MapBuilder {
        self.any.clear();
        encode_value(&mut self.any, value);
        let any = std::mem::take(&mut self.any);
        self.encoded(key, &any);
        self.any = any;
        self
    }

    /// Adds a value that is an encoded `AnyValue` already.
    pub fn encoded(&mut self, key: &str, any_value: &[u8]) -> &mut MapBuilder {
        self.entry.clear();
        put_bytes(&mut self.entry, 1, key.as_bytes());
        put_bytes(&mut self.entry, 2, any_value);
        put_bytes(&mut self.out, 1, &self.entry);
        self
    }

    /// Returns the run and empties the builder.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }
}

/// Appends one `AnyValue`, without a field tag.
pub fn encode_value(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Empty => {}
        Value::Text(text) => put_bytes(out, 1, text.as_bytes()),
        Value::Bool(bool) => out.extend_from_slice(&[2 << 3, u8::from(bool)]),
        Value::Int(int) => {
            out.push(3 << 3);
            put_varint(out, int as u64);
        }
        Value::Double(double) => {
            out.push(4 << 3 | 1);
            out.extend_from_slice(&double.to_le_bytes());
        }
        Value::Bytes(bytes) => put_bytes(out, 7, bytes),
        Value::Array(array) => {
            let mut items = Vec::new();
            let mut any = Vec::new();
            for item in array.iter() {
                any.clear();
                encode_value(&mut any, item);
                put_bytes(&mut items, 1, &any);
            }
            put_bytes(out, 5, &items);
        }
        Value::Map(map) => {
            let mut entries = MapBuilder::new();
            for (key, value) in map.iter() {
                entries.value(key, value);
            }
            put_bytes(out, 6, &entries.finish());
        }
    }
}
