//! What was looked for.

use async_graphql::{Enum, Object, SimpleObject};
use pipeline::graph_store::{self, At, KindCount};

use super::node::Node;

/// How well something that was found fits, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "graph_store::Fit")]
enum Fit {
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "graph_store::FoundIn")]
enum FoundIn {
    Name,
    Alias,
    Uid,
    Tag,
}

/// What was found by a text.
#[derive(SimpleObject)]
pub(in super::super) struct SearchResult {
    found: Vec<Found>,
    /// Whether nodes may fit that are not among them: ask for more, or for a longer text.
    truncated: bool,
}

impl SearchResult {
    pub(in super::super) fn of(result: graph_store::SearchResult, at: At) -> SearchResult {
        let found = result.found.into_iter();
        SearchResult {
            found: found.map(|found| Found { found, at }).collect(),
            truncated: result.truncated,
        }
    }
}

/// A node that was found by a text.
pub(in super::super) struct Found {
    found: graph_store::Found,
    at: At,
}

#[Object]
impl Found {
    async fn node(&self) -> Node {
        Node {
            node: self.found.node.clone(),
            at: self.at,
        }
    }

    async fn fit(&self) -> Fit {
        self.found.fit.into()
    }

    async fn found_in(&self) -> FoundIn {
        self.found.found_in.into()
    }

    /// What has the text in it.
    async fn value(&self) -> &str {
        &self.found.value
    }
}

/// A kind of nodes.
#[derive(SimpleObject)]
pub(in super::super) struct ResourceType {
    /// `service`, `AWS::EC2::Instance`, `k8s.pod`.
    kind: String,
    /// `aws`, `gcp`, `kubernetes`.
    provider: Option<String>,
    /// How many nodes live.
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
