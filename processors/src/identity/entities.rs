//! Reads the attributes of a resource and its entity references.

use pipeline::attributes::{Map, Value};
use prost::Message;

/// The attributes of a resource, and the entities that it describes.
#[derive(Debug)]
pub(super) struct ResourceAttributes<'a> {
    pub(super) attributes: Map<'a>,
    /// The entities that the references identify. If there are none, the resource may describe any entity.
    referenced: Vec<Entity>,
}

/// A type of entity that a resource can describe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entity {
    Service,
    CloudResource,
    Task,
    Pod,
    /// A ReplicaSet, a Deployment and so on. The text is the NAME in its attribute `k8s.NAME.uid`.
    Workload(&'static str),
    Node,
    Host,
    Container,
}

/// Each type of `EntityRef` with its entity and its identifying attributes. The `id_keys` of a reference must be empty
/// or have one of these attributes. A type without identifying attributes accepts all `id_keys`.
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

/// The column `resource_entity_refs`: the encoded field `entity_refs` of OTLP's `Resource`
/// (opentelemetry/proto/resource/v1/resource.proto).
#[derive(Clone, PartialEq, Message)]
struct EntityReferences {
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

impl<'a> ResourceAttributes<'a> {
    /// Decodes the references. If they are malformed, ignores all of them.
    pub(super) fn new(attributes: &'a [u8], entity_refs: &[u8]) -> ResourceAttributes<'a> {
        let references = EntityReferences::decode(entity_refs).unwrap_or_default();
        let entities = references.entity_refs.iter().filter_map(EntityRef::entity);
        ResourceAttributes {
            attributes: Map::new(attributes),
            referenced: entities.collect(),
        }
    }

    /// Whether the resource may describe the entity.
    pub(super) fn is_about(&self, entity: Entity) -> bool {
        self.referenced.is_empty() || self.referenced.contains(&entity)
    }

    /// The text of an attribute; `None` if it is missing, empty or not text.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.attributes.text(key).filter(|text| !text.is_empty())
    }

    /// The texts of an attribute whose value is a text or a list.
    pub(super) fn texts(&self, key: &str) -> Vec<&'a str> {
        match self.attributes.get(key) {
            Some(Value::Text(text)) => vec![text],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_text).collect(),
            _ => Vec::new(),
        }
    }

    /// Encodes the attributes with these keys, without those that [`ResourceAttributes::text`] does not find.
    pub(super) fn only(&self, keys: &[&str]) -> Vec<u8> {
        let mut present = pipeline::attributes::MapBuilder::new();
        for key in keys {
            if let Some(text) = self.text(key) {
                present.text(key, text);
            }
        }
        present.finish()
    }
}

impl EntityRef {
    /// The entity that the reference identifies; `None` if its type is unknown, or if it has `id_keys` and none of them
    /// is identifying.
    fn entity(&self) -> Option<Entity> {
        let (_, entity, keys) = TYPES.iter().find(|(name, ..)| *name == self.r#type)?;
        let identified = keys.is_empty()
            || self.id_keys.is_empty()
            || self.id_keys.iter().any(|key| keys.contains(&key.as_str()));
        identified.then_some(*entity)
    }
}
