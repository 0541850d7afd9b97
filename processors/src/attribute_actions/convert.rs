//! Converts values to another type, or to their hash.

use pipeline::attributes::{Value, encode_value, to_text, value};
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The type to which an action converts a value.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ConvertedType {
    Int,
    Double,
    String,
}

/// Converts and encodes a value; `None` if the value has that type already or cannot be converted.
pub(super) fn convert(target: ConvertedType, value: Value<'_>) -> Option<Vec<u8>> {
    match target {
        ConvertedType::Int => Some(encoded(Value::Int(int(value)?))),
        ConvertedType::Double => Some(encoded(Value::Double(double(value)?))),
        ConvertedType::String => match value {
            Value::Text(_) => None,
            other => Some(encoded(Value::Text(&to_text(other)))),
        },
    }
}

fn int(value: Value<'_>) -> Option<i64> {
    match value {
        // Rounds towards zero; values out of range become the smallest or largest int64.
        Value::Double(double) => Some(double as i64),
        Value::Bool(bool) => Some(i64::from(bool)),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}

fn double(value: Value<'_>) -> Option<f64> {
    match value {
        Value::Int(int) => Some(int as f64),
        Value::Bool(bool) => Some(f64::from(u8::from(bool))),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}

/// Hashes a value with SHA-256 as the Collector's `hash` does, and returns the hash as encoded text in hexadecimal.
/// The hashed bytes are the UTF-8 of a text, the 8 bytes of a number in little-endian order, or one byte of a boolean.
/// The result for an empty text and for all other types is an empty text.
pub(super) fn hash(any_value: &[u8]) -> Vec<u8> {
    let digest = match value(any_value) {
        Value::Text("") => String::new(),
        Value::Text(text) => digest(text.as_bytes()),
        Value::Bool(bool) => digest(&[u8::from(bool)]),
        Value::Int(int) => digest(&int.to_le_bytes()),
        Value::Double(double) => digest(&double.to_le_bytes()),
        Value::Empty | Value::Bytes(_) | Value::Array(_) | Value::Map(_) => String::new(),
    };
    encoded(Value::Text(&digest))
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn encoded(value: Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    encode_value(&mut out, value);
    out
}
