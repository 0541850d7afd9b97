//! The nodes and edges that the attributes of a resource describe.

use pipeline::Batch;
use pipeline::alias_index::{AliasView, ValidInterval};
use pipeline::batch::cells;
use pipeline::component::UnixNanos;
use pipeline::schema::edges::kind;
use pipeline::schema::otlp_context;

use super::entities::{Entity, ResourceAttributes};
use super::identified_node::{IdentifiedNode, NodeAlias};
use super::{cloud, instances, kubernetes};
use crate::service::{self, Service};

/// The nodes and edges that one resource describes.
#[derive(Debug, Default)]
pub(super) struct ResourceIdentity<'a> {
    /// The nodes in the order of the table in [`identity`](super), each uid once. The rows get the uid of the first.
    pub(super) nodes: Vec<IdentifiedNode<'a>>,
    /// Start, kind and end of each edge; start and end are positions in `nodes`.
    pub(super) edges: Vec<(usize, &'static str, usize)>,
}

/// Identifies the resource of a row. `names` is the alias index, and the time as of which to look names up; `None` if
/// the index has no source.
pub(super) fn identify<'a>(
    batch: &'a Batch,
    row: usize,
    names: Option<(&'a AliasView<'a>, UnixNanos)>,
) -> ResourceIdentity<'a> {
    let bytes = |column| cells::bytes(batch.bytes(column), row).unwrap_or_default();
    let text = |column| cells::text(batch.text(column), row).unwrap_or_default();
    let resource = ResourceAttributes::new(
        bytes(otlp_context::RESOURCE_ATTRIBUTES),
        bytes(otlp_context::RESOURCE_ENTITY_REFS),
    );
    let (name, namespace) = (
        text(otlp_context::SERVICE_NAME),
        text(otlp_context::SERVICE_NAMESPACE),
    );
    let service = Service::of(resource.attributes, namespace, name);
    ResourceIdentity::new(&resource, service, names)
}

impl<'a> ResourceIdentity<'a> {
    fn new(
        resource: &ResourceAttributes<'a>,
        service: Service<'a>,
        names: Option<(&'a AliasView<'a>, UnixNanos)>,
    ) -> ResourceIdentity<'a> {
        let mut identity = ResourceIdentity::default();
        let service = identity.add(service_node(resource, service));
        let cloud = identity.add(cloud::cloud_resource(resource));
        let task = identity.add(cloud::task(resource));
        let pod = identity.add(kubernetes::pod(resource));
        identity.add_workloads(resource, pod);
        let node = identity.add(kubernetes::node(resource));
        let instance = identity.add(cloud::instance(resource, |resource| {
            let (view, at) = names?;
            instances::find(resource, view, &mut ValidInterval::at(at))
        }));
        let positions: Vec<usize> = [task, pod, node, instance].into_iter().flatten().collect();
        // `cloud.resource_id` may be any resource from a container to a cluster, so it has no place in the chain.
        identity.link(service, kind::RUNS_ON, cloud);
        identity.link(service, kind::RUNS_ON, positions.first().copied());
        for pair in positions.windows(2) {
            identity.link(Some(pair[0]), kind::RUNS_ON, Some(pair[1]));
        }
        if let (true, Some(id)) = (
            resource.is_about(Entity::Container),
            resource.text("container.id"),
        ) && let Some(owner) = pod.or(task)
        {
            let owner = &mut identity.nodes[owner];
            owner.aliases.push(NodeAlias::new("container_id", id));
        }
        identity
    }

    /// The uid of the rows of the resource.
    pub(super) fn uid(&self) -> Option<&str> {
        self.nodes.first().map(|node| node.uid.as_ref())
    }

    /// The uid of the EC2 instance on which the resource runs.
    pub(super) fn instance(&self) -> Option<&str> {
        let mut nodes = self.nodes.iter();
        let instance = nodes.find(|node| node.kind == Some(cloud::EC2_INSTANCE));
        instance.map(|node| node.uid.as_ref())
    }

    /// Adds the workloads, and the edges `OWNED_BY` from the pod to its workload and between workloads.
    fn add_workloads(&mut self, resource: &ResourceAttributes<'a>, pod: Option<usize>) {
        let mut positions = [None; kubernetes::WORKLOADS.len()];
        for (position, workload) in positions.iter_mut().zip(&kubernetes::WORKLOADS) {
            *position = self.add(kubernetes::workload(resource, workload));
        }
        for (position, workload) in positions.iter().zip(&kubernetes::WORKLOADS) {
            match workload.owns {
                "pod" => self.link(pod, kind::OWNED_BY, *position),
                owned => {
                    let mut workloads = positions.iter().zip(&kubernetes::WORKLOADS);
                    let owned = workloads.find(|(_, other)| other.name == owned);
                    self.link(
                        owned.and_then(|(position, _)| *position),
                        kind::OWNED_BY,
                        *position,
                    );
                }
            }
        }
    }

    /// Adds the node unless the list has a node with its uid. Returns the position of the node with that uid.
    fn add(&mut self, node: Option<IdentifiedNode<'a>>) -> Option<usize> {
        let node = node?;
        let existing = self.nodes.iter().position(|other| other.uid == node.uid);
        Some(existing.unwrap_or_else(|| {
            self.nodes.push(node);
            self.nodes.len() - 1
        }))
    }

    /// Adds an edge unless an end is missing, both ends are the same node, or the list already has the edge.
    fn link(&mut self, from: Option<usize>, kind: &'static str, to: Option<usize>) {
        let (Some(from), Some(to)) = (from, to) else {
            return;
        };
        let edge = (from, kind, to);
        if from != to && !self.edges.contains(&edge) {
            self.edges.push(edge);
        }
    }
}

fn service_node<'a>(
    resource: &ResourceAttributes<'a>,
    service: Service<'a>,
) -> Option<IdentifiedNode<'a>> {
    if service.name.is_empty() || !resource.is_about(Entity::Service) {
        return None;
    }
    Some(IdentifiedNode {
        uid: service.uid().into(),
        kind: Some(service::KIND),
        name: Some(service.name),
        value: service.value(),
        aliases: vec![NodeAlias::new("name", service.name)],
        ..IdentifiedNode::default()
    })
}
