//! The nodes that a resource tells of, and how they hang together.

use std::borrow::Cow;
use std::net::IpAddr;

use pipeline::schema::edges::kind;
use pipeline::schema::otlp_context;
use pipeline::{Batch, uid};

use super::distinct::{bytes_of, text_of};
use super::entities::{Entity, Resource};
use super::kubernetes;
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
}

#[derive(Debug)]
pub(super) struct Alias<'a> {
    pub(super) kind: &'static str,
    pub(super) value: Cow<'a, str>,
    pub(super) scope: Option<&'a str>,
}

/// Of the resource of this row.
pub(super) fn of_row(batch: &Batch, row: usize) -> Found<'_> {
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
    Found::of(&resource, Service::of(resource.attributes, namespace, name))
}

impl<'a> Found<'a> {
    fn of(resource: &Resource<'a>, service: Service<'a>) -> Found<'a> {
        let mut found = Found::default();
        let service = found.add(service_node(resource, service));
        let cloud = found.add(cloud_resource(resource));
        let task = found.add(task(resource));
        let pod = found.add(kubernetes::pod(resource));
        found.add_workloads(resource, pod);
        let node = found.add(kubernetes::node(resource));
        let instance = found.add(instance(resource));
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

fn cloud_resource<'a>(resource: &Resource<'a>) -> Option<Node<'a>> {
    if !resource.is_about(Entity::CloudResource) {
        return None;
    }
    let arn = |key| resource.text(key).filter(|id| id.starts_with("arn:"));
    let id = resource
        .text("cloud.resource_id")
        .or_else(|| arn("aws.lambda.invoked_arn"))
        .or_else(|| arn("faas.id"))?;
    let id = without_lambda_alias(id);
    let arn = Arn::parse(id);
    let kind = arn.as_ref().and_then(Arn::kind);
    let given = |part: fn(&Arn<'a>) -> &'a str| arn.as_ref().map(part).filter(|it| !it.is_empty());
    let provider = match () {
        () if arn.is_some() => Some("aws"),
        () if id.starts_with("//") && id.contains(".googleapis.com/") => Some("gcp"),
        () => resource.text("cloud.provider"),
    };
    Some(Node {
        uid: id.into(),
        kind,
        name: resource.text("faas.name"),
        provider,
        account: given(|arn| arn.account).or_else(|| resource.text("cloud.account.id")),
        region: given(|arn| arn.region).or_else(|| resource.text("cloud.region")),
        value: resource.only(&[
            "cloud.platform",
            "cloud.account.id",
            "cloud.region",
            "faas.name",
        ]),
        aliases: Vec::new(),
    })
}

fn task<'a>(resource: &Resource<'a>) -> Option<Node<'a>> {
    let id = resource.text("aws.ecs.task.arn")?;
    let arn = Arn::parse(id).filter(|_| resource.is_about(Entity::Task))?;
    Some(Node {
        uid: id.into(),
        kind: Some(ECS_TASK),
        name: resource.text("aws.ecs.task.family"),
        provider: Some("aws"),
        account: Some(arn.account),
        region: Some(arn.region),
        value: resource.only(&[
            "aws.ecs.task.arn",
            "aws.ecs.task.family",
            "aws.ecs.task.revision",
            "aws.ecs.cluster.arn",
            "aws.ecs.launchtype",
            "cloud.availability_zone",
        ]),
        aliases: Vec::new(),
    })
}

/// Where the host is no EC2 instance, `host.id` is a machine id, which nothing else knows.
fn instance<'a>(resource: &Resource<'a>) -> Option<Node<'a>> {
    let id = resource.text("host.id").filter(|id| id.starts_with("i-"))?;
    let account = resource.text("cloud.account.id")?;
    let region = resource.text("cloud.region")?;
    let provider = resource.text("cloud.provider").unwrap_or("aws");
    if provider != "aws" || !resource.is_about(Entity::Host) {
        return None;
    }
    let mut aliases = vec![Alias::new("id", id)];
    aliases.extend(Alias::addresses(resource.texts("host.ip"), account));
    Some(Node {
        uid: uid::aws("ec2", region, account, &format!("instance/{id}")).into(),
        kind: Some(EC2_INSTANCE),
        name: None,
        provider: Some("aws"),
        account: Some(account),
        region: Some(region),
        // Without `host.name`: in a container it is the container's.
        value: resource.only(&[
            "host.id",
            "host.type",
            "host.arch",
            "host.image.id",
            "cloud.account.id",
            "cloud.region",
            "cloud.availability_zone",
        ]),
        aliases,
    })
}

const ECS_TASK: &str = "AWS::ECS::Task";
const EC2_INSTANCE: &str = "AWS::EC2::Instance";

/// `arn:partition:service:region:account:resource`.
struct Arn<'a> {
    service: &'a str,
    region: &'a str,
    account: &'a str,
    resource: &'a str,
}

impl<'a> Arn<'a> {
    fn parse(text: &'a str) -> Option<Arn<'a>> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':').skip(1);
        Some(Arn {
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        })
    }

    fn kind(&self) -> Option<&'static str> {
        match (self.service, self.resource) {
            ("lambda", id) if id.starts_with("function:") => Some("AWS::Lambda::Function"),
            ("ecs", id) if id.starts_with("task/") => Some(ECS_TASK),
            ("ec2", id) if id.starts_with("instance/") => Some(EC2_INSTANCE),
            _ => None,
        }
    }
}

/// `…:function:name:alias` and `…:function:name:7` without what stands behind the name.
fn without_lambda_alias(id: &str) -> &str {
    let function = Arn::parse(id).filter(|arn| arn.service == "lambda");
    let function = function.and_then(|arn| arn.resource.strip_prefix("function:"));
    match function.and_then(|function| function.split_once(':')) {
        Some((_, alias)) => &id[..id.len() - alias.len() - 1],
        None => id,
    }
}
