//! SHA-256 of a value, as the Collector's `hash` has it.

use pipeline::attributes::{Value, value};
use sha2::{Digest, Sha256};

/// The hash in hex, encoded: of a text its UTF-8, of a number its 8 bytes with the lowest first, of
/// a truth one byte. Empty texts and all other types become an empty text.
pub(super) fn hashed(any_value: &[u8]) -> Vec<u8> {
    let digest = match value(any_value) {
        Value::Text("") => String::new(),
        Value::Text(text) => digest(text.as_bytes()),
        Value::Bool(bool) => digest(&[u8::from(bool)]),
        Value::Int(int) => digest(&int.to_le_bytes()),
        Value::Double(double) => digest(&double.to_le_bytes()),
        Value::Empty | Value::Bytes(_) | Value::Array(_) | Value::Map(_) => String::new(),
    };
    super::text_value(&digest)
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
