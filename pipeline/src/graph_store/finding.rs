//! What is looked for, and what is found.

use super::Node;
use crate::unix_nanos::UnixNanos;

/// A tag that a node has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagFilter {
    pub key: String,
    /// Any value where none is given.
    pub value: Option<String>,
}

/// Another name by which a node is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OtherName {
    /// Of [`aliases`](crate::schema::aliases): `id`, `name`, `ip`, `dns`, `same_as` …
    pub kind: String,
    pub value: String,
    /// Where the name is unique; none for everywhere.
    pub scope: Option<String>,
    pub valid_from: Option<UnixNanos>,
    pub valid_to: Option<UnixNanos>,
}

/// How many nodes there are of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindCount {
    pub kind: String,
    pub provider: Option<String>,
    pub count: u64,
}

/// What is looked for by people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// In any case.
    pub text: String,
    /// Of all kinds where none is named.
    pub kinds: Vec<String>,
}

/// What was found, and whether that may not be all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchResult {
    /// What fits best first, then by where it was found and by uid.
    pub found: Vec<Found>,
    /// Whether nodes may fit that are not among them: a longer text finds those.
    pub truncated: bool,
}

/// How well something that was found fits, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// A name of it is the text.
    Exact,
    /// A name of it begins with the text.
    Prefix,
    /// A name of it has the text in it.
    Part,
    /// The value of a tag has the text in it.
    Tag,
}

/// Where a text was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FoundIn {
    Name,
    Alias,
    Uid,
    Tag,
}

/// A node that was found by a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub node: Node,
    pub fit: Fit,
    pub found_in: FoundIn,
    /// What has the text in it.
    pub value: String,
}
