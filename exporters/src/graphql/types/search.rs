//! Results of `search` and `resourceTypes`.

use async_graphql::{Enum, Object, SimpleObject};
use pipeline::graph_store::{self, AsOf, KindCount};

use super::node::Node;

/// How well a node matches the text, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "graph_store::MatchRank")]
enum MatchRank {
    /// A name, an alias or the uid equals the text.
    Exact,
    /// A name, an alias or the uid starts with the text.
    Prefix,
    /// A name, an alias or the uid contains the text.
    Substring,
    /// The value of a tag contains the text.
    Tag,
}

/// Which field of a node matches the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "graph_store::MatchedField")]
enum MatchedField {
    Name,
    Alias,
    Uid,
    Tag,
}

/// The nodes that match a text, best match first.
#[derive(SimpleObject)]
pub(in crate::graphql) struct SearchResult {
    /// The matching nodes.
    hits: Vec<SearchHit>,
    /// True if more nodes may match: raise `first`, or search for a longer text.
    truncated: bool,
}

impl SearchResult {
    pub(in crate::graphql) fn of(result: graph_store::SearchResult, at: AsOf) -> SearchResult {
        let hits = result.hits.into_iter();
        SearchResult {
            hits: hits.map(|hit| SearchHit { hit, at }).collect(),
            truncated: result.truncated,
        }
    }
}

/// A node that matches a text, and how it matches.
pub(in crate::graphql) struct SearchHit {
    hit: graph_store::SearchHit,
    at: AsOf,
}

#[Object]
impl SearchHit {
    /// The matching node.
    async fn node(&self) -> Node {
        Node {
            node: self.hit.node.clone(),
            at: self.at,
        }
    }

    /// How well the node matches.
    async fn rank(&self) -> MatchRank {
        self.hit.rank.into()
    }

    /// The field that matches.
    async fn matched_field(&self) -> MatchedField {
        self.hit.matched_field.into()
    }

    /// The value that contains the text.
    async fn value(&self) -> &str {
        &self.hit.value
    }
}

/// A kind of nodes, with its number of nodes.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ResourceType {
    /// The kind: `service`, `AWS::EC2::Instance`, `k8s.pod`.
    kind: String,
    /// The provider: `aws`, `gcp`, `kubernetes`.
    provider: Option<String>,
    /// The number of nodes that have not ended.
    count: u64,
}

impl From<KindCount> for ResourceType {
    fn from(counted: KindCount) -> ResourceType {
        ResourceType {
            kind: counted.kind,
            provider: counted.provider,
            count: counted.count,
        }
    }
}
