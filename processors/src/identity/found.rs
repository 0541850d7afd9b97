//! The nodes that a resource tells of, and how they hang together.

use std::borrow::Cow;
use std::net::IpAddr;

use pipeline::Batch;
use pipeline::alias_index::{Holds, View};
use pipeline::component::UnixNanos;
use pipeline::schema::edges::kind;
use pipeline::schema::otlp_context;

use super::distinct::{bytes_of, text_of};
use super::entities::{Entity, Resource};
use super::{cloud, instances, kubernetes};
use crate::service::{self, Service};

/// What is found in one resource.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    /// The most specific first: the rows are about that one. No uid twice.
    pub(super) nodes: Vec<Node<'a>>,
    /// From, kind, to: places in `nodes`.
    pub(super) edges: Vec<(usize, &'static str, usize)>,
}

/// A node and its other names; what is not known is missing.
#[derive(Debug, Default)]
pub(super) struct Node<'a> {
    pub(super) uid: Cow<'a, str>,
    pub(super) kind: Option<&'a str>,
    pub(super) name: Option<&'a str>,
    pub(super) provider: Option<&'a str>,
    pub(super) account: Option<&'a str>,
    pub(super) region: Option<&'a str>,
    /// Attributes, encoded. Nothing that differs between those who tell of the node.
    pub(super) value: Vec<u8>,
    pub(super) aliases: Vec<Alias<'a>>,
    /// Whether it was found by what others tell of it: then nothing is to be told but its edges.
    pub(super) is_known: bool,
}

#[derive(Debug)]
pub(super) struct Alias<'a> {
    pub(super) kind: &'static str,
    pub(super) value: Cow<'a, str>,
    pub(super) scope: Option<&'a str>,
    /// From when on, where that is not when it was seen.
    pub(super) since: Option<UnixNanos>,
}

/// Of the resource of this row, as of a moment of `names`; none where no names are known.
pub(super) fn of_row<'a>(
    batch: &'a Batch,
    row: usize,
    names: Option<(&'a View<'a>, UnixNanos)>,
) -> Found<'a> {
    let bytes = |column| bytes_of(batch.bytes(column), row);
    let text = |column| text_of(batch.text(column), row);
    let resource = Resource::new(
        bytes(otlp_context::RESOURCE_ATTRIBUTES),
        bytes(otlp_context::RESOURCE_ENTITY_REFS),
    );
    let (name, namespace) = (
        text(otlp_context::SERVICE_NAME),
        text(otlp_context::SERVICE_NAMESPACE),
    );
    let service = Service::of(resource.attributes, namespace, name);
    Found::of(&resource, service, names)
}

impl<'a> Found<'a> {
    fn of(
        resource: &Resource<'a>,
        service: Service<'a>,
        names: Option<(&'a View<'a>, UnixNanos)>,
    ) -> Found<'a> {
        let mut found = Found::default();
        let service = found.add(service_node(resource, service));
        let cloud = found.add(cloud::cloud_resource(resource));
        let task = found.add(cloud::task(resource));
        let pod = found.add(kubernetes::pod(resource));
        found.add_workloads(resource, pod);
        let node = found.add(kubernetes::node(resource));
        let instance = found.add(cloud::instance(resource, |resource| {
            let (view, at) = names?;
            instances::find(resource, view, &mut Holds::at(at))
        }));
        let places: Vec<usize> = [task, pod, node, instance].into_iter().flatten().collect();
        // What `cloud.resource_id` names may be anything from a container to a cluster: where it
        // stands among the others is not known.
        found.link(service, kind::RUNS_ON, cloud);
        found.link(service, kind::RUNS_ON, places.first().copied());
        for pair in places.windows(2) {
            found.link(Some(pair[0]), kind::RUNS_ON, Some(pair[1]));
        }
        if let (true, Some(id)) = (
            resource.is_about(Entity::Container),
            resource.text("container.id"),
        ) && let Some(owner) = pod.or(task)
        {
            let owner = &mut found.nodes[owner];
            owner.aliases.push(Alias::new("container_id", id));
        }
        found
    }

    /// What the rows of the resource are about.
    pub(super) fn uid(&self) -> Option<&str> {
        self.nodes.first().map(|node| node.uid.as_ref())
    }

    /// The instance that it is on.
    pub(super) fn instance(&self) -> Option<&str> {
        let mut nodes = self.nodes.iter();
        let instance = nodes.find(|node| node.kind == Some(cloud::EC2_INSTANCE));
        instance.map(|node| node.uid.as_ref())
    }

    fn add_workloads(&mut self, resource: &Resource<'a>, pod: Option<usize>) {
        let mut places = [None; kubernetes::WORKLOADS.len()];
        for (place, workload) in places.iter_mut().zip(&kubernetes::WORKLOADS) {
            *place = self.add(kubernetes::workload(resource, workload));
        }
        for (place, workload) in places.iter().zip(&kubernetes::WORKLOADS) {
            match workload.owns {
                "pod" => self.link(pod, kind::OWNED_BY, *place),
                owned => {
                    let mut all = places.iter().zip(&kubernetes::WORKLOADS);
                    let owned = all.find(|(_, other)| other.name == owned);
                    self.link(owned.and_then(|(place, _)| *place), kind::OWNED_BY, *place);
                }
            }
        }
    }

    /// The place of the node: of the one that was there before, if that has its uid.
    fn add(&mut self, node: Option<Node<'a>>) -> Option<usize> {
        let node = node?;
        let known = self.nodes.iter().position(|other| other.uid == node.uid);
        Some(known.unwrap_or_else(|| {
            self.nodes.push(node);
            self.nodes.len() - 1
        }))
    }

    /// Says nothing where an end is missing, both are one, or it was said before.
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

impl<'a> Alias<'a> {
    pub(super) fn new(kind: &'static str, value: impl Into<Cow<'a, str>>) -> Alias<'a> {
        Alias {
            kind,
            value: value.into(),
            scope: None,
            since: None,
        }
    }

    /// Addresses that others can reach it by, unique in the scope.
    pub(super) fn addresses(
        texts: Vec<&'a str>,
        scope: &'a str,
    ) -> impl Iterator<Item = Alias<'a>> {
        let reachable = |text: &&str| match text.parse::<IpAddr>() {
            Ok(IpAddr::V4(ip)) => !ip.is_loopback() && !ip.is_link_local() && !ip.is_unspecified(),
            Ok(IpAddr::V6(ip)) => {
                !ip.is_loopback() && !ip.is_unicast_link_local() && !ip.is_unspecified()
            }
            Err(_) => false,
        };
        texts.into_iter().filter(reachable).map(move |text| Alias {
            scope: Some(scope),
            ..Alias::new("ip", text)
        })
    }
}

fn service_node<'a>(resource: &Resource<'a>, service: Service<'a>) -> Option<Node<'a>> {
    if service.name.is_empty() || !resource.is_about(Entity::Service) {
        return None;
    }
    Some(Node {
        uid: service.uid().into(),
        kind: Some(service::KIND),
        name: Some(service.name),
        value: service.value(),
        aliases: vec![Alias::new("name", service.name)],
        ..Node::default()
    })
}
