//! Tests of finding the instance on which a resource runs if the attributes do not give the ARN of the instance.

use pipeline::component::Processor;
use serde_json::{Value as Json, json};

use super::cloud::{Cloud, call, instance, now, spans};
use super::support::{EmittedRecords, read_emitted};

/// The rows that a span with this resource makes `identity` emit.
fn emitted_with(cloud: &Cloud, resource: Json) -> EmittedRecords {
    let call = super::cloud::ClientSpan {
        resource,
        ..call(20, json!({}))
    };
    let mut made = cloud.identity().process(spans(&[call]), now()).unwrap();
    made.pop();
    read_emitted(&made)
}

/// The node on which the service `web` runs; empty if there is no such edge.
fn runs_on(cloud: &Cloud, mut resource: Json) -> String {
    resource["service.name"] = json!("web");
    let emitted = emitted_with(cloud, resource);
    let edge = emitted.edges.first().cloned().unwrap_or_default();
    edge.strip_prefix("svc:////web RUNS_ON ")
        .unwrap_or_default()
        .to_owned()
}

const PRIVATE_NAME: &str = "ip-10-0-0-7.eu-west-1.compute.internal";

/// A cloud with one instance, which has an id, an address and a private DNS name.
fn one_instance() -> Cloud {
    let cloud = Cloud::new();
    let names = [
        ("host_id", "i-1", None),
        ("ip", "10.0.0.7", Some("vpc-1")),
        ("dns", PRIVATE_NAME, Some("vpc-1")),
    ];
    cloud.report(&instance("1"), 10, &names);
    cloud
}

#[test]
fn an_instance_is_found_by_its_id_alone() {
    let cloud = one_instance();
    assert_eq!(runs_on(&cloud, json!({"host.id": "i-1"})), instance("1"));
    let table = [
        (
            "another account",
            json!({"host.id": "i-1", "cloud.account.id": "43"}),
        ),
        (
            "another region",
            json!({"host.id": "i-1", "cloud.region": "eu-west-2"}),
        ),
        (
            "another cloud",
            json!({"host.id": "i-1", "cloud.provider": "gcp"}),
        ),
        (
            "an unknown id",
            json!({"host.id": "i-2", "host.name": PRIVATE_NAME}),
        ),
        ("a machine id", json!({"host.id": "fdbf79e8af94"})),
    ];
    for (what, resource) in table {
        assert_eq!(runs_on(&cloud, resource), "", "{what}");
    }
}

#[test]
fn no_node_is_emitted_for_an_instance_that_a_scan_reported() {
    let emitted = emitted_with(&one_instance(), json!({"host.id": "i-1"}));
    assert_eq!((emitted.nodes.len(), emitted.aliases.len()), (0, 0));
}

#[test]
fn an_instance_is_found_by_its_private_name_unless_two_instances_have_the_name() {
    let cloud = one_instance();
    let table = [
        json!({"host.name": PRIVATE_NAME}),
        json!({"host.name": PRIVATE_NAME.to_uppercase(), "host.id": "fdbf79e8af94"}),
        json!({"k8s.node.name": PRIVATE_NAME}),
    ];
    for resource in &table {
        assert_eq!(
            runs_on(&cloud, resource.clone()),
            instance("1"),
            "{resource}"
        );
    }
    let name = ("dns", PRIVATE_NAME, Some("vpc-2"));
    cloud.report(&instance("2"), 10, &[name]);
    for resource in table {
        assert_eq!(runs_on(&cloud, resource.clone()), "", "{resource}");
    }
}

#[test]
fn a_kubernetes_node_runs_on_the_instance_that_has_the_name_of_the_node() {
    let cluster = json!({
        "service.name": "web", "k8s.cluster.uid": "c", "k8s.pod.uid": "p", "k8s.node.uid": "n",
        "k8s.node.name": PRIVATE_NAME, "host.name": "web-7f-x",
    });
    let expected = [
        "svc:////web RUNS_ON k8s://c//pod/p".to_owned(),
        "k8s://c//pod/p RUNS_ON k8s://c//node/n".to_owned(),
        format!("k8s://c//node/n RUNS_ON {}", instance("1")),
    ];
    assert_eq!(emitted_with(&one_instance(), cluster).edges, expected);
}

#[test]
fn an_instance_is_found_by_address_only_for_a_host_with_account_and_region() {
    let cloud = one_instance();
    let host = json!({
        "host.ip": ["10.0.0.7", "127.0.0.1", "fe80::1"],
        "cloud.account.id": "42", "cloud.region": "eu-west-1",
    });
    let with = |key: &str, value: Json| {
        let mut host = host.clone();
        host[key] = value;
        host
    };
    assert_eq!(runs_on(&cloud, host.clone()), instance("1"));
    let table = [
        ("no account", with("cloud.account.id", json!(""))),
        ("another account", with("cloud.account.id", json!("43"))),
        ("a container", with("container.id", json!("abc"))),
        (
            "one address that no instance has",
            with("host.ip", json!(["10.0.0.7", "172.17.0.1"])),
        ),
    ];
    for (what, resource) in table {
        assert_eq!(runs_on(&cloud, resource), "", "{what}");
    }
    cloud.report_instance("2", 10, "vpc-2", "10.0.0.7");
    assert_eq!(runs_on(&cloud, host), "", "the address is in two networks");
}

#[test]
fn an_instance_is_found_as_of_the_time_of_the_rows() {
    let cloud = one_instance();
    cloud.delete(&instance("1"), 15);
    assert_eq!(runs_on(&cloud, json!({"host.id": "i-1"})), "");
}
