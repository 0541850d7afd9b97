//! Merges two configurations.

use super::node::{Value, YamlNode};

/// Merges `later` into `earlier`. Two maps are merged key by key. Otherwise the later value replaces the earlier one,
/// except that a null, such as a key without a value, leaves an earlier map unchanged.
pub(crate) fn merge(earlier: YamlNode, later: YamlNode) -> YamlNode {
    if matches!(earlier.value, Value::Map(_)) && later.is_null() {
        return earlier;
    }
    let (mut entries, more) = match (earlier.value, later.value) {
        (Value::Map(entries), Value::Map(more)) => (entries, more),
        (_, value) => {
            return YamlNode {
                position: later.position,
                value,
            };
        }
    };
    for entry in more {
        match entries.iter_mut().find(|other| other.key == entry.key) {
            Some(existing) => {
                let value = std::mem::replace(&mut existing.value, YamlNode::empty());
                existing.value = merge(value, entry.value);
                existing.position = entry.position;
            }
            None => entries.push(entry),
        }
    }
    YamlNode {
        position: earlier.position,
        value: Value::Map(entries),
    }
}

#[cfg(test)]
mod tests {
    use super::merge;
    use crate::config::YamlNode;

    #[test]
    fn maps_are_merged_and_other_values_replaced() {
        let earlier =
            YamlNode::from_yaml("a: {b: 1, c: {d: 2}}\nl: [1, 2]\ns: x\nk: {y: 1}").unwrap();
        let later = YamlNode::from_yaml("a: {c: {e: 3}}\nl: [9]\ns: {t: 1}\nk:\n").unwrap();
        let merged: serde_json::Value = merge(earlier, later).decode().unwrap();
        let expected = serde_json::json!({
            "a": {"b": 1, "c": {"d": 2, "e": 3}}, "l": [9], "s": {"t": 1}, "k": {"y": 1}
        });
        assert_eq!(merged, expected);
    }
}
