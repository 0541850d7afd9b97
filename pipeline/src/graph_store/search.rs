//! Text search.

use super::Node;

/// A text search by a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// Case is ignored.
    pub text: String,
    /// The kinds of nodes to search; all kinds if it is empty.
    pub kinds: Vec<String>,
}

/// The hits of a search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchResult {
    /// Ordered by rank, then by matched field, then by uid.
    pub hits: Vec<SearchHit>,
    /// Whether there may be more hits. A longer text finds them.
    pub truncated: bool,
}

/// How well a node matches the text, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MatchRank {
    /// A name, an alias or the uid is the text.
    Exact,
    /// A name, an alias or the uid starts with the text.
    Prefix,
    /// A name, an alias or the uid contains the text.
    Substring,
    /// The value of a tag contains the text.
    Tag,
}

/// The field that contains the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MatchedField {
    Name,
    Alias,
    Uid,
    Tag,
}

/// A node that matches the text of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchHit {
    pub node: Node,
    pub rank: MatchRank,
    pub matched_field: MatchedField,
    /// The value that contains the text.
    pub value: String,
}
