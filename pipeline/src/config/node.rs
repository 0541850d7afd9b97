//! A YAML node with its position in the file.

use std::fmt;
use std::sync::{Arc, LazyLock};

use super::position::{Source, SourcePosition};
use super::scalar::{self, TypedScalar};

/// A value of the document, after variables were expanded and files merged.
#[derive(Clone, Debug)]
pub struct YamlNode {
    pub(crate) position: SourcePosition,
    pub(crate) value: Value,
}

/// The value of a node.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Scalar(Scalar),
    List(Vec<YamlNode>),
    /// In the order of the file; each key occurs once.
    Map(Vec<MapEntry>),
    /// A value that could not be read. Its problem was reported already, and checks skip it.
    Invalid,
}

/// A scalar after expansion.
#[derive(Clone)]
pub(crate) struct Scalar {
    pub(crate) text: Arc<str>,
    /// Whether YAML's core schema gives the value its type. Otherwise it is text.
    pub(crate) plain: bool,
    /// The text in the file, if a variable was expanded in it: messages must not show the expanded text.
    pub(crate) written: Option<Arc<str>>,
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.display_text(), f)
    }
}

impl Scalar {
    /// The text for messages: as written in the file, without values of variables.
    pub(crate) fn display_text(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.text)
    }

    /// The value with its type.
    pub(crate) fn typed(&self) -> TypedScalar<'_> {
        if self.plain {
            scalar::parse_plain(&self.text)
        } else {
            TypedScalar::Text(&self.text)
        }
    }
}

/// A key of a map and its value.
#[derive(Clone, Debug)]
pub(crate) struct MapEntry {
    pub(crate) key: Arc<str>,
    /// The position of the key.
    pub(crate) position: SourcePosition,
    pub(crate) value: YamlNode,
}

static NO_POSITION: LazyLock<SourcePosition> = LazyLock::new(|| SourcePosition {
    source: Arc::new(Source {
        name: "(defaults)".to_owned(),
        text: String::new(),
    }),
    line: 1,
    column: 1,
});

impl YamlNode {
    /// An empty map: the configuration of a component that sets nothing.
    pub fn empty() -> YamlNode {
        YamlNode {
            position: NO_POSITION.clone(),
            value: Value::Map(Vec::new()),
        }
    }

    /// The position of the first character of the value.
    pub fn position(&self) -> &SourcePosition {
        &self.position
    }

    /// The value of a map's key.
    pub fn get(&self, key: &str) -> Option<&YamlNode> {
        self.entries()
            .iter()
            .find(|entry| &*entry.key == key)
            .map(|entry| &entry.value)
    }

    /// The keys of a map, in the order of the file.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries().iter().map(|entry| &*entry.key)
    }

    /// The items of a list; empty for any other value.
    pub fn items(&self) -> &[YamlNode] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The text of a scalar, with variables expanded.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// The entries of a map; empty for any other value.
    pub(crate) fn entries(&self) -> &[MapEntry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The text of a scalar for messages: as written in the file, without values of variables.
    pub(crate) fn display_text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar.display_text()),
            _ => None,
        }
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(&self.value, Value::Map(_))
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(&self.value, Value::List(_))
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.typed() == TypedScalar::Null)
    }

    /// Whether the node is or contains a value that could not be read. Such a node cannot be decoded.
    pub(crate) fn has_invalid(&self) -> bool {
        match &self.value {
            Value::Invalid => true,
            Value::Scalar(_) => false,
            Value::List(items) => items.iter().any(YamlNode::has_invalid),
            Value::Map(entries) => entries.iter().any(|entry| entry.value.has_invalid()),
        }
    }

    /// Splits a map into the entries whose keys `taken` accepts, and the other entries.
    pub(crate) fn split(&self, taken: impl Fn(&str) -> bool) -> (YamlNode, YamlNode) {
        let Value::Map(entries) = &self.value else {
            return (
                YamlNode {
                    position: self.position.clone(),
                    value: Value::Map(Vec::new()),
                },
                self.clone(),
            );
        };
        let (left, right) = entries.iter().cloned().partition(|entry| taken(&entry.key));
        let map = |entries| YamlNode {
            position: self.position.clone(),
            value: Value::Map(entries),
        };
        (map(left), map(right))
    }

    /// The type of the value for messages, such as `a list`. It does not contain the value.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.value {
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Invalid => "an invalid value",
            Value::Scalar(scalar) => match scalar.typed() {
                TypedScalar::Null => "nothing",
                TypedScalar::Bool(_) => "true or false",
                TypedScalar::Int(_) => "a whole number",
                TypedScalar::Float(_) => "a number",
                TypedScalar::Text(_) => "text",
            },
        }
    }
}
