//! Merges one configuration over another.

use super::node::{Node, Value};

/// Maps are merged key by key; any other value replaces the value below, except that a key without a value
/// leaves a map unchanged.
pub(crate) fn merge(below: Node, above: Node) -> Node {
    if matches!(below.value, Value::Map(_)) && above.is_null() {
        return below;
    }
    let (mut entries, more) = match (below.value, above.value) {
        (Value::Map(entries), Value::Map(more)) => (entries, more),
        (_, value) => {
            return Node {
                place: above.place,
                value,
            };
        }
    };
    for entry in more {
        match entries.iter_mut().find(|known| known.key == entry.key) {
            Some(known) => {
                let under = std::mem::replace(&mut known.value, Node::empty());
                known.value = merge(under, entry.value);
                known.place = entry.place;
            }
            None => entries.push(entry),
        }
    }
    Node {
        place: below.place,
        value: Value::Map(entries),
    }
}

#[cfg(test)]
mod tests {
    use super::merge;
    use crate::config::Node;

    #[test]
    fn maps_merge_and_all_else_replaces() {
        let below = Node::from_yaml("a: {b: 1, c: {d: 2}}\nl: [1, 2]\ns: x\nk: {y: 1}").unwrap();
        let above = Node::from_yaml("a: {c: {e: 3}}\nl: [9]\ns: {t: 1}\nk:\n").unwrap();
        let merged: serde_json::Value = merge(below, above).decode().unwrap();
        let expected = serde_json::json!({
            "a": {"b": 1, "c": {"d": 2, "e": 3}}, "l": [9], "s": {"t": 1}, "k": {"y": 1}
        });
        assert_eq!(merged, expected);
    }
}
