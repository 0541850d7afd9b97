//! Identifies the cloud resources that the attributes of a resource describe.

use pipeline::schema::aliases::kind::HOST_ID;
use pipeline::uid;

use super::entities::{Entity, ResourceAttributes};
use super::identified_node::{IdentifiedNode, NodeAlias};

const ECS_TASK: &str = "AWS::ECS::Task";
/// The kind of the node of an EC2 instance.
pub(super) const EC2_INSTANCE: &str = "AWS::EC2::Instance";

/// The resource in `cloud.resource_id` or in an attribute of AWS Lambda.
pub(super) fn cloud_resource<'a>(resource: &ResourceAttributes<'a>) -> Option<IdentifiedNode<'a>> {
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
    let arn_part = |part: fn(&Arn<'a>) -> &'a str| {
        let text = arn.as_ref().map(part);
        text.filter(|text| !text.is_empty())
    };
    let provider = match () {
        () if arn.is_some() => Some("aws"),
        () if id.starts_with("//") && id.contains(".googleapis.com/") => Some("gcp"),
        () => resource.text("cloud.provider"),
    };
    Some(IdentifiedNode {
        uid: id.into(),
        kind,
        name: resource.text("faas.name"),
        provider,
        account: arn_part(|arn| arn.account).or_else(|| resource.text("cloud.account.id")),
        region: arn_part(|arn| arn.region).or_else(|| resource.text("cloud.region")),
        value: resource.only(&[
            "cloud.platform",
            "cloud.account.id",
            "cloud.region",
            "faas.name",
        ]),
        ..IdentifiedNode::default()
    })
}

/// The ECS task in which the resource runs.
pub(super) fn task<'a>(resource: &ResourceAttributes<'a>) -> Option<IdentifiedNode<'a>> {
    let id = resource.text("aws.ecs.task.arn")?;
    let arn = Arn::parse(id).filter(|_| resource.is_about(Entity::Task))?;
    Some(IdentifiedNode {
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
        ..IdentifiedNode::default()
    })
}

/// The EC2 instance on which the resource runs. If the attributes do not give the ARN of the instance, `find` looks
/// its uid up in the alias index. On other hosts, `host.id` is a machine id, which no other source reports.
pub(super) fn instance<'a>(
    resource: &ResourceAttributes<'a>,
    find: impl FnOnce(&ResourceAttributes<'a>) -> Option<&'a str>,
) -> Option<IdentifiedNode<'a>> {
    if resource
        .text("cloud.provider")
        .is_some_and(|provider| provider != "aws")
    {
        return None;
    }
    named_instance(resource).or_else(|| {
        Some(IdentifiedNode {
            uid: find(resource)?.into(),
            kind: Some(EC2_INSTANCE),
            is_from_index: true,
            ..IdentifiedNode::default()
        })
    })
}

/// The value of `host.id`, if it is the id of an EC2 instance.
pub(super) fn instance_id<'a>(resource: &ResourceAttributes<'a>) -> Option<&'a str> {
    resource.text("host.id").filter(|id| id.starts_with("i-"))
}

/// The instance whose id, account and region the attributes give.
fn named_instance<'a>(resource: &ResourceAttributes<'a>) -> Option<IdentifiedNode<'a>> {
    let id = instance_id(resource).filter(|_| resource.is_about(Entity::Host))?;
    let account = resource.text("cloud.account.id")?;
    let region = resource.text("cloud.region")?;
    let mut aliases = vec![NodeAlias::new("id", id), NodeAlias::new(HOST_ID, id)];
    aliases.extend(NodeAlias::addresses(resource.texts("host.ip"), account));
    Some(IdentifiedNode {
        uid: uid::aws("ec2", region, account, &format!("instance/{id}")).into(),
        kind: Some(EC2_INSTANCE),
        provider: Some("aws"),
        account: Some(account),
        region: Some(region),
        // Without `host.name`: in a container, it is the name of the container.
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
        ..IdentifiedNode::default()
    })
}

/// The parts of `arn:partition:service:region:account:resource`.
pub(super) struct Arn<'a> {
    service: &'a str,
    pub(super) region: &'a str,
    pub(super) account: &'a str,
    resource: &'a str,
}

impl<'a> Arn<'a> {
    /// `None` if a part is missing.
    pub(super) fn parse(text: &'a str) -> Option<Arn<'a>> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':').skip(1);
        Some(Arn {
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        })
    }

    /// Whether the ARN has this service and a resource part with this prefix.
    pub(super) fn matches(&self, service: &str, resource_prefix: &str) -> bool {
        self.service == service && self.resource.starts_with(resource_prefix)
    }

    pub(super) fn is_instance(&self) -> bool {
        self.kind() == Some(EC2_INSTANCE)
    }

    /// The kind of the node with this ARN; `None` for kinds that resource attributes do not describe.
    fn kind(&self) -> Option<&'static str> {
        match (self.service, self.resource) {
            ("lambda", id) if id.starts_with("function:") => Some("AWS::Lambda::Function"),
            ("ecs", id) if id.starts_with("task/") => Some(ECS_TASK),
            ("ec2", id) if id.starts_with("instance/") => Some(EC2_INSTANCE),
            _ => None,
        }
    }
}

/// Removes the alias or version of a Lambda function: `…:function:name:alias`, `…:function:name:7`.
fn without_lambda_alias(id: &str) -> &str {
    let function = Arn::parse(id).filter(|arn| arn.service == "lambda");
    let function = function.and_then(|arn| arn.resource.strip_prefix("function:"));
    match function.and_then(|function| function.split_once(':')) {
        Some((_, alias)) => &id[..id.len() - alias.len() - 1],
        None => id,
    }
}
