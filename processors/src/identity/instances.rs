//! Finds the EC2 instance on which a resource runs, if the attributes do not give the ARN of the instance.

use pipeline::alias_index::{
    AliasKind, AliasView, ValidInterval, canonical_address, canonical_host,
};

use super::cloud::{self, Arn};
use super::entities::{Entity, ResourceAttributes};
use super::names::{NameResolution, best_owner, is_private};

/// Finds the instance in the alias index as of the time of `valid`. `None` if no instance or several instances match.
pub(super) fn find<'a>(
    resource: &ResourceAttributes<'a>,
    view: &'a AliasView<'a>,
    valid: &mut ValidInterval,
) -> Option<&'a str> {
    let mut instance_by = |kind, value: &str, is_within: fn(&str) -> bool| {
        let owners = view.owners(kind, value, valid);
        let matching = owners
            .into_iter()
            .filter(|(uid, scope)| is_within(scope) && matches_instance(resource, uid));
        match best_owner(view, matching.map(|(uid, _)| uid)) {
            NameResolution::Unique(uid) => Some(uid),
            NameResolution::None | NameResolution::Ambiguous => None,
        }
    };
    let within_a_network: fn(&str) -> bool = |scope| !scope.is_empty();
    if resource.is_about(Entity::Host) {
        if let Some(id) = cloud::instance_id(resource) {
            return instance_by(AliasKind::Instance, id, |_| true);
        }
        // In a container, `host.name` is the name of the container, which no instance has.
        let by_name = resource.text("host.name").and_then(|name| {
            let name = canonical_host(name);
            instance_by(AliasKind::Host, &name, within_a_network)
        });
        if by_name.is_some() {
            return by_name;
        }
    }
    if resource.is_about(Entity::Node)
        && let Some(name) = resource.text("k8s.node.name")
        && let Some(uid) = instance_by(AliasKind::Host, &canonical_host(name), within_a_network)
    {
        return Some(uid);
    }
    let addresses = host_addresses(resource);
    let mut instances = addresses
        .iter()
        .map(|ip| instance_by(AliasKind::Address, ip, within_a_network));
    let first = instances.next()??;
    instances.all(|other| other == Some(first)).then_some(first)
}

/// The private addresses of a host with an account and a region. Empty if the resource may be a container, since
/// containers on several hosts have the same addresses.
fn host_addresses(resource: &ResourceAttributes<'_>) -> Vec<String> {
    let is_host = resource.is_about(Entity::Host)
        && ["cloud.account.id", "cloud.region"]
            .iter()
            .all(|key| resource.text(key).is_some())
        && [
            "container.id",
            "k8s.pod.uid",
            "k8s.pod.name",
            "aws.ecs.task.arn",
        ]
        .iter()
        .all(|key| resource.text(key).is_none());
    if !is_host {
        return Vec::new();
    }
    let texts = resource.texts("host.ip").into_iter();
    let addresses = texts.filter_map(canonical_address);
    let private = addresses.filter(|ip| is_private(*ip));
    private.map(|ip| ip.to_string()).collect()
}

/// Whether the uid is the ARN of an instance, and the attributes do not contradict its account and region.
fn matches_instance(resource: &ResourceAttributes<'_>, uid: &str) -> bool {
    let Some(arn) = Arn::parse(uid).filter(Arn::is_instance) else {
        return false;
    };
    let agrees = |key, part: &str| resource.text(key).is_none_or(|value| value == part);
    agrees("cloud.account.id", arn.account) && agrees("cloud.region", arn.region)
}
