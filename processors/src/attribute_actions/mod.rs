//! What `attributes` and `resource` do to a run of attributes: the Collector's actions.
//!
//! | action | needs | does |
//! |---|---|---|
//! | `insert` | `key`, a value | sets a key that is missing |
//! | `update` | `key`, a value | sets a key that is there |
//! | `upsert` | `key`, a value | sets a key |
//! | `delete` | `key`, `pattern` or both | drops the key and those that match |
//! | `hash` | `key`, `pattern` or both | replaces values by their SHA-256 in hex |
//! | `extract` | `key`, `pattern` | sets what the named groups find in the text of `key` |
//! | `convert` | `key`, `converted_type` | makes a value an `int`, a `double` or a `string` |
//!
//! A value is `value`, with the type that it has in YAML; or that of `from_attribute`; or, where
//! that is missing, `default_value`; without any nothing is done. Types and order of all else
//! stay. Of a key that stands twice the first counts, and only it is left when it is set.

mod config;
mod convert;
mod draft;
mod hash;

pub(crate) use config::Action;
pub(crate) use convert::text;

use draft::{Draft, Scratch};
use pipeline::attributes::{Map, Value, encode_value};
use regex::Regex;

/// Actions in their order, and the memory that they work in.
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

    /// Appends what becomes of a run and returns true; appends nothing where it stays as it is.
    pub(crate) fn apply(&mut self, run: &[u8], out: &mut Vec<u8>) -> bool {
        let mut draft = self.scratch.draft(run);
        for action in &self.actions {
            action.apply(&mut draft);
        }
        draft.finish(out)
    }
}

impl Action {
    fn apply(&self, draft: &mut Draft<'_>) {
        match self {
            Action::Set { key, source, when } => {
                let found = Map::new(draft.run()).encoded(key).is_some();
                if !when.allows(found) {
                    return;
                }
                if let Some(value) = source.value(draft.run()) {
                    draft.set(key, &value);
                }
            }
            Action::Delete { keys } => draft.drop_keys(|key| keys.contain(key)),
            Action::Hash { keys } => {
                let hashed =
                    |key: &[u8], value: &[u8]| keys.contain(key).then(|| hash::hashed(value));
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

/// A group that takes no part in the match gives an empty text, as in the Collector.
fn extract(draft: &mut Draft<'_>, key: &str, pattern: &Regex) {
    let Some(Value::Text(text)) = Map::new(draft.run()).get(key) else {
        return;
    };
    let Some(found) = pattern.captures(text) else {
        return;
    };
    let names = pattern.capture_names().zip(found.iter()).skip(1);
    let values: Vec<(&str, Vec<u8>)> = names
        .filter_map(|(name, group)| Some((name?, text_value(group.map_or("", |g| g.as_str())))))
        .collect();
    for (name, value) in values {
        draft.set(name, &value);
    }
}

/// Encoded.
fn text_value(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    encode_value(&mut out, Value::Text(text));
    out
}

#[cfg(test)]
mod tests;
