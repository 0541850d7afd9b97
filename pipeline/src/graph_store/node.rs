//! Nodes, and the filter of node lists.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map as JsonMap, Value as Json};

use crate::label::label;
use crate::unix_nanos::UnixNanos;

/// A node at a moment, merged from its facts.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub uid: String,
    /// `service`, `AWS::EC2::Instance`; `unknown` for a placeholder: a uid that no fact describes, but that an edge
    /// leads to.
    pub kind: String,
    pub name: Option<String>,
    pub provider: Option<String>,
    pub account: Option<String>,
    pub region: Option<String>,
    pub tags: JsonMap<String, Json>,
    /// The winning fact of each group that has one, by group: `actual`, `telemetry` …
    pub facts: BTreeMap<String, Fact>,
    pub first_seen: UnixNanos,
    pub last_seen: UnixNanos,
    /// The end of the node; `None` while it exists.
    pub ended: Option<UnixNanos>,
    /// The time since which no source that saw the node scans for it, so that its existence is unknown.
    pub unobserved_since: Option<UnixNanos>,
}

impl Node {
    /// The label for people: the name or, if that is missing or blank, the short id in the uid. Never empty.
    pub fn label(&self) -> Cow<'_, str> {
        label(self.name.as_deref(), &self.uid)
    }
}

/// The value that one source reports for one fact group.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub source: String,
    pub value: JsonMap<String, Json>,
    pub first_seen: UnixNanos,
    pub last_seen: UnixNanos,
}

/// The filter of a node list. An empty field does not restrict the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeFilter {
    pub kinds: Vec<String>,
    /// A part of the name or of the uid's tail; case is ignored. The tail of an ARN starts after the
    /// account, the tail of other uids after the scheme. A text of one or two letters matches the beginning only. A
    /// whole uid matches as well. Only the first 200 characters of a name are compared.
    pub text: Option<String>,
    pub provider: Option<String>,
    pub account: Option<String>,
    pub region: Option<String>,
    /// A node must have all of these tags.
    pub tags: Vec<TagFilter>,
    /// Whether the list includes nodes that have ended.
    pub include_ended: bool,
}

/// A tag that a node must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagFilter {
    pub key: String,
    /// `None` for any value.
    pub value: Option<String>,
}

/// The number of nodes of a kind and provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindCount {
    pub kind: String,
    pub provider: Option<String>,
    pub count: u64,
}

/// An event in the history of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineEntry {
    pub time: UnixNanos,
    /// Unique and stable. Ids order the entries of the same time.
    pub id: String,
    /// `node_appeared`, `node_changed`, `node_ended`, `edges_changed`, `change`.
    pub kind: String,
    pub source: String,
    /// One line for people.
    pub summary: String,
    pub details: JsonMap<String, Json>,
}
