//! Values of another type.

use pipeline::attributes::{Value, encode_value, to_json};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Target {
    Int,
    Double,
    String,
}

/// The value, encoded; none where it is of that type already or cannot be converted.
pub(super) fn to(target: Target, value: Value<'_>) -> Option<Vec<u8>> {
    match target {
        Target::Int => Some(encoded(Value::Int(int(value)?))),
        Target::Double => Some(encoded(Value::Double(double(value)?))),
        Target::String => match value {
            Value::Text(_) => None,
            other => Some(encoded(Value::Text(&text(other)))),
        },
    }
}

fn int(value: Value<'_>) -> Option<i64> {
    match value {
        // Towards zero; what int64 does not hold becomes its least or greatest.
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

/// As the Collector writes a value: bytes in base64, arrays and maps as JSON.
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

/// As Go's JSON: no exponent from 1e-6 up to 1e21.
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
