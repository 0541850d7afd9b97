//! Results of `search` and `resourceTypes`.

use async_graphql::{Enum, Object, SimpleObject};
use pipeline::graph_store::{self, At, KindCount};

use super::node::Node;

/// How well a node matches the text, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "graph_store::Fit")]
enum Fit {
    /// A name, an alias or the uid equals the text.
    Exact,
    /// A name, an alias or the uid starts with the text.
    Prefix,
    /// A name, an alias or the uid contains the text.
    Part,
    /// The value of a tag contains the text.
    Tag,
}

/// Which field of a node matches the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "graph_store::FoundIn")]
enum FoundIn {
    Name,
    Alias,
    Uid,
    Tag,
}

/// The nodes that match a text, best match first.
#[derive(SimpleObject)]
pub(in super::super) struct SearchResult {
    /// The matching nodes.
    found: Vec<Found>,
    /// True if more nodes may match: raise `first`, or search for a longer text.
    truncated: bool,
}

impl SearchResult {
    pub(in super::super) fn of(result: graph_store::SearchResult, at: At) -> SearchResult {
        let hits = result.found.into_iter();
        SearchResult {
            found: hits.map(|hit| Found { hit, at }).collect(),
            truncated: result.truncated,
        }
    }
}

/// A node that matches a text, and how it matches.
pub(in super::super) struct Found {
    hit: graph_store::Found,
    at: At,
}

#[Object]
impl Found {
    /// The matching node.
    async fn node(&self) -> Node {
        Node {
            node: self.hit.node.clone(),
            at: self.at,
        }
    }

    /// How well it matches.
    async fn fit(&self) -> Fit {
        self.hit.fit.into()
    }

    /// The field that matches.
    async fn found_in(&self) -> FoundIn {
        self.hit.found_in.into()
    }

    /// The value that contains the text.
    async fn value(&self) -> &str {
        &self.hit.value
    }
}

/// A kind of nodes, with its number of nodes.
#[derive(SimpleObject)]
pub(in super::super) struct ResourceType {
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
