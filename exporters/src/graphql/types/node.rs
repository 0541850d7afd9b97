//! Nodes.

use async_graphql::{InputObject, Json, Object, SimpleObject};
use pipeline::graph_store;
use serde_json::{Map as JsonMap, Value};

use super::super::time::DateTime;

/// Anything of the cloud that has a uid: a resource, a pod, a service, an endpoint.
pub(in super::super) struct Node(pub(in super::super) graph_store::Node);

#[Object]
impl Node {
    /// What names it in the graph: an ARN, `k8s://…`, `svc://environment/namespace/name`.
    async fn uid(&self) -> &str {
        &self.0.uid
    }

    /// `service`, `AWS::EC2::Instance`, `k8s.pod`; `unknown` where only an edge leads to it.
    async fn kind(&self) -> &str {
        &self.0.kind
    }

    /// What people call it.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// `aws`, `gcp`, `kubernetes`.
    async fn provider(&self) -> Option<&str> {
        self.0.provider.as_deref()
    }

    /// AWS account id, GCP project id, Kubernetes cluster.
    async fn account(&self) -> Option<&str> {
        self.0.account.as_deref()
    }

    async fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// Tags or labels.
    async fn tags(&self) -> Json<&JsonMap<String, Value>> {
        Json(&self.0.tags)
    }

    /// What is said of it: the winner of each group, or of those that are asked for.
    async fn facts(
        &self,
        #[graphql(desc = "`lifecycle`, `actual`, `desired`, `telemetry`, `health`, `drift`")]
        groups: Option<Vec<String>>,
    ) -> Vec<Fact> {
        let asked = |group: &String| groups.as_ref().is_none_or(|groups| groups.contains(group));
        let facts = self.0.facts.iter().filter(|(group, _)| asked(group));
        facts.map(|(group, fact)| Fact::of(group, fact)).collect()
    }

    async fn first_seen(&self) -> DateTime {
        DateTime(self.0.first_seen)
    }

    async fn last_seen(&self) -> DateTime {
        DateTime(self.0.last_seen)
    }

    /// When it ended; null while it lives.
    async fn ended(&self) -> Option<DateTime> {
        self.0.ended.map(DateTime)
    }
}

/// What one source says of a node.
#[derive(SimpleObject)]
pub(in super::super) struct Fact {
    group: String,
    source: String,
    value: Json<JsonMap<String, Value>>,
    first_seen: DateTime,
    last_seen: DateTime,
}

impl Fact {
    fn of(group: &str, fact: &graph_store::Fact) -> Fact {
        Fact {
            group: group.to_owned(),
            source: fact.source.clone(),
            value: Json(fact.value.clone()),
            first_seen: DateTime(fact.first_seen),
            last_seen: DateTime(fact.last_seen),
        }
    }
}

/// Which nodes; a field that is not given does not restrict.
#[derive(Debug, Default, InputObject)]
pub(in super::super) struct NodeFilter {
    kinds: Option<Vec<String>>,
    /// Part of the name or uid, in any case.
    text: Option<String>,
    provider: Option<String>,
    account: Option<String>,
    region: Option<String>,
    /// Also those that have ended.
    #[graphql(default)]
    with_ended: bool,
}

impl From<NodeFilter> for graph_store::NodeFilter {
    fn from(filter: NodeFilter) -> graph_store::NodeFilter {
        graph_store::NodeFilter {
            kinds: filter.kinds.unwrap_or_default(),
            text: filter.text,
            provider: filter.provider,
            account: filter.account,
            region: filter.region,
            with_ended: filter.with_ended,
        }
    }
}
