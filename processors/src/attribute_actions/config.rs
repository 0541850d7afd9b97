//! The YAML of an action: the Collector's keys.

use std::borrow::Cow;

use pipeline::attributes::{Map, value_from_json};
use regex::{Regex, bytes};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::Value as Json;

use super::convert::ConvertedType;

/// A checked action.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "ActionDocument")]
pub(crate) enum AttributeAction {
    Set {
        key: String,
        source: ValueSource,
        when: SetCondition,
    },
    Delete {
        keys: KeySelector,
    },
    Hash {
        keys: KeySelector,
    },
    Extract {
        key: String,
        pattern: Regex,
    },
    Convert {
        key: String,
        to: ConvertedType,
    },
}

/// The condition for setting a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SetCondition {
    Missing,
    Present,
    Always,
}

impl SetCondition {
    /// Whether to set a key, depending on whether it is present.
    pub(super) fn allows(self, is_present: bool) -> bool {
        match self {
            SetCondition::Missing => !is_present,
            SetCondition::Present => is_present,
            SetCondition::Always => true,
        }
    }
}

/// The source of the value to set: an attribute, or if it is missing, a configured value.
#[derive(Clone, Debug)]
pub(crate) struct ValueSource {
    attribute: Option<String>,
    /// The encoded value.
    value: Option<Vec<u8>>,
}

impl ValueSource {
    /// The encoded value to set in a run; `None` if the attribute is missing and no value is configured.
    pub(super) fn value(&self, run: &[u8]) -> Option<Vec<u8>> {
        let attribute = self.attribute.as_ref();
        let copied = attribute.and_then(|key| Map::new(run).encoded(key));
        copied.map(<[u8]>::to_vec).or_else(|| self.value.clone())
    }
}

/// Selects keys by name, by pattern, or both.
#[derive(Clone, Debug)]
pub(crate) struct KeySelector {
    name: Option<String>,
    pattern: Option<bytes::Regex>,
}

impl KeySelector {
    /// Whether a key is selected.
    pub(super) fn contains(&self, key: &[u8]) -> bool {
        self.name
            .as_ref()
            .is_some_and(|name| name.as_bytes() == key)
            || self
                .pattern
                .as_ref()
                .is_some_and(|pattern| pattern.is_match(key))
    }
}

/// An action on attributes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ActionDocument {
    /// The attribute that the action changes or reads.
    key: Option<String>,
    /// insert, update, upsert, delete, hash, extract or convert, in upper or lower case.
    action: String,
    /// The value to set, with its type in YAML.
    value: Option<Json>,
    /// The attribute whose value to set.
    from_attribute: Option<String>,
    /// The value to set if `from_attribute` is missing.
    default_value: Option<Json>,
    /// Not supported: batches carry no metadata of the client that sent them.
    from_context: Option<String>,
    /// A regular expression. delete and hash match it against keys; extract matches it against the text of the
    /// attribute and sets an attribute for each named group.
    pattern: Option<String>,
    /// The type to which convert changes the value.
    converted_type: Option<ConvertedType>,
}

/// The schema of the YAML.
impl JsonSchema for AttributeAction {
    fn schema_name() -> Cow<'static, str> {
        "AttributeAction".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        ActionDocument::json_schema(generator)
    }
}

/// Why an action is invalid.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidAction {
    #[error(
        "unsupported action {action:?}: use insert, update, upsert, delete, hash, extract or \
         convert"
    )]
    Unknown { action: String },
    #[error("action {action} needs {needed}")]
    Needs {
        action: String,
        needed: &'static str,
    },
    #[error("action {action} does not use {field}: remove it")]
    Unused { action: String, field: &'static str },
    #[error(
        "action {action} has both value and from_attribute: keep one (default_value is set if the \
         attribute is missing)"
    )]
    TwoValues { action: String },
    #[error(
        "from_context is not supported: batches carry no metadata of the client that sent them; \
         set the attribute in the sender"
    )]
    FromContext,
    #[error("invalid pattern of {action}: {error}")]
    Pattern { action: String, error: regex::Error },
    #[error(
        "invalid pattern of extract: every group needs a name, as in (?P<user>.*), and the pattern \
         needs at least one group"
    )]
    Groups,
}

impl TryFrom<ActionDocument> for AttributeAction {
    type Error = InvalidAction;

    fn try_from(mut document: ActionDocument) -> Result<AttributeAction, InvalidAction> {
        document.action.make_ascii_lowercase();
        document.key = document.key.filter(|key| !key.is_empty());
        if document.from_context.is_some() {
            return Err(InvalidAction::FromContext);
        }
        match document.action.as_str() {
            "insert" => document.set(SetCondition::Missing),
            "update" => document.set(SetCondition::Present),
            "upsert" => document.set(SetCondition::Always),
            "delete" => Ok(AttributeAction::Delete {
                keys: document.keys()?,
            }),
            "hash" => Ok(AttributeAction::Hash {
                keys: document.keys()?,
            }),
            "extract" => document.extract(),
            "convert" => {
                document.reject(&["value", "from_attribute", "default_value", "pattern"])?;
                let to = document.converted_type;
                Ok(AttributeAction::Convert {
                    key: document.key()?,
                    to: to
                        .ok_or_else(|| document.needs("converted_type: int, double or string"))?,
                })
            }
            _ => Err(InvalidAction::Unknown {
                action: document.action,
            }),
        }
    }
}

impl ActionDocument {
    fn set(&self, when: SetCondition) -> Result<AttributeAction, InvalidAction> {
        self.reject(&["pattern", "converted_type"])?;
        if self.value.is_some() && self.from_attribute.is_some() {
            return Err(InvalidAction::TwoValues {
                action: self.action.clone(),
            });
        }
        let source = ValueSource {
            attribute: self.from_attribute.clone(),
            value: self
                .value
                .as_ref()
                .or(self.default_value.as_ref())
                .map(value_from_json),
        };
        if source.attribute.is_none() && source.value.is_none() {
            return Err(self.needs("value or from_attribute"));
        }
        Ok(AttributeAction::Set {
            key: self.key()?,
            source,
            when,
        })
    }

    fn extract(&self) -> Result<AttributeAction, InvalidAction> {
        self.reject(&["value", "from_attribute", "default_value", "converted_type"])?;
        let key = self.key()?;
        let pattern = self.pattern.as_ref().ok_or_else(|| self.needs("pattern"))?;
        let pattern = Regex::new(pattern).map_err(|error| self.invalid_pattern(error))?;
        let mut groups = pattern.capture_names().skip(1).peekable();
        if groups.peek().is_none() || groups.any(|name| name.is_none()) {
            return Err(InvalidAction::Groups);
        }
        Ok(AttributeAction::Extract { key, pattern })
    }

    fn keys(&self) -> Result<KeySelector, InvalidAction> {
        self.reject(&["value", "from_attribute", "default_value", "converted_type"])?;
        if self.key.is_none() && self.pattern.is_none() {
            return Err(self.needs("key or pattern"));
        }
        let pattern = self.pattern.as_deref().map(bytes::Regex::new).transpose();
        Ok(KeySelector {
            name: self.key.clone(),
            pattern: pattern.map_err(|error| self.invalid_pattern(error))?,
        })
    }

    fn key(&self) -> Result<String, InvalidAction> {
        self.key.clone().ok_or_else(|| self.needs("key"))
    }

    fn needs(&self, needed: &'static str) -> InvalidAction {
        InvalidAction::Needs {
            action: self.action.clone(),
            needed,
        }
    }

    fn invalid_pattern(&self, error: regex::Error) -> InvalidAction {
        InvalidAction::Pattern {
            action: self.action.clone(),
            error,
        }
    }

    /// Rejects the action if it has one of these fields, which it does not use.
    fn reject(&self, unused: &[&'static str]) -> Result<(), InvalidAction> {
        let is_set = |field: &str| match field {
            "value" => self.value.is_some(),
            "from_attribute" => self.from_attribute.is_some(),
            "default_value" => self.default_value.is_some(),
            "pattern" => self.pattern.is_some(),
            _ => self.converted_type.is_some(),
        };
        match unused.iter().find(|field| is_set(field)) {
            None => Ok(()),
            Some(field) => Err(InvalidAction::Unused {
                action: self.action.clone(),
                field,
            }),
        }
    }
}
