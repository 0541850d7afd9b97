//! A YAML node with its place in the file.

use std::fmt;
use std::sync::{Arc, LazyLock};

use super::place::{Place, Problem, Source};
use super::scalar::{self, Typed};
use super::{load::Loading, parse};

/// A part of the document, after expansion and merging.
#[derive(Clone, Debug)]
pub struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    /// In the order written; no key twice.
    Map(Vec<Entry>),
    /// A problem was reported here already; checks skip it.
    Unknown,
}

#[derive(Clone)]
pub(crate) struct Scalar {
    pub(crate) text: Arc<str>,
    /// Typed by the core schema; else it is text.
    pub(crate) plain: bool,
    /// The text as written, if a variable was expanded in it: the expanded text must not be shown.
    pub(crate) written: Option<Arc<str>>,
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.shown(), f)
    }
}

impl Scalar {
    /// The text that may be shown.
    pub(crate) fn shown(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.text)
    }

    pub(crate) fn typed(&self) -> Typed<'_> {
        if self.plain {
            scalar::plain(&self.text)
        } else {
            Typed::Text(&self.text)
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Arc<str>,
    pub(crate) place: Place,
    pub(crate) value: Node,
}

static NO_PLACE: LazyLock<Place> = LazyLock::new(|| Place {
    source: Arc::new(Source {
        name: "(defaults)".to_owned(),
        text: String::new(),
    }),
    line: 1,
    column: 1,
});

impl Node {
    /// An empty map: the configuration of a component that sets nothing.
    pub fn empty() -> Node {
        Node {
            place: NO_PLACE.clone(),
            value: Value::Map(Vec::new()),
        }
    }

    /// Parses text as if it were a file, with the process's environment.
    ///
    /// # Errors
    /// The first problem.
    pub fn from_yaml(text: &str) -> Result<Node, Problem> {
        let mut loading = Loading::default();
        let node = parse::parse("test.yaml", text, &mut loading)?;
        match loading.problems.into_iter().next() {
            Some(problem) => Err(problem),
            None => Ok(node),
        }
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The value of a map's key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find(|entry| &*entry.key == key)
            .map(|entry| &entry.value)
    }

    /// The keys of a map, in the order written.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries().iter().map(|entry| &*entry.key)
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> &[Node] {
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

    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The text of a scalar that may be shown.
    pub(crate) fn shown(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar.shown()),
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
        matches!(&self.value, Value::Scalar(scalar) if scalar.typed() == Typed::Null)
    }

    /// Whether a problem in it was reported already, so that it cannot be decoded.
    pub(crate) fn has_unknown(&self) -> bool {
        match &self.value {
            Value::Unknown => true,
            Value::Scalar(_) => false,
            Value::List(items) => items.iter().any(Node::has_unknown),
            Value::Map(entries) => entries.iter().any(|entry| entry.value.has_unknown()),
        }
    }

    /// Splits a map into the entries with these keys, and the rest.
    pub(crate) fn split(&self, taken: impl Fn(&str) -> bool) -> (Node, Node) {
        let Value::Map(entries) = &self.value else {
            return (
                Node {
                    place: self.place.clone(),
                    value: Value::Map(Vec::new()),
                },
                self.clone(),
            );
        };
        let (left, right) = entries.iter().cloned().partition(|entry| taken(&entry.key));
        let map = |entries| Node {
            place: self.place.clone(),
            value: Value::Map(entries),
        };
        (map(left), map(right))
    }

    /// The type for messages; never the value.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.value {
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Unknown => "something unknown",
            Value::Scalar(scalar) => match scalar.typed() {
                Typed::Null => "nothing",
                Typed::Bool(_) => "true or false",
                Typed::Int(_) => "a whole number",
                Typed::Float(_) => "a number",
                Typed::Text(_) => "text",
            },
        }
    }
}
