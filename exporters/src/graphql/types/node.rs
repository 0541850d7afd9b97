//! `Node`, its aliases and facts, and `NodeFilter`.

use std::borrow::Cow;

use async_graphql::{Context, Error, InputObject, Json, Object, Result, SimpleObject};
use pipeline::graph_store::{self, AsOf, GraphAlias};
use pipeline::schema::nodes::group;
use serde_json::{Map as JsonMap, Value};

use crate::graphql::loader;
use crate::graphql::time::DateTime;
use crate::graphql::value_path::ValuePath;

/// A node of the graph: a cloud resource, a pod, a service, an endpoint.
pub(in crate::graphql) struct Node {
    pub(in crate::graphql) node: graph_store::Node,
    /// The time that its fields describe.
    pub(in crate::graphql) at: AsOf,
}

impl Node {
    /// Loads the node of a uid, in one batch with the other requested nodes; `None` if the store does not have it.
    pub(in crate::graphql) async fn load(
        context: &Context<'_>,
        uid: &str,
        at: AsOf,
    ) -> Result<Option<Node>> {
        let node = loader::node(context, uid, at).await?;
        Ok(node.map(|node| Node { node, at }))
    }

    /// The nodes of the uids that the store has; `None` entries are dropped.
    pub(in crate::graphql) fn all(nodes: Vec<Option<graph_store::Node>>, at: AsOf) -> Vec<Node> {
        let nodes = nodes.into_iter().flatten();
        nodes.map(|node| Node { node, at }).collect()
    }
}

#[Object]
impl Node {
    /// The unique id of the node in the graph: an ARN, `k8s://…`, `svc://environment/namespace/name`.
    async fn uid(&self) -> &str {
        &self.node.uid
    }

    /// The kind: `service`, `AWS::EC2::Instance`, `k8s.pod`; `unknown` if only an edge names the node.
    async fn kind(&self) -> &str {
        &self.node.kind
    }

    /// The name; null if no source reported one. `label` is never null.
    async fn name(&self) -> Option<&str> {
        self.node.name.as_deref()
    }

    /// The name, or the short id in the uid if there is no name: `sg-0a1b2c`, `db.example:5432`. Never empty.
    async fn label(&self) -> Cow<'_, str> {
        self.node.label()
    }

    /// The provider: `aws`, `gcp`, `kubernetes`.
    async fn provider(&self) -> Option<&str> {
        self.node.provider.as_deref()
    }

    /// The AWS account id, GCP project id or Kubernetes cluster.
    async fn account(&self) -> Option<&str> {
        self.node.account.as_deref()
    }

    /// The region of the provider.
    async fn region(&self) -> Option<&str> {
        self.node.region.as_deref()
    }

    /// All tags or labels.
    async fn tags(&self) -> Json<&JsonMap<String, Value>> {
        Json(&self.node.tags)
    }

    /// The value of one tag or label; null if the node does not have this key.
    async fn tag(&self, key: String) -> Option<String> {
        let value = self.node.tags.get(&key)?;
        Some(match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    /// The configuration as the provider's API returns it, or one value of it: `IpPermissions[0].FromPort`,
    /// `metadata.labels['app.kubernetes.io/name']`. Null if there is no such value.
    async fn configuration(
        &self,
        #[graphql(desc = "the path of one value; the whole configuration if it is not set")]
        path: Option<String>,
    ) -> Result<Option<Json<Value>>> {
        let path = ValuePath::parse(path.as_deref().unwrap_or_default()).map_err(Error::new)?;
        let actual = self.node.facts.get(group::ACTUAL);
        Ok(actual.and_then(|fact| path.find(&fact.value)).map(Json))
    }

    /// The aliases of the node.
    #[graphql(complexity = "1 + 5 * child_complexity")]
    async fn aliases(&self, context: &Context<'_>) -> Result<Vec<Alias>> {
        let aliases = loader::aliases(context, &self.node.uid, self.at).await?;
        Ok(aliases.into_iter().map(Alias::from).collect())
    }

    /// The winning fact of each group, or of the given groups.
    async fn facts(
        &self,
        #[graphql(desc = "`lifecycle`, `actual`, `desired`, `telemetry`, `health`, `drift`")]
        groups: Option<Vec<String>>,
    ) -> Vec<Fact> {
        let is_requested =
            |group: &String| groups.as_ref().is_none_or(|groups| groups.contains(group));
        let facts = self.node.facts.iter();
        let facts = facts.filter(|(group, _)| is_requested(group));
        facts.map(|(group, fact)| Fact::of(group, fact)).collect()
    }

    /// When the node was first reported.
    async fn first_seen(&self) -> DateTime {
        DateTime(self.node.first_seen)
    }

    /// When the node was last reported.
    async fn last_seen(&self) -> DateTime {
        DateTime(self.node.last_seen)
    }

    /// When the node ended (it was deleted or terminated); null while it exists.
    async fn ended(&self) -> Option<DateTime> {
        self.node.ended.map(DateTime)
    }

    /// Since when it is unknown whether the node exists, because no source observes the node any longer. Null while a
    /// source observes it.
    async fn unobserved_since(&self) -> Option<DateTime> {
        self.node.unobserved_since.map(DateTime)
    }
}

/// An alias: another name of a node.
#[derive(SimpleObject)]
pub(in crate::graphql) struct Alias {
    /// The kind of the alias: `id`, `name`, `ip`, `dns`, `same_as` …
    kind: String,
    value: String,
    /// The scope in which the alias is unique, such as a VPC for a private IP address; null if it is unique everywhere.
    scope: Option<String>,
}

impl From<GraphAlias> for Alias {
    fn from(alias: GraphAlias) -> Alias {
        Alias {
            kind: alias.kind,
            value: alias.value,
            scope: alias.scope,
        }
    }
}

/// A fact: the value that one source reports for one group of a node.
#[derive(SimpleObject)]
pub(in crate::graphql) struct Fact {
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

/// Selects nodes that match all given fields.
#[derive(Debug, Default, InputObject)]
pub(in crate::graphql) struct NodeFilter {
    /// Any of these kinds.
    kinds: Option<Vec<String>>,
    /// Text in the name or in the last part of the uid, case-insensitive. A text of one or two characters matches the
    /// beginning only.
    text: Option<String>,
    provider: Option<String>,
    account: Option<String>,
    region: Option<String>,
    /// All of these tags.
    tags: Option<Vec<TagFilter>>,
    /// Include nodes that have ended.
    #[graphql(default)]
    include_ended: bool,
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
            include_ended: filter.include_ended,
        }
    }
}

/// Selects nodes that have a tag or label.
#[derive(Debug, InputObject)]
struct TagFilter {
    key: String,
    /// The value of the tag; any value if it is not set.
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
