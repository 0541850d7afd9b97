//! What a resource is about.

use pipeline::attributes::{Map, Value};
use prost::Message;

/// A resource's attributes, and which of its entities count.
#[derive(Debug)]
pub(super) struct Resource<'a> {
    pub(super) attributes: Map<'a>,
    /// Of what the entity references name; empty where they name nothing that is known.
    referenced: Vec<Entity>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entity {
    Service,
    CloudResource,
    Task,
    Pod,
    /// A ReplicaSet, Deployment and so on, by its name in `k8s.NAME.uid`.
    Workload(&'static str),
    Node,
    Host,
    Container,
}

/// Types of `EntityRef`, and the attributes of which one must be among the `id_keys`.
const TYPES: [(&str, Entity, &[&str]); 17] = [
    ("service", Entity::Service, &["service.name"]),
    ("service.instance", Entity::Service, &[]),
    (
        "cloud.resource",
        Entity::CloudResource,
        &["cloud.resource_id"],
    ),
    ("faas", Entity::CloudResource, &[]),
    ("aws.lambda", Entity::CloudResource, &[]),
    ("aws.ecs.task", Entity::Task, &["aws.ecs.task.arn"]),
    ("k8s.pod", Entity::Pod, &["k8s.pod.uid"]),
    (
        "k8s.replicaset",
        Entity::Workload("replicaset"),
        &["k8s.replicaset.uid"],
    ),
    (
        "k8s.deployment",
        Entity::Workload("deployment"),
        &["k8s.deployment.uid"],
    ),
    (
        "k8s.statefulset",
        Entity::Workload("statefulset"),
        &["k8s.statefulset.uid"],
    ),
    (
        "k8s.daemonset",
        Entity::Workload("daemonset"),
        &["k8s.daemonset.uid"],
    ),
    ("k8s.job", Entity::Workload("job"), &["k8s.job.uid"]),
    (
        "k8s.cronjob",
        Entity::Workload("cronjob"),
        &["k8s.cronjob.uid"],
    ),
    ("k8s.node", Entity::Node, &["k8s.node.uid"]),
    ("host", Entity::Host, &["host.id"]),
    ("container", Entity::Container, &["container.id"]),
    ("k8s.container", Entity::Container, &[]),
];

/// The field of OTLP's `Resource` that the column `resource_entity_refs` is a run of
/// (opentelemetry/proto/resource/v1/resource.proto).
#[derive(Clone, PartialEq, Message)]
struct References {
    #[prost(message, repeated, tag = "3")]
    entity_refs: Vec<EntityRef>,
}

#[derive(Clone, PartialEq, Message)]
struct EntityRef {
    #[prost(string, tag = "2")]
    r#type: String,
    #[prost(string, repeated, tag = "3")]
    id_keys: Vec<String>,
}

impl<'a> Resource<'a> {
    /// References that are malformed are none.
    pub(super) fn new(attributes: &'a [u8], entity_refs: &[u8]) -> Resource<'a> {
        let references = References::decode(entity_refs).unwrap_or_default();
        let entities = references.entity_refs.iter().filter_map(EntityRef::entity);
        Resource {
            attributes: Map::new(attributes),
            referenced: entities.collect(),
        }
    }

    pub(super) fn is_about(&self, entity: Entity) -> bool {
        self.referenced.is_empty() || self.referenced.contains(&entity)
    }

    /// None where it is missing, empty or no text.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.attributes.text(key).filter(|text| !text.is_empty())
    }

    /// All texts of an attribute that is one text or a list of them.
    pub(super) fn texts(&self, key: &str) -> Vec<&'a str> {
        match self.attributes.get(key) {
            Some(Value::Text(text)) => vec![text],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_text).collect(),
            _ => Vec::new(),
        }
    }

    /// Those of these attributes that are there, encoded.
    pub(super) fn only(&self, keys: &[&str]) -> Vec<u8> {
        let mut some = pipeline::attributes::MapBuilder::new();
        for key in keys {
            if let Some(text) = self.text(key) {
                some.text(key, text);
            }
        }
        some.finish()
    }
}

impl EntityRef {
    /// None where its type is not known, or other attributes identify it than those that make uids.
    fn entity(&self) -> Option<Entity> {
        let (_, entity, keys) = TYPES.iter().find(|(name, ..)| *name == self.r#type)?;
        let identified = keys.is_empty()
            || self.id_keys.is_empty()
            || self.id_keys.iter().any(|key| keys.contains(&key.as_str()));
        identified.then_some(*entity)
    }
}
