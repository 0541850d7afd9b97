//! Replaces texts in attributes at any depth. All other bytes are unchanged.

use super::edit::{RunCopier, entries, put_entry};
use super::read::{Value, value};
use super::wire::put_bytes;
use super::write::encode_value;

/// Calls `replace` with each text value of a run of `KeyValue`s, including texts inside of arrays and maps. Keys are
/// unchanged.
///
/// Appends the changed run to `out` and returns true. If `replace` changes no text, appends nothing and returns false.
pub fn replace_texts(
    run: &[u8],
    replace: &mut dyn FnMut(&str) -> Option<String>,
    out: &mut Vec<u8>,
) -> bool {
    let mut copier = RunCopier::new(run);
    let mut any_value = Vec::new();
    for entry in entries(run) {
        any_value.clear();
        if replace_texts_of_value(entry.value, replace, &mut any_value) {
            copier.skip(entry.range, out);
            put_entry(entry.number, entry.key, &any_value, out);
        }
    }
    copier.finish(out)
}

/// The same as [`replace_texts`] for one encoded `AnyValue`.
pub fn replace_texts_of_value(
    any_value: &[u8],
    replace: &mut dyn FnMut(&str) -> Option<String>,
    out: &mut Vec<u8>,
) -> bool {
    match value(any_value) {
        Value::Text(text) => {
            let Some(replaced) = replace(text) else {
                return false;
            };
            encode_value(out, Value::Text(&replaced));
            true
        }
        Value::Map(map) => {
            let mut run = Vec::new();
            let is_changed = replace_texts(map.bytes(), replace, &mut run);
            if is_changed {
                put_bytes(out, 6, &run);
            }
            is_changed
        }
        Value::Array(array) => {
            let (mut items, mut changed) = (Vec::new(), Vec::new());
            let mut is_changed = false;
            for item in array.items() {
                changed.clear();
                let is_item_changed = replace_texts_of_value(item, replace, &mut changed);
                put_bytes(&mut items, 1, if is_item_changed { &changed } else { item });
                is_changed |= is_item_changed;
            }
            if is_changed {
                put_bytes(out, 5, &items);
            }
            is_changed
        }
        Value::Empty | Value::Bool(_) | Value::Int(_) | Value::Double(_) | Value::Bytes(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::attributes::{Map, map_from_json, map_to_json, to_json, value_from_json};

    /// Doubles and capitalizes each `x`.
    fn shout(text: &str) -> Option<String> {
        text.contains('x').then(|| text.replace('x', "XX"))
    }

    #[test]
    fn texts_are_replaced_at_any_depth_and_other_values_are_unchanged() {
        let before = json!({"x": "x", "n": 5, "d": 0.5, "list": ["a", "x", {"deep": ["x"]}, [1]], "map": {"k": "ax"}});
        let run = map_from_json(before.as_object().unwrap());
        let mut out = b"before".to_vec();
        assert!(replace_texts(&run, &mut shout, &mut out));
        let after = json!({"x": "XX", "n": 5, "d": 0.5, "list": ["a", "XX", {"deep": ["XX"]}, [1]], "map": {"k": "aXX"}});
        let replaced = map_to_json(Map::new(out.strip_prefix(b"before").unwrap()));
        assert_eq!(serde_json::Value::Object(replaced), after);
    }

    #[test]
    fn nothing_is_appended_if_no_text_changes() {
        for json in [json!({}), json!({"n": 1, "list": [[], {"k": "a"}]})] {
            let run = map_from_json(json.as_object().unwrap());
            let mut out = Vec::new();
            assert!(!replace_texts(&run, &mut shout, &mut out) && out.is_empty());
        }
    }

    #[test]
    fn texts_of_a_single_value_are_replaced() {
        let mut out = Vec::new();
        assert!(replace_texts_of_value(
            &value_from_json(&json!("ax")),
            &mut shout,
            &mut out
        ));
        assert_eq!(to_json(value(&out)), json!("aXX"));
        out.clear();
        assert!(!replace_texts_of_value(
            &value_from_json(&json!(7)),
            &mut shout,
            &mut out
        ));
        assert!(out.is_empty());
    }
}
