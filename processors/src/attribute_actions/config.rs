//! The YAML of an action: the Collector's keys.

use std::borrow::Cow;

use pipeline::attributes::{Map, value_from_json};
use regex::{Regex, bytes};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::Value as Json;

use super::convert::Target;

/// One action that is valid.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Document")]
pub(crate) enum Action {
    Set {
        key: String,
        source: Source,
        when: When,
    },
    Delete {
        keys: Keys,
    },
    Hash {
        keys: Keys,
    },
    Extract {
        key: String,
        pattern: Regex,
    },
    Convert {
        key: String,
        to: Target,
    },
}

/// When a key is set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    Missing,
    Found,
    Always,
}

impl When {
    pub(super) fn allows(self, found: bool) -> bool {
        match self {
            When::Missing => !found,
            When::Found => found,
            When::Always => true,
        }
    }
}

/// Where a value comes from: an attribute, else one that is given, encoded.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    attribute: Option<String>,
    given: Option<Vec<u8>>,
}

impl Source {
    pub(super) fn value(&self, run: &[u8]) -> Option<Vec<u8>> {
        let attribute = self.attribute.as_ref();
        let found = attribute.and_then(|key| Map::new(run).encoded(key));
        found.map(<[u8]>::to_vec).or_else(|| self.given.clone())
    }
}

/// Keys by name, by pattern, or both.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    name: Option<String>,
    pattern: Option<bytes::Regex>,
}

impl Keys {
    pub(super) fn contain(&self, key: &[u8]) -> bool {
        self.name
            .as_ref()
            .is_some_and(|name| name.as_bytes() == key)
            || self
                .pattern
                .as_ref()
                .is_some_and(|pattern| pattern.is_match(key))
    }
}

/// The same as it is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Document {
    /// The attribute.
    key: Option<String>,
    /// insert, update, upsert, delete, hash, extract or convert, in any case.
    action: String,
    /// The value to set, with the type that it has in YAML.
    value: Option<Json>,
    /// The attribute whose value is set.
    from_attribute: Option<String>,
    /// Set where `from_attribute` is missing.
    default_value: Option<Json>,
    /// Not supported: batches carry no metadata of the client that sent them.
    from_context: Option<String>,
    /// A regular expression: of keys for delete and hash, of the text for extract, where its named
    /// groups are the attributes to set.
    pattern: Option<String>,
    /// What convert makes of the value.
    converted_type: Option<Target>,
}

/// That of what is written.
impl JsonSchema for Action {
    fn schema_name() -> Cow<'static, str> {
        "AttributeAction".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Document::json_schema(generator)
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidAction {
    #[error(
        "{action:?} is no action: use insert, update, upsert, delete, hash, extract or convert"
    )]
    Unknown { action: String },
    #[error("{action} needs {needed}")]
    Needs {
        action: String,
        needed: &'static str,
    },
    #[error("{action} has no use for {field}: remove it")]
    Useless { action: String, field: &'static str },
    #[error(
        "{action} has both value and from_attribute: keep one (default_value is for where the \
         attribute is missing)"
    )]
    TwoValues { action: String },
    #[error(
        "from_context is not supported: batches carry no metadata of the client that sent them; \
         set the attribute where the data is made"
    )]
    FromContext,
    #[error("pattern of {action}: {error}")]
    Pattern { action: String, error: regex::Error },
    #[error(
        "pattern of extract: every group needs a name, as in (?P<user>.*), and there must be one"
    )]
    Groups,
}

impl TryFrom<Document> for Action {
    type Error = InvalidAction;

    fn try_from(mut document: Document) -> Result<Action, InvalidAction> {
        document.action.make_ascii_lowercase();
        document.key = document.key.filter(|key| !key.is_empty());
        if document.from_context.is_some() {
            return Err(InvalidAction::FromContext);
        }
        match document.action.as_str() {
            "insert" => document.set(When::Missing),
            "update" => document.set(When::Found),
            "upsert" => document.set(When::Always),
            "delete" => Ok(Action::Delete {
                keys: document.keys()?,
            }),
            "hash" => Ok(Action::Hash {
                keys: document.keys()?,
            }),
            "extract" => document.extract(),
            "convert" => {
                document.refuse(&["value", "from_attribute", "default_value", "pattern"])?;
                let to = document.converted_type;
                Ok(Action::Convert {
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

impl Document {
    fn set(&self, when: When) -> Result<Action, InvalidAction> {
        self.refuse(&["pattern", "converted_type"])?;
        if self.value.is_some() && self.from_attribute.is_some() {
            return Err(InvalidAction::TwoValues {
                action: self.action.clone(),
            });
        }
        let source = Source {
            attribute: self.from_attribute.clone(),
            given: self
                .value
                .as_ref()
                .or(self.default_value.as_ref())
                .map(value_from_json),
        };
        if source.attribute.is_none() && source.given.is_none() {
            return Err(self.needs("value or from_attribute"));
        }
        Ok(Action::Set {
            key: self.key()?,
            source,
            when,
        })
    }

    fn extract(&self) -> Result<Action, InvalidAction> {
        self.refuse(&["value", "from_attribute", "default_value", "converted_type"])?;
        let key = self.key()?;
        let pattern = self.pattern.as_ref().ok_or_else(|| self.needs("pattern"))?;
        let pattern = Regex::new(pattern).map_err(|error| self.no_pattern(error))?;
        let mut groups = pattern.capture_names().skip(1).peekable();
        if groups.peek().is_none() || groups.any(|name| name.is_none()) {
            return Err(InvalidAction::Groups);
        }
        Ok(Action::Extract { key, pattern })
    }

    fn keys(&self) -> Result<Keys, InvalidAction> {
        self.refuse(&["value", "from_attribute", "default_value", "converted_type"])?;
        if self.key.is_none() && self.pattern.is_none() {
            return Err(self.needs("key or pattern"));
        }
        let pattern = self.pattern.as_deref().map(bytes::Regex::new).transpose();
        Ok(Keys {
            name: self.key.clone(),
            pattern: pattern.map_err(|error| self.no_pattern(error))?,
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

    fn no_pattern(&self, error: regex::Error) -> InvalidAction {
        InvalidAction::Pattern {
            action: self.action.clone(),
            error,
        }
    }

    fn refuse(&self, useless: &[&'static str]) -> Result<(), InvalidAction> {
        let is_given = |field: &str| match field {
            "value" => self.value.is_some(),
            "from_attribute" => self.from_attribute.is_some(),
            "default_value" => self.default_value.is_some(),
            "pattern" => self.pattern.is_some(),
            _ => self.converted_type.is_some(),
        };
        match useless.iter().find(|field| is_given(field)) {
            None => Ok(()),
            Some(field) => Err(InvalidAction::Useless {
                action: self.action.clone(),
                field,
            }),
        }
    }
}
