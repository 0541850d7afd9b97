//! The Collector's attribute actions, which `attributes` and `resource` apply to a run of encoded attributes.
//!
//! | action | keys | effect |
//! |---|---|---|
//! | `insert` | `key`, a value | sets a key that is missing |
//! | `update` | `key`, a value | sets a key that is present |
//! | `upsert` | `key`, a value | sets a key |
//! | `delete` | `key`, `pattern` or both | removes the key and the keys that match |
//! | `hash` | `key`, `pattern` or both | replaces values by their SHA-256 in hex |
//! | `extract` | `key`, `pattern` | sets an attribute for each named group that matches the text of `key` |
//! | `convert` | `key`, `converted_type` | converts a value to `int`, `double` or `string` |
//!
//! The value to set is `value`, with its type in YAML; or the value of `from_attribute`; or, if that attribute is
//! missing, `default_value`. If none of them exists, the action does nothing. The types and the order of all other
//! attributes do not change. If a run has a key twice, actions read the first occurrence; setting the key removes the
//! others.

mod config;
mod convert;
mod draft;

pub(crate) use config::AttributeAction;

use draft::{AttributeDraft, DraftBuffers};
use pipeline::attributes::{Map, Value, encode_value};
use regex::Regex;

/// Actions to apply in order, with memory that is reused for each run.
#[derive(Debug)]
pub(crate) struct AttributeActions {
    actions: Vec<AttributeAction>,
    buffers: DraftBuffers,
}

impl AttributeActions {
    pub(crate) fn new(actions: Vec<AttributeAction>) -> AttributeActions {
        AttributeActions {
            actions,
            buffers: DraftBuffers::default(),
        }
    }

    /// Applies the actions to a run. Appends the changed run to `out` and returns true; if nothing changes, appends
    /// nothing and returns false.
    pub(crate) fn apply(&mut self, run: &[u8], out: &mut Vec<u8>) -> bool {
        let mut draft = self.buffers.draft(run);
        for action in &self.actions {
            action.apply(&mut draft);
        }
        draft.finish(out)
    }
}

impl AttributeAction {
    fn apply(&self, draft: &mut AttributeDraft<'_>) {
        match self {
            AttributeAction::Set { key, source, when } => {
                let is_present = Map::new(draft.run()).encoded(key).is_some();
                if !when.allows(is_present) {
                    return;
                }
                if let Some(value) = source.value(draft.run()) {
                    draft.set(key, &value);
                }
            }
            AttributeAction::Delete { keys } => draft.drop_keys(|key| keys.contains(key)),
            AttributeAction::Hash { keys } => {
                let hashed =
                    |key: &[u8], value: &[u8]| keys.contains(key).then(|| convert::hash(value));
                draft.replace(hashed);
            }
            AttributeAction::Extract { key, pattern } => extract(draft, key, pattern),
            AttributeAction::Convert { key, to } => {
                let run = Map::new(draft.run());
                let converted = run.get(key).and_then(|value| convert::convert(*to, value));
                if let Some(converted) = converted {
                    draft.set(key, &converted);
                }
            }
        }
    }
}

/// Sets an attribute for each named group of the pattern. As in the Collector, the text is empty for a group that is
/// not part of the match.
fn extract(draft: &mut AttributeDraft<'_>, key: &str, pattern: &Regex) {
    let Some(Value::Text(text)) = Map::new(draft.run()).get(key) else {
        return;
    };
    let Some(captures) = pattern.captures(text) else {
        return;
    };
    let groups = pattern.capture_names().zip(captures.iter()).skip(1);
    let values: Vec<(&str, Vec<u8>)> = groups
        .filter_map(|(name, group)| Some((name?, text_value(group.map_or("", |g| g.as_str())))))
        .collect();
    for (name, value) in values {
        draft.set(name, &value);
    }
}

/// Encodes a text.
fn text_value(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    encode_value(&mut out, Value::Text(text));
    out
}

#[cfg(test)]
mod tests;
