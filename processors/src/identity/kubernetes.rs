//! Identifies the Kubernetes objects that a resource describes, by the uid of the cluster and the uid of the object.
//! Names do not suffice: another cluster, or a new object after a deletion, may have the same ones.

use pipeline::uid;

use super::entities::{Entity, ResourceAttributes};
use super::identified_node::{IdentifiedNode, NodeAlias};

/// A kind of object that owns pods or other workloads.
pub(super) struct Workload {
    /// The NAME in `k8s.NAME.uid` and in the uid of the node.
    pub(super) name: &'static str,
    /// The API group.
    group: &'static str,
    /// The kind of the node.
    kind: &'static str,
    /// The keys of the attributes with its uid and its name.
    attributes: [&'static str; 2],
    /// What it owns: `pod`, or the `name` of another workload.
    pub(super) owns: &'static str,
}

/// All kinds of workload, each before the kind that owns it.
pub(super) const WORKLOADS: [Workload; 6] = [
    Workload {
        name: "replicaset",
        group: "apps",
        kind: "k8s.replicaset",
        attributes: ["k8s.replicaset.uid", "k8s.replicaset.name"],
        owns: "pod",
    },
    Workload {
        name: "job",
        group: "batch",
        kind: "k8s.job",
        attributes: ["k8s.job.uid", "k8s.job.name"],
        owns: "pod",
    },
    Workload {
        name: "statefulset",
        group: "apps",
        kind: "k8s.statefulset",
        attributes: ["k8s.statefulset.uid", "k8s.statefulset.name"],
        owns: "pod",
    },
    Workload {
        name: "daemonset",
        group: "apps",
        kind: "k8s.daemonset",
        attributes: ["k8s.daemonset.uid", "k8s.daemonset.name"],
        owns: "pod",
    },
    Workload {
        name: "deployment",
        group: "apps",
        kind: "k8s.deployment",
        attributes: ["k8s.deployment.uid", "k8s.deployment.name"],
        owns: "replicaset",
    },
    Workload {
        name: "cronjob",
        group: "batch",
        kind: "k8s.cronjob",
        attributes: ["k8s.cronjob.uid", "k8s.cronjob.name"],
        owns: "job",
    },
];

/// The pod that the resource describes.
pub(super) fn pod<'a>(resource: &ResourceAttributes<'a>) -> Option<IdentifiedNode<'a>> {
    if !resource.is_about(Entity::Pod) {
        return None;
    }
    let mut node = object(
        resource,
        "",
        "pod",
        "k8s.pod",
        "k8s.pod.uid",
        "k8s.pod.name",
    )?;
    let cluster = resource.text("k8s.cluster.name").or(node.account);
    let namespace = resource.text("k8s.namespace.name");
    if let (Some(cluster), Some(namespace), Some(name)) = (cluster, namespace, node.name) {
        let path = format!("{cluster}/{namespace}/{name}");
        node.aliases.push(NodeAlias::new("k8s_pod", path));
    }
    let scope = node.account.unwrap_or_default();
    let addresses = NodeAlias::addresses(resource.texts("k8s.pod.ip"), scope);
    node.aliases.extend(addresses);
    // Only attributes that all containers of a pod have in common.
    node.value = resource.only(&[
        "k8s.pod.name",
        "k8s.pod.uid",
        "k8s.namespace.name",
        "k8s.cluster.name",
        "k8s.cluster.uid",
        "k8s.node.name",
        "k8s.deployment.name",
        "k8s.replicaset.name",
        "k8s.statefulset.name",
        "k8s.daemonset.name",
        "k8s.job.name",
        "k8s.cronjob.name",
    ]);
    Some(node)
}

/// The workload of this kind that the resource describes.
pub(super) fn workload<'a>(
    resource: &ResourceAttributes<'a>,
    workload: &Workload,
) -> Option<IdentifiedNode<'a>> {
    if !resource.is_about(Entity::Workload(workload.name)) {
        return None;
    }
    let [uid_key, name_key] = workload.attributes;
    let (group, name, kind) = (workload.group, workload.name, workload.kind);
    let mut node = object(resource, group, name, kind, uid_key, name_key)?;
    node.value = resource.only(&[
        name_key,
        uid_key,
        "k8s.namespace.name",
        "k8s.cluster.name",
        "k8s.cluster.uid",
    ]);
    Some(node)
}

/// The Kubernetes node on which the resource runs.
pub(super) fn node<'a>(resource: &ResourceAttributes<'a>) -> Option<IdentifiedNode<'a>> {
    if !resource.is_about(Entity::Node) {
        return None;
    }
    let (uid_key, name_key) = ("k8s.node.uid", "k8s.node.name");
    let mut node = object(resource, "", "node", "k8s.node", uid_key, name_key)?;
    let keys = [name_key, uid_key, "k8s.cluster.name", "k8s.cluster.uid"];
    node.value = resource.only(&keys);
    Some(node)
}

/// A Kubernetes object without a value; `None` if its uid or the uid of its cluster is missing.
fn object<'a>(
    resource: &ResourceAttributes<'a>,
    group: &str,
    kind_in_uid: &str,
    kind: &'static str,
    uid_key: &str,
    name_key: &str,
) -> Option<IdentifiedNode<'a>> {
    let cluster = resource.text("k8s.cluster.uid")?;
    let object_uid = resource.text(uid_key)?;
    let name = resource.text(name_key);
    Some(IdentifiedNode {
        uid: uid::kubernetes(cluster, group, kind_in_uid, object_uid).into(),
        kind: Some(kind),
        name,
        provider: Some("kubernetes"),
        account: Some(cluster),
        aliases: name
            .map(|name| NodeAlias::new("name", name))
            .into_iter()
            .collect(),
        ..IdentifiedNode::default()
    })
}
