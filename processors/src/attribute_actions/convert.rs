//! Converts values to another type.

use pipeline::attributes::{Value, encode_value, to_json};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ConvertedType {
    Int,
    Double,
    String,
}

/// The converted value, encoded; none if it already has that type or cannot be converted.
pub(super) fn to(target: ConvertedType, value: Value<'_>) -> Option<Vec<u8>> {
    match target {
        ConvertedType::Int => Some(encoded(Value::Int(int(value)?))),
        ConvertedType::Double => Some(encoded(Value::Double(double(value)?))),
        ConvertedType::String => match value {
            Value::Text(_) => None,
            other => Some(encoded(Value::Text(&text(other)))),
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

/// The value as the Collector formats it: bytes in base64, arrays and maps as JSON.
pub(crate) fn text(value: Value<'_>) -> String {
    match value {
        Value::Text(text) => text.to_owned(),
        Value::Empty => String::new(),
        Value::Double(double) => double_text(double),
        other => match to_json(other) {
            serde_json::Value::String(text) => text,
            json => json.to_string(),
        },
    }
}

/// Formats a double as Go's JSON does: no exponent from 1e-6 up to 1e21.
fn double_text(double: f64) -> String {
    let size = double.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) || !size.is_finite() {
        return double.to_string();
    }
    let text = format!("{double:e}");
    match text.split_once('e') {
        Some((digits, power)) if !power.starts_with('-') => format!("{digits}e+{power}"),
        _ => text,
    }
}

fn encoded(value: Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    encode_value(&mut out, value);
    out
}
