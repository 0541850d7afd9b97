//! The nodes, edges and aliases that `identity` emits.

use pipeline::component::Processor;
use pipeline::{Refusal, Signal, SignalSet};
use serde_json::json;

use super::support::{TelemetryRow, at, batch, emitted_with, identity, read_emitted, row};
use crate::identity::Identity;

const INSTANCE: &str = "arn:aws:ec2:eu-west-1:42:instance/i-1";

fn pod() -> TelemetryRow {
    row(json!({
        "service.name": "cart",
        "service.namespace": "shop",
        "service.version": "1.4.2",
        "deployment.environment.name": "prod",
        "telemetry.sdk.language": "go",
        "process.pid": "77",
        "k8s.cluster.name": "blue",
        "k8s.cluster.uid": "c",
        "k8s.namespace.name": "shop",
        "k8s.pod.name": "cart-7f-x",
        "k8s.pod.uid": "p",
        "k8s.pod.ip": "10.1.0.9",
        "k8s.replicaset.uid": "r",
        "k8s.deployment.name": "cart",
        "k8s.deployment.uid": "d",
        "k8s.node.name": "ip-10-0-0-7",
        "k8s.node.uid": "n",
        "k8s.container.name": "main",
        "container.id": "abcdef",
        "host.id": "i-1",
        "host.type": "m7g.large",
        "host.ip": ["10.0.0.7", "127.0.0.1", "fe80::1", "none"],
        "cloud.provider": "aws",
        "cloud.account.id": "42",
        "cloud.region": "eu-west-1",
    }))
}

#[test]
fn a_service_on_a_pod_is_connected_down_to_the_instance() {
    let emitted = emitted_with(&mut identity(SignalSet::ALL), &[pod()], at(0));
    assert_eq!(
        emitted.edges,
        [
            "k8s://c//pod/p OWNED_BY k8s://c/apps/replicaset/r",
            "k8s://c/apps/replicaset/r OWNED_BY k8s://c/apps/deployment/d",
            "svc://prod/shop/cart RUNS_ON k8s://c//pod/p",
            "k8s://c//pod/p RUNS_ON k8s://c//node/n",
            &format!("k8s://c//node/n RUNS_ON {INSTANCE}"),
        ]
    );
    assert_eq!(
        emitted.aliases,
        [
            "name=cart@ → svc://prod/shop/cart",
            "name=cart-7f-x@ → k8s://c//pod/p",
            "k8s_pod=blue/shop/cart-7f-x@ → k8s://c//pod/p",
            "ip=10.1.0.9@c → k8s://c//pod/p",
            "container_id=abcdef@ → k8s://c//pod/p",
            "name=cart@ → k8s://c/apps/deployment/d",
            "name=ip-10-0-0-7@ → k8s://c//node/n",
            &format!("id=i-1@ → {INSTANCE}"),
            &format!("host_id=i-1@ → {INSTANCE}"),
            &format!("ip=10.0.0.7@42 → {INSTANCE}"),
        ]
    );
}

#[test]
fn values_of_nodes_lack_attributes_that_differ_between_processes() {
    let emitted = emitted_with(&mut identity(SignalSet::ALL), &[pod()], at(0));
    let of = |kind: &str| {
        emitted
            .nodes
            .iter()
            .find(|node| node["kind"] == kind)
            .unwrap()
    };
    assert_eq!(
        of("service"),
        &json!({
            "uid": "svc://prod/shop/cart", "kind": "service", "name": "cart",
            "provider": null, "account": null, "region": null,
            "value": {
                "service.name": "cart", "service.namespace": "shop",
                "deployment.environment.name": "prod", "service.version": "1.4.2",
                "telemetry.sdk.language": "go",
            },
        })
    );
    assert_eq!(
        of("k8s.pod"),
        &json!({
            "uid": "k8s://c//pod/p", "kind": "k8s.pod", "name": "cart-7f-x",
            "provider": "kubernetes", "account": "c", "region": null,
            "value": {
                "k8s.pod.name": "cart-7f-x", "k8s.pod.uid": "p", "k8s.namespace.name": "shop",
                "k8s.cluster.name": "blue", "k8s.cluster.uid": "c",
                "k8s.node.name": "ip-10-0-0-7", "k8s.deployment.name": "cart",
            },
        })
    );
    assert_eq!(
        of("AWS::EC2::Instance"),
        &json!({
            "uid": INSTANCE, "kind": "AWS::EC2::Instance", "name": null,
            "provider": "aws", "account": "42", "region": "eu-west-1",
            "value": {
                "host.id": "i-1", "host.type": "m7g.large",
                "cloud.account.id": "42", "cloud.region": "eu-west-1",
            },
        })
    );
    assert_eq!(of("k8s.node")["name"], "ip-10-0-0-7");
}

#[test]
fn a_service_runs_on_the_resources_that_its_attributes_describe() {
    let ec2 = json!({"host.id": "i-1", "cloud.account.id": "42", "cloud.region": "eu-west-1"});
    let task = "arn:aws:ecs:eu-west-1:42:task/shop/9f";
    let function = "arn:aws:lambda:eu-west-1:42:function:pay";
    let table = [
        (json!({}), vec![]),
        (ec2.clone(), vec![format!("svc:////a RUNS_ON {INSTANCE}")]),
        (
            json!({"aws.ecs.task.arn": task, "cloud.resource_id": task}),
            vec![format!("svc:////a RUNS_ON {task}")],
        ),
        (
            json!({"cloud.resource_id": format!("{function}:1")}),
            vec![format!("svc:////a RUNS_ON {function}")],
        ),
    ];
    for (mut attributes, expected) in table {
        attributes["service.name"] = json!("a");
        let emitted = emitted_with(&mut identity(SignalSet::ALL), &[row(attributes)], at(0));
        assert_eq!(emitted.edges, expected);
    }
    let mut on_task = ec2;
    on_task["aws.ecs.task.arn"] = json!(task);
    on_task["container.id"] = json!("abc");
    let emitted = emitted_with(&mut identity(SignalSet::ALL), &[row(on_task)], at(0));
    assert_eq!(emitted.edges, [format!("{task} RUNS_ON {INSTANCE}")]);
    assert_eq!(emitted.aliases[0], format!("container_id=abc@ → {task}"));
}

#[test]
fn a_host_that_no_entity_reference_names_is_ignored() {
    let referenced = TelemetryRow {
        entity_refs: vec![
            ("service", vec!["service.name"]),
            ("k8s.pod", vec!["k8s.pod.uid"]),
        ],
        ..pod()
    };
    let emitted = emitted_with(&mut identity(SignalSet::ALL), &[referenced], at(0));
    assert_eq!(
        emitted.edges,
        ["svc://prod/shop/cart RUNS_ON k8s://c//pod/p"]
    );
    assert_eq!(emitted.nodes.len(), 2);
}

#[test]
fn the_same_rows_are_emitted_once_a_minute() {
    let mut identity = identity(SignalSet::ALL);
    let all = emitted_with(&mut identity, &[pod()], at(0)).len();
    assert!(all > 10);
    let counts = [1, 59, 60, 61, 119, 120]
        .map(|second| emitted_with(&mut identity, &[pod()], at(second)).len());
    assert_eq!(counts, [0, 0, all, 0, 0, all]);
}

#[test]
fn refused_rows_are_emitted_again_when_the_sender_retries() {
    let mut identity = identity(SignalSet::ALL);
    let emitted = |identity: &mut Identity, second| {
        let mut made = identity
            .process(batch(Signal::Traces, &[pod()]), at(second))
            .unwrap();
        made.pop();
        made
    };
    let first = emitted(&mut identity, 0);
    assert_eq!(emitted(&mut identity, 1).len(), 0, "the first is in flight");
    first[0]
        .delivery()
        .refuse(&Refusal::stopped("the store is locked"));
    drop(first);
    let again = emitted(&mut identity, 2);
    assert!(!again.is_empty());
    drop(again);
    assert_eq!(emitted(&mut identity, 3).len(), 0, "now it is delivered");
}

#[test]
fn within_a_minute_only_the_node_with_a_changed_value_is_emitted() {
    let mut identity = identity(SignalSet::ALL);
    emitted_with(&mut identity, &[pod()], at(0));
    let mut newer = pod();
    newer.attributes["service.version"] = json!("1.5.0");
    newer.attributes["process.pid"] = json!("78");
    let emitted = emitted_with(&mut identity, &[newer], at(1));
    assert_eq!(emitted.len(), 1);
    assert_eq!(emitted.nodes[0]["value"]["service.version"], "1.5.0");
}

#[test]
fn emitted_rows_have_the_time_of_the_newest_row_or_now_if_that_is_earlier() {
    let cart = |time| TelemetryRow {
        time,
        ..row(json!({"service.name": "cart"}))
    };
    let table = [
        (vec![Some(at(5)), Some(at(9)), None, Some(at(7))], at(9)),
        (vec![None], at(50)),
        (vec![Some(at(5)), Some(at(500))], at(50)),
    ];
    for (times, expected) in table {
        // A row of another resource comes between the rows of `cart`.
        let mut rows: Vec<TelemetryRow> = times.into_iter().map(cart).collect();
        rows.insert(1, row(json!({})));
        let emitted = emitted_with(&mut identity(SignalSet::ALL), &rows, at(50));
        assert_eq!(emitted.times, [expected.timestamp(); 2]);
    }
}

#[test]
fn only_signals_that_are_accepted_downstream_are_emitted() {
    for signal in [Signal::Nodes, Signal::Edges, Signal::Aliases] {
        let mut identity = identity(SignalSet::of(&[signal]));
        let made = identity
            .process(batch(Signal::Logs, &[pod()]), at(0))
            .unwrap();
        let signals: Vec<_> = made.iter().map(pipeline::Batch::signal).collect();
        assert_eq!(signals, [signal, Signal::Logs]);
        assert!(read_emitted(&made[..1]).len() > 1);
    }
}
