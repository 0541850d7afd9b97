//! The Collector's attribute actions, which `attributes` and `resource` apply to a run of encoded attributes.
//!
//! | action | needs | does |
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
//! missing, `default_value`. Without any of them the action does nothing. The types and the order of all other
//! attributes stay. If a run has a key twice, actions read the first; setting the key removes the others.

mod config;
mod convert;
mod draft;
mod hash;

pub(crate) use config::Action;
pub(crate) use convert::text;

use draft::{AttributeDraft, Scratch};
use pipeline::attributes::{Map, Value, encode_value};
use regex::Regex;

/// Actions in order, with their working memory.
#[derive(Debug)]
pub(crate) struct Actions {
    actions: Vec<Action>,
    scratch: Scratch,
}

impl Actions {
    pub(crate) fn new(actions: Vec<Action>) -> Actions {
        Actions {
            actions,
            scratch: Scratch::default(),
        }
    }

    /// Appends the changed run and returns true; if nothing changes, appends nothing and returns false.
    pub(crate) fn apply(&mut self, run: &[u8], out: &mut Vec<u8>) -> bool {
        let mut draft = self.scratch.draft(run);
        for action in &self.actions {
            action.apply(&mut draft);
        }
        draft.finish(out)
    }
}

impl Action {
    fn apply(&self, draft: &mut AttributeDraft<'_>) {
        match self {
            Action::Set { key, source, when } => {
                let is_present = Map::new(draft.run()).encoded(key).is_some();
                if !when.allows(is_present) {
                    return;
                }
                if let Some(value) = source.value(draft.run()) {
                    draft.set(key, &value);
                }
            }
            Action::Delete { keys } => draft.drop_keys(|key| keys.contains(key)),
            Action::Hash { keys } => {
                let hashed =
                    |key: &[u8], value: &[u8]| keys.contains(key).then(|| hash::hashed(value));
                draft.replace(hashed);
            }
            Action::Extract { key, pattern } => extract(draft, key, pattern),
            Action::Convert { key, to } => {
                let run = Map::new(draft.run());
                let converted = run.get(key).and_then(|value| convert::to(*to, value));
                if let Some(converted) = converted {
                    draft.set(key, &converted);
                }
            }
        }
    }
}

/// Sets an attribute for each named group. A group that is not part of the match yields an empty text, as in the
/// Collector.
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
