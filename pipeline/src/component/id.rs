//! `type[/name]`: the id of a component in a configuration file.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

/// `otlp` or `otlp/internal`: the type, and a name if there are several components of the type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComponentId {
    kind: String,
    name: Option<String>,
}

impl ComponentId {
    /// The type as in the file. It may be an alias.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The name after the `/`.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        match &self.name {
            Some(name) => write!(f, "/{name}"),
            None => Ok(()),
        }
    }
}

/// The text is not the id of a component.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    #[error("the id has no type; write `type` or `type/name`")]
    NoType,
    #[error("type {0:?} must begin with a letter and contain only letters, digits and '_'")]
    Type(String),
    #[error("id {0:?} has no name after the '/'; write a name, or leave out the '/'")]
    NoName(String),
}

impl FromStr for ComponentId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<ComponentId, InvalidId> {
        let (kind, name) = match text.split_once('/') {
            Some((kind, name)) => (kind.trim(), Some(name.trim())),
            None => (text.trim(), None),
        };
        if kind.is_empty() {
            return Err(InvalidId::NoType);
        }
        let valid = kind.starts_with(|first: char| first.is_ascii_alphabetic())
            && kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !valid {
            return Err(InvalidId::Type(kind.to_owned()));
        }
        if name == Some("") {
            return Err(InvalidId::NoName(text.to_owned()));
        }
        Ok(ComponentId {
            kind: kind.to_owned(),
            name: name.map(str::to_owned),
        })
    }
}

/// A configuration field that names an exporter with a graph store. The topology finds the field by the format
/// `graph_store` in its schema, and the engine builds that exporter first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreRef(pub ComponentId);

impl StoreRef {
    /// The `format` of the field in JSON Schema.
    pub const FORMAT: &str = "graph_store";
}

impl<'de> Deserialize<'de> for StoreRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StoreRef, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(StoreRef).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for StoreRef {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StoreRef".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": StoreRef::FORMAT})
    }
}

#[cfg(test)]
mod tests {
    use super::{ComponentId, InvalidId};

    #[test]
    fn id_is_a_type_and_an_optional_name() {
        let id: ComponentId = "otlp/a/b".parse().unwrap();
        assert_eq!((id.kind(), id.name()), ("otlp", Some("a/b")));
        assert_eq!(id.to_string(), "otlp/a/b");
        assert_eq!("".parse::<ComponentId>(), Err(InvalidId::NoType));
        assert_eq!(
            "otlp/".parse::<ComponentId>(),
            Err(InvalidId::NoName("otlp/".into()))
        );
        assert_eq!(
            "9p".parse::<ComponentId>(),
            Err(InvalidId::Type("9p".into()))
        );
    }
}
