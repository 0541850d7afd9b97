//! Nodes.

use std::borrow::Cow;

use async_graphql::{Context, Error, InputObject, Json, Object, Result, SimpleObject};
use pipeline::graph_store::{self, At, OtherName};
use pipeline::schema::nodes::group;
use serde_json::{Map as JsonMap, Value};

use super::super::loader;
use super::super::time::DateTime;
use super::super::value_path::ValuePath;

/// Anything of the cloud that has a uid: a resource, a pod, a service, an endpoint.
pub(in super::super) struct Node {
    pub(in super::super) node: graph_store::Node,
    /// The moment that it is told of.
    pub(in super::super) at: At,
}

impl Node {
    /// Those of which anything is known.
    pub(in super::super) fn all(nodes: Vec<Option<graph_store::Node>>, at: At) -> Vec<Node> {
        let known = nodes.into_iter().flatten();
        known.map(|node| Node { node, at }).collect()
    }
}

#[Object]
impl Node {
    /// What names it in the graph: an ARN, `k8s://…`, `svc://environment/namespace/name`.
    async fn uid(&self) -> &str {
        &self.node.uid
    }

    /// `service`, `AWS::EC2::Instance`, `k8s.pod`; `unknown` where only an edge leads to it.
    async fn kind(&self) -> &str {
        &self.node.kind
    }

    /// What people call it; null where nothing says. `label` is never null.
    async fn name(&self) -> Option<&str> {
        self.node.name.as_deref()
    }

    /// Its name, else the short id in its uid: `sg-0a1b2c`, `db.example:5432`. Never empty.
    async fn label(&self) -> Cow<'_, str> {
        self.node.label()
    }

    /// `aws`, `gcp`, `kubernetes`.
    async fn provider(&self) -> Option<&str> {
        self.node.provider.as_deref()
    }

    /// AWS account id, GCP project id, Kubernetes cluster.
    async fn account(&self) -> Option<&str> {
        self.node.account.as_deref()
    }

    async fn region(&self) -> Option<&str> {
        self.node.region.as_deref()
    }

    /// Tags or labels.
    async fn tags(&self) -> Json<&JsonMap<String, Value>> {
        Json(&self.node.tags)
    }

    /// The value of one tag or label; null where it has none of this key.
    async fn tag(&self, key: String) -> Option<String> {
        let value = self.node.tags.get(&key)?;
        Some(match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    /// What its provider's API says of it, or one value of that: `IpPermissions[0].FromPort`,
    /// `metadata.labels['app.kubernetes.io/name']`. Null where it is not there.
    async fn configuration(
        &self,
        #[graphql(desc = "all of it where none is given")] path: Option<String>,
    ) -> Result<Option<Json<Value>>> {
        let path = ValuePath::parse(path.as_deref().unwrap_or_default()).map_err(Error::new)?;
        let actual = self.node.facts.get(group::ACTUAL);
        Ok(actual.and_then(|fact| path.find(&fact.value)).map(Json))
    }

    /// The other names by which it is known.
    #[graphql(complexity = "1 + 5 * child_complexity")]
    async fn aliases(&self, context: &Context<'_>) -> Result<Vec<Alias>> {
        let names = loader::names(context, &self.node.uid, self.at).await?;
        Ok(names.into_iter().map(Alias::from).collect())
    }

    /// What is said of it: the winner of each group, or of those that are asked for.
    async fn facts(
        &self,
        #[graphql(desc = "`lifecycle`, `actual`, `desired`, `telemetry`, `health`, `drift`")]
        groups: Option<Vec<String>>,
    ) -> Vec<Fact> {
        let asked = |group: &String| groups.as_ref().is_none_or(|groups| groups.contains(group));
        let facts = self.node.facts.iter().filter(|(group, _)| asked(group));
        facts.map(|(group, fact)| Fact::of(group, fact)).collect()
    }

    async fn first_seen(&self) -> DateTime {
        DateTime(self.node.first_seen)
    }

    async fn last_seen(&self) -> DateTime {
        DateTime(self.node.last_seen)
    }

    /// When it ended; null while it lives.
    async fn ended(&self) -> Option<DateTime> {
        self.node.ended.map(DateTime)
    }

    /// Since when it is not known whether it exists: every source that saw it stopped looking there. Null
    /// where one looks.
    async fn unobserved_since(&self) -> Option<DateTime> {
        self.node.unobserved_since.map(DateTime)
    }
}

/// Another name of a node.
#[derive(SimpleObject)]
pub(in super::super) struct Alias {
    /// `id`, `name`, `ip`, `dns`, `same_as` …
    kind: String,
    value: String,
    /// Where the name is unique: a VPC for a private IP; null for everywhere.
    scope: Option<String>,
}

impl From<OtherName> for Alias {
    fn from(name: OtherName) -> Alias {
        Alias {
            kind: name.kind,
            value: name.value,
            scope: name.scope,
        }
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
    /// Part of the name or of the last part of the uid, in any case; of one or two letters the beginning.
    text: Option<String>,
    provider: Option<String>,
    account: Option<String>,
    region: Option<String>,
    /// All of these.
    tags: Option<Vec<TagFilter>>,
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
            tags: filter
                .tags
                .unwrap_or_default()
                .into_iter()
                .map(graph_store::TagFilter::from)
                .collect(),
            with_ended: filter.with_ended,
        }
    }
}

/// A tag or label that a node has.
#[derive(Debug, InputObject)]
struct TagFilter {
    key: String,
    /// Any value where none is given.
    value: Option<String>,
}

impl From<TagFilter> for graph_store::TagFilter {
    fn from(tag: TagFilter) -> graph_store::TagFilter {
        graph_store::TagFilter {
            key: tag.key,
            value: tag.value,
        }
    }
}
