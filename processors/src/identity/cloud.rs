//! The resources of a cloud that a resource tells of.

use pipeline::schema::aliases::kind::HOST_ID;
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
        ..Node::default()
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
        ..Node::default()
    })
}

/// Where the host is no EC2 instance, `host.id` is a machine id, which nothing else knows. Where it
/// is one, but in which account and region is not said, `known` finds it among those that are known.
pub(super) fn instance<'a>(
    resource: &Resource<'a>,
    known: impl FnOnce(&Resource<'a>) -> Option<&'a str>,
) -> Option<Node<'a>> {
    if resource
        .text("cloud.provider")
        .is_some_and(|it| it != "aws")
    {
        return None;
    }
    named_instance(resource).or_else(|| {
        Some(Node {
            uid: known(resource)?.into(),
            kind: Some(EC2_INSTANCE),
            is_known: true,
            ..Node::default()
        })
    })
}

/// The `host.id` of an EC2 instance.
pub(super) fn instance_id<'a>(resource: &Resource<'a>) -> Option<&'a str> {
    resource.text("host.id").filter(|id| id.starts_with("i-"))
}

fn named_instance<'a>(resource: &Resource<'a>) -> Option<Node<'a>> {
    let id = instance_id(resource).filter(|_| resource.is_about(Entity::Host))?;
    let account = resource.text("cloud.account.id")?;
    let region = resource.text("cloud.region")?;
    let mut aliases = vec![Alias::new("id", id), Alias::new(HOST_ID, id)];
    aliases.extend(Alias::addresses(resource.texts("host.ip"), account));
    Some(Node {
        uid: uid::aws("ec2", region, account, &format!("instance/{id}")).into(),
        kind: Some(EC2_INSTANCE),
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
        ..Node::default()
    })
}

const ECS_TASK: &str = "AWS::ECS::Task";
pub(super) const EC2_INSTANCE: &str = "AWS::EC2::Instance";

/// `arn:partition:service:region:account:resource`.
pub(super) struct Arn<'a> {
    service: &'a str,
    pub(super) region: &'a str,
    pub(super) account: &'a str,
    resource: &'a str,
}

impl<'a> Arn<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Arn<'a>> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':').skip(1);
        Some(Arn {
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        })
    }

    /// Whether it is of this service, and its resource part begins so.
    pub(super) fn is_of(&self, service: &str, resource: &str) -> bool {
        self.service == service && self.resource.starts_with(resource)
    }

    pub(super) fn is_instance(&self) -> bool {
        self.kind() == Some(EC2_INSTANCE)
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
