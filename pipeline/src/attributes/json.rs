//! Attributes ⇄ plain JSON: `{"http.route": "/", "n": 1}`.
//!
//! OTLP's JSON format, with keys such as `stringValue`, is in [`crate::otlp::json`].

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map as JsonMap, Number, Value as Json};

use super::read::{Map, Value};
use super::wire::put_bytes;
use super::write::{MapBuilder, encode_value};

/// Converts a value to JSON. Bytes become base64, and a double that JSON lacks becomes its name as text (`NaN`). If a
/// key occurs several times, its first value is used, as everywhere.
pub fn to_json(value: Value<'_>) -> Json {
    match value {
        Value::Empty => Json::Null,
        Value::Text(text) => Json::String(text.to_owned()),
        Value::Bool(bool) => Json::Bool(bool),
        Value::Int(int) => Json::Number(int.into()),
        Value::Double(double) => {
            Number::from_f64(double).map_or_else(|| Json::String(double.to_string()), Json::Number)
        }
        Value::Bytes(bytes) => Json::String(BASE64_STANDARD.encode(bytes)),
        Value::Array(array) => Json::Array(array.iter().map(to_json).collect()),
        Value::Map(map) => Json::Object(map_to_json(map)),
    }
}

/// Converts a map to a JSON object. If a key occurs several times, its first value is used.
pub fn map_to_json(map: Map<'_>) -> JsonMap<String, Json> {
    let mut object = JsonMap::new();
    for (key, value) in map.iter() {
        object.entry(key).or_insert_with(|| to_json(value));
    }
    object
}

/// Encodes a JSON object as a run of `KeyValue` messages, in the order of the object.
pub fn map_from_json(object: &JsonMap<String, Json>) -> Vec<u8> {
    let mut entries = MapBuilder::new();
    let mut any = Vec::new();
    for (key, value) in object {
        any.clear();
        encode_json(&mut any, value);
        entries.encoded(key, &any);
    }
    entries.finish()
}

/// Encodes a JSON value as one `AnyValue`. Whole numbers in the range of int64 become integers, and all other numbers
/// become doubles.
pub fn value_from_json(json: &Json) -> Vec<u8> {
    let mut any = Vec::new();
    encode_json(&mut any, json);
    any
}

fn encode_json(out: &mut Vec<u8>, json: &Json) {
    match json {
        Json::Null => {}
        Json::Bool(bool) => encode_value(out, Value::Bool(*bool)),
        Json::String(text) => encode_value(out, Value::Text(text)),
        Json::Number(number) => match number.as_i64() {
            Some(int) => encode_value(out, Value::Int(int)),
            None => encode_value(out, Value::Double(number.as_f64().unwrap_or(f64::NAN))),
        },
        Json::Array(items) => {
            let mut encoded = Vec::new();
            for item in items {
                put_bytes(&mut encoded, 1, &value_from_json(item));
            }
            put_bytes(out, 5, &encoded);
        }
        Json::Object(object) => put_bytes(out, 6, &map_from_json(object)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{map_from_json, to_json};
    use crate::attributes::{Map, Value, value};

    #[test]
    fn json_is_unchanged_by_a_round_trip() {
        let json = json!({
            "text": "käse", "empty": "", "null": null, "yes": true, "int": -7, "double": 1.5,
            "list": [1, "two", [null, {}]], "object": {"a": {"b": [0.25]}}
        });
        let bytes = map_from_json(json.as_object().unwrap());
        assert_eq!(to_json(Value::Map(Map::new(&bytes))), json);
    }

    #[test]
    fn nested_values_are_read_in_place() {
        let bytes = map_from_json(json!({"p": [{"port": 22}]}).as_object().unwrap());
        let Some(Value::Array(items)) = Map::new(&bytes).get("p") else {
            panic!("no array")
        };
        let Some(Value::Map(first)) = items.iter().next() else {
            panic!("no map")
        };
        assert_eq!(first.get("port").and_then(Value::as_int), Some(22));
    }

    #[test]
    fn readers_of_malformed_bytes_end_early() {
        let bytes = map_from_json(json!({"a": "b", "c": "d"}).as_object().unwrap());
        for length in 0..bytes.len() {
            assert!(Map::new(&bytes[..length]).iter().count() <= 2);
            let _ = value(&bytes[..length]);
        }
        let _ = value(&[0xff; 64]);
    }
}
