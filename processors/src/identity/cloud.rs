//! The resources of a cloud that a resource tells of.

use pipeline::uid;

use super::entities::{Entity, Resource};
use super::found::{Alias, Node};

pub(super) fn cloud_resource<'a>(resource: &Resource<'a>) -> Option<Node<'a>> {
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

pub(super) fn task<'a>(resource: &Resource<'a>) -> Option<Node<'a>> {
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
pub(super) fn instance<'a>(resource: &Resource<'a>) -> Option<Node<'a>> {
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
