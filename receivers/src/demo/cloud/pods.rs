//! The pods of all services.

use pipeline::schema::edges::kind;
use pipeline::uid;
use serde_json::json;

use super::names::DemoNames;
use super::resource::DemoResource;
use crate::demo::shop::{NAMESPACE, Pod};

pub(super) fn pods(names: DemoNames, deploys: u64) -> Vec<DemoResource> {
    let cluster = names.cluster();
    let resource = |pod| pod_resource(names, &cluster, pod);
    Pod::all(deploys).map(resource).collect()
}

fn pod_resource(names: DemoNames, cluster: &str, pod: Pod) -> DemoResource {
    let (service, version) = (pod.service.name(), pod.version());
    let (pod_uid, name) = (names.pod_uid(pod), names.pod_name(pod));
    let node = names.node_of(pod);
    let labels = json!({
        "app.kubernetes.io/name": service,
        "app.kubernetes.io/version": version,
        "team": pod.service.team(),
    });
    DemoResource {
        uid: uid::kubernetes(cluster, "", "pod", &pod_uid),
        kind: "k8s.pod",
        name: name.clone(),
        provider: "kubernetes",
        account: cluster.to_owned(),
        region: None,
        relations: vec![(kind::RUNS_ON, names.instance(&DemoNames::node(node)))],
        aliases: vec![("name", name.clone()), ("id", pod_uid.clone())],
        configuration: json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": NAMESPACE,
                "uid": pod_uid,
                "labels": &labels,
            },
            "spec": {
                "nodeName": DemoNames::node_host(node),
                "containers": [{
                    "name": service,
                    "image": format!("registry.shop.example/{service}:{version}"),
                }],
            },
            "status": {"phase": "Running"},
        }),
        tags: labels,
    }
}
