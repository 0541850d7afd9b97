//! SHA-256 of a value, as the Collector's `hash` computes it.

use pipeline::attributes::{Value, value};
use sha2::{Digest, Sha256};

/// The hash in hex, encoded. It hashes the UTF-8 of a text, the 8 bytes of a number in little-endian order, one
/// byte of a boolean. Empty texts and all other types yield an empty text.
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
