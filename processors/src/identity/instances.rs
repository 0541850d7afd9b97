//! The EC2 instance that a resource is on, where it does not name it as a whole.

use pipeline::alias_index::{Holds, Kind, View, address, host};

use super::cloud::{self, Arn};
use super::entities::{Entity, Resource};
use super::names::{Led, one};
use super::private::is_private;

/// Finds it by what is known of instances at a moment; none where that may be several.
pub(super) fn find<'a>(
    resource: &Resource<'a>,
    view: &'a View<'a>,
    holds: &mut Holds,
) -> Option<&'a str> {
    let mut known = |kind, value: &str, is_within: fn(&str) -> bool| {
        let owners = view.owners(kind, value, holds);
        let fitting = owners
            .into_iter()
            .filter(|(uid, scope)| is_within(scope) && fits(resource, uid));
        match one(view, fitting.map(|(uid, _)| uid)) {
            Led::To(uid) => Some(uid),
            Led::Nowhere | Led::Astray => None,
        }
    };
    let within_a_network: fn(&str) -> bool = |scope| !scope.is_empty();
    if resource.is_about(Entity::Host) {
        if let Some(id) = cloud::instance_id(resource) {
            return known(Kind::Instance, id, |_| true);
        }
        // In a container it is the container's, which no instance has.
        let by_name = resource.text("host.name").and_then(|name| {
            let name = host(name);
            known(Kind::Host, &name, within_a_network)
        });
        if by_name.is_some() {
            return by_name;
        }
    }
    if resource.is_about(Entity::Node)
        && let Some(name) = resource.text("k8s.node.name")
        && let Some(uid) = known(Kind::Host, &host(name), within_a_network)
    {
        return Some(uid);
    }
    let addresses = own_addresses(resource);
    let mut found = addresses
        .iter()
        .map(|ip| known(Kind::Address, ip, within_a_network));
    let first = found.next()??;
    found.all(|other| other == Some(first)).then_some(first)
}

/// The private addresses of a host that says in which account and region it is. None of what may be
/// a container: its addresses come again on every host.
fn own_addresses(resource: &Resource<'_>) -> Vec<String> {
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
    let addresses = texts.filter_map(address);
    let private = addresses.filter(|ip| is_private(*ip));
    private.map(|ip| ip.to_string()).collect()
}

/// Whether it is an instance, and none that contradicts what the resource says.
fn fits(resource: &Resource<'_>, uid: &str) -> bool {
    let Some(arn) = Arn::parse(uid).filter(Arn::is_instance) else {
        return false;
    };
    let agrees = |key, part: &str| resource.text(key).is_none_or(|said| said == part);
    agrees("cloud.account.id", arn.account) && agrees("cloud.region", arn.region)
}
