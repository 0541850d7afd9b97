//! A value as text, in the Collector's format. Source: `Value.AsString` of pdata.

use serde_json::Value as Json;

use super::json::to_json;
use super::read::Value;

/// A value as text: arrays and maps as JSON, bytes as base64, an empty value as `""`.
pub fn to_text(value: Value<'_>) -> String {
    match value {
        Value::Text(text) => text.to_owned(),
        Value::Empty => String::new(),
        Value::Double(double) => double_to_text(double),
        other => match to_json(other) {
            Json::String(text) => text,
            json => json.to_string(),
        },
    }
}

/// A double as text, in the format of Go's JSON and of ECMAScript: without an exponent from 1e-6 up to 1e21.
fn double_to_text(double: f64) -> String {
    if !double.is_finite() {
        return unsupported(double).to_owned();
    }
    let size = double.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return double.to_string();
    }
    let text = format!("{double:e}");
    match text.split_once('e') {
        Some((digits, power)) if !power.starts_with('-') => format!("{digits}e+{power}"),
        _ => text,
    }
}

/// The text of infinities and NaN, which JSON lacks: like the Collector, the error message of Go's JSON.
fn unsupported(double: f64) -> &'static str {
    if double.is_nan() {
        "json: unsupported value: NaN"
    } else if double > 0.0 {
        "json: unsupported value: +Inf"
    } else {
        "json: unsupported value: -Inf"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::to_text;
    use crate::attributes::{Value, value, value_from_json};

    #[test]
    fn doubles_have_the_texts_of_the_collector() {
        let texts = [
            (0.0, "0"),
            (-0.0, "-0"),
            (2.0, "2"),
            (-1.5, "-1.5"),
            (1e-6, "0.000001"),
            (1.5e-7, "1.5e-7"),
            (-1e-12, "-1e-12"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (-2.5e300, "-2.5e+300"),
            (f64::NAN, "json: unsupported value: NaN"),
            (f64::INFINITY, "json: unsupported value: +Inf"),
            (f64::NEG_INFINITY, "json: unsupported value: -Inf"),
        ];
        for (double, text) in texts {
            assert_eq!(to_text(Value::Double(double)), text);
        }
    }

    #[test]
    fn other_values_are_plain_or_json() {
        assert_eq!(to_text(Value::Empty), "");
        assert_eq!(to_text(Value::Text("a\"b")), "a\"b");
        assert_eq!(to_text(Value::Int(-7)), "-7");
        assert_eq!(to_text(Value::Bool(true)), "true");
        assert_eq!(to_text(Value::Bytes(&[1, 2])), "AQI=");
        let list = value_from_json(&json!({"a": [1, "x"]}));
        assert_eq!(to_text(value(&list)), r#"{"a":[1,"x"]}"#);
    }
}
