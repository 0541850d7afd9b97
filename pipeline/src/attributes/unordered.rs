//! A hash of attributes that ignores order.

use xxhash_rust::xxh3::xxh3_64;

use super::read::{Map, Value};

/// Hashes attributes with XXH3, 64 bits. Ignores the order of map entries and of list items: APIs list rules and tags
/// in any order, so a different order is not a change. The hash of a value must never change, since hashes are stored.
pub fn unordered_hash(map: Map<'_>) -> u64 {
    let mut sum = 0_u64;
    let mut count = 0_u64;
    for (key, value) in map.iter() {
        let parts = [xxh3_64(key.as_bytes()), hash_value(value)];
        sum = sum.wrapping_add(mix(b'e', &parts));
        count += 1;
    }
    mix(b'm', &[sum, count])
}

fn hash_value(value: Value<'_>) -> u64 {
    match value {
        Value::Empty => mix(b'0', &[]),
        Value::Text(text) => mix(b't', &[xxh3_64(text.as_bytes())]),
        Value::Bool(bool) => mix(b'b', &[u64::from(bool)]),
        Value::Int(int) => mix(b'i', &[int as u64]),
        Value::Double(double) => mix(b'd', &[double.to_bits()]),
        Value::Bytes(bytes) => mix(b'x', &[xxh3_64(bytes)]),
        Value::Map(map) => unordered_hash(map),
        Value::Array(array) => {
            let mut sum = 0_u64;
            let mut count = 0_u64;
            for item in array.iter() {
                // Each item has a tag, as each map entry has.
                sum = sum.wrapping_add(mix(b'a', &[hash_value(item)]));
                count += 1;
            }
            mix(b'l', &[sum, count])
        }
    }
}

/// Hashes a type tag and up to two hashes.
fn mix(tag: u8, parts: &[u64]) -> u64 {
    let mut bytes = [0_u8; 17];
    bytes[0] = tag;
    for (slot, part) in bytes[1..].chunks_exact_mut(8).zip(parts) {
        slot.copy_from_slice(&part.to_le_bytes());
    }
    xxh3_64(&bytes[..=8 * parts.len()])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::unordered_hash;
    use crate::attributes::{Map, map_from_json};

    fn hash(json: &Json) -> u64 {
        let bytes = map_from_json(json.as_object().unwrap());
        unordered_hash(Map::new(&bytes))
    }

    #[test]
    fn order_does_not_change_the_hash_at_any_depth() {
        let one = json!({"a": [{"p": 1, "q": ["x", "y"]}, {"p": 2}], "b": true});
        let other = json!({"b": true, "a": [{"p": 2}, {"q": ["y", "x"], "p": 1}]});
        assert_eq!(hash(&one), hash(&other));
    }

    #[test]
    fn different_attributes_have_different_hashes() {
        let all = [
            json!({}),
            json!({"a": null}),
            json!({"a": []}),
            json!({"a": {}}),
            json!({"a": [[]]}),
            json!({"a": 1}),
            json!({"a": "1"}),
            json!({"a": 1.0}),
            json!({"a": true}),
            json!({"a": [1, 1]}),
            json!({"a": [1]}),
            json!({"a": [[1, 2], [3, 4]]}),
            json!({"a": [[1, 3], [2, 4]]}),
            json!({"a": "b", "c": "d"}),
            json!({"a": "d", "c": "b"}),
        ];
        for (index, one) in all.iter().enumerate() {
            for other in &all[index + 1..] {
                assert_ne!(hash(one), hash(other), "{one} {other}");
            }
        }
    }
}
