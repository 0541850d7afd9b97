//! The column `uid`.

use arrow_array::Array;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use pipeline::component::Processor;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::otlp_context;
use pipeline::testing::uids;
use pipeline::{Delivery, Outcome, Signal, SignalSet};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_oneof, proptest};
use proptest::strategy::{Just, Strategy};
use prost::Message;
use serde_json::{Value as Json, json};

use super::support::{TelemetryRow, at, batch, identity, row, uid_of};

#[test]
fn the_uid_is_that_of_the_first_node_that_the_resource_describes() {
    let ec2 = json!({"host.id": "i-1", "cloud.account.id": "42", "cloud.region": "eu-west-1"});
    let with = |base: &Json, more: Json| {
        let mut all = base.as_object().unwrap().clone();
        all.extend(more.as_object().unwrap().clone());
        Json::Object(all)
    };
    let pod = json!({"k8s.cluster.uid": "c", "k8s.pod.uid": "p", "k8s.node.uid": "n"});
    let function = "arn:aws:lambda:eu-west-1:42:function:pay";
    let task = "arn:aws:ecs:eu-west-1:42:task/shop/9f";
    let table = [
        ("no attributes", json!({}), None),
        (
            "a service",
            json!({"service.name": "cart"}),
            Some("svc:////cart"),
        ),
        (
            "a service in any script",
            json!({"service.name": "購物車", "service.namespace": "Käse",
                   "deployment.environment.name": "prod", "deployment.environment": "old"}),
            Some("svc://prod/K%C3%A4se/%E8%B3%BC%E7%89%A9%E8%BB%8A"),
        ),
        (
            "the older name of the environment",
            json!({"service.name": "cart", "deployment.environment": "prod"}),
            Some("svc://prod//cart"),
        ),
        ("an empty name", json!({"service.name": ""}), None),
        ("a number for a name", json!({"service.name": 7}), None),
        (
            "a service on a pod",
            with(&pod, json!({"service.name": "cart"})),
            Some("svc:////cart"),
        ),
        (
            "a cloud resource",
            json!({"cloud.resource_id": "//x.googleapis.com/projects/p"}),
            Some("//x.googleapis.com/projects/p"),
        ),
        (
            "a function by its alias",
            json!({"cloud.resource_id": format!("{function}:PROD")}),
            Some(function),
        ),
        (
            "a function by its version",
            json!({"aws.lambda.invoked_arn": format!("{function}:7")}),
            Some(function),
        ),
        (
            "a function by its old name",
            json!({"faas.id": function}),
            Some(function),
        ),
        ("a function by no ARN", json!({"faas.id": "pay"}), None),
        (
            "another resource of Lambda",
            json!({"cloud.resource_id": "arn:aws:lambda:eu-west-1:42:layer:libs:3"}),
            Some("arn:aws:lambda:eu-west-1:42:layer:libs:3"),
        ),
        (
            "a task",
            with(&ec2, json!({"aws.ecs.task.arn": task})),
            Some(task),
        ),
        ("a task by no ARN", json!({"aws.ecs.task.arn": "9f"}), None),
        ("a pod", with(&pod, ec2.clone()), Some("k8s://c//pod/p")),
        (
            "a pod of an unknown cluster",
            json!({"k8s.pod.uid": "p"}),
            None,
        ),
        (
            "a pod by its names alone",
            json!({"k8s.cluster.name": "c", "k8s.namespace.name": "n", "k8s.pod.name": "p"}),
            None,
        ),
        (
            "a deployment",
            json!({"k8s.cluster.uid": "c", "k8s.deployment.uid": "d"}),
            Some("k8s://c/apps/deployment/d"),
        ),
        (
            "a node",
            with(&ec2, json!({"k8s.cluster.uid": "c", "k8s.node.uid": "n"})),
            Some("k8s://c//node/n"),
        ),
        (
            "an instance",
            ec2.clone(),
            Some("arn:aws:ec2:eu-west-1:42:instance/i-1"),
        ),
        (
            "an instance in China",
            with(
                &ec2,
                json!({"cloud.region": "cn-north-1", "cloud.provider": "aws"}),
            ),
            Some("arn:aws-cn:ec2:cn-north-1:42:instance/i-1"),
        ),
        ("a host without a cloud", json!({"host.id": "i-1"}), None),
        (
            "a machine id in a cloud",
            with(&ec2, json!({"host.id": "fdbf79e8af94"})),
            None,
        ),
        (
            "a host of another cloud",
            with(&ec2, json!({"cloud.provider": "gcp"})),
            None,
        ),
        ("a container alone", json!({"container.id": "abc"}), None),
    ];
    for (what, attributes, expected) in table {
        assert_eq!(uid_of(row(attributes)).as_deref(), expected, "{what}");
    }
}

#[test]
fn entity_references_restrict_the_entities_of_the_resource() {
    let attributes = json!({
        "service.name": "cart", "k8s.cluster.uid": "c", "k8s.pod.uid": "p",
        "host.id": "i-1", "cloud.account.id": "42", "cloud.region": "eu-west-1",
    });
    let table = [
        (
            vec![("k8s.pod", vec!["k8s.pod.uid"])],
            Some("k8s://c//pod/p"),
        ),
        (
            vec![("host", vec!["host.id"]), ("k8s.pod", vec![])],
            Some("k8s://c//pod/p"),
        ),
        (
            vec![("service.instance", vec!["service.instance.id"])],
            Some("svc:////cart"),
        ),
        (vec![("cloud.resource", vec!["cloud.resource_id"])], None),
        (vec![("pencil", vec!["pencil.id"])], Some("svc:////cart")),
        (
            vec![
                ("host", vec!["host.name"]),
                ("k8s.pod", vec!["k8s.pod.uid"]),
            ],
            Some("k8s://c//pod/p"),
        ),
    ];
    for (entity_refs, expected) in table {
        let row = TelemetryRow {
            attributes: attributes.clone(),
            entity_refs: entity_refs.clone(),
            ..TelemetryRow::default()
        };
        assert_eq!(uid_of(row).as_deref(), expected, "{entity_refs:?}");
    }
}

#[test]
fn only_rows_of_telemetry_get_uids() {
    let rows = [
        row(json!({"service.name": "a"})),
        row(Json::Null),
        row(json!({"service.name": "b"})),
    ];
    for signal in SignalSet::TELEMETRY.iter() {
        let made = identity(SignalSet::NONE)
            .process(batch(signal, &rows), at(0))
            .unwrap();
        assert_eq!(uids(&made[0]), ["svc:////a", "", "svc:////b"], "{signal}");
        assert!(made[0].uid().is_null(1));
    }
    let other = pipeline::testing::batch(Signal::Nodes, &["x"]);
    let made = identity(SignalSet::ALL).process(other, at(0)).unwrap();
    assert_eq!((made.len(), uids(&made[0])), (1, vec!["x".to_owned()]));
}

#[test]
fn a_set_uid_is_kept() {
    let cart = row(json!({"service.name": "cart"}));
    let set = TelemetryRow {
        uid: Some("svc:////known"),
        ..cart.clone()
    };
    let made = identity(SignalSet::NONE)
        .process(
            batch(Signal::Logs, &[cart.clone(), set, row(json!({})), cart]),
            at(0),
        )
        .unwrap();
    assert_eq!(
        uids(&made[0]),
        ["svc:////cart", "svc:////known", "", "svc:////cart"]
    );
    assert!(made[0].uid().is_null(2));
}

fn request(services: &[&str], records: usize) -> Bytes {
    let resource_logs = services.iter().map(|service| ResourceLogs {
        resource: Some(Resource {
            attributes: vec![KeyValue {
                key: "service.name".to_owned(),
                value: Some(AnyValue {
                    value: Some(any_value::Value::StringValue((*service).to_owned())),
                }),
                ..KeyValue::default()
            }],
            ..Resource::default()
        }),
        scope_logs: vec![ScopeLogs {
            log_records: vec![LogRecord::default(); records],
            ..ScopeLogs::default()
        }],
        ..ResourceLogs::default()
    });
    let request = ExportLogsServiceRequest {
        resource_logs: resource_logs.collect(),
    };
    request.encode_to_vec().into()
}

#[test]
fn the_batch_keeps_its_request_and_the_sender_waits_for_emitted_rows() {
    let bytes = request(&["cart", "shop"], 2);
    let (delivery, mut receipt) = Delivery::new(None);
    let batch = pipeline::otlp::decode_logs(bytes.clone(), "otlp", delivery).unwrap();
    let mut made = identity(SignalSet::ALL).process(batch, at(0)).unwrap();
    let passed = made.pop().unwrap();
    assert_eq!(passed.original().unwrap().to_bytes(), bytes);
    assert_eq!(
        uids(&passed),
        [
            "svc:////cart",
            "svc:////cart",
            "svc:////shop",
            "svc:////shop"
        ]
    );
    drop(passed);
    let still_waiting = futures::FutureExt::now_or_never(&mut receipt);
    assert_eq!(still_waiting, None, "nodes and aliases are not stored yet");
    drop(made);
    let outcome = futures::FutureExt::now_or_never(receipt);
    assert_eq!(outcome, Some(Outcome::Delivered));
}

#[test]
fn the_column_stores_a_uid_once_for_all_rows_of_its_resource() {
    let name = "a-service-of-quite-a-long-name";
    let batch =
        pipeline::otlp::decode_logs(request(&[name], 70_000), "otlp", Delivery::untracked())
            .unwrap();
    let made = identity(SignalSet::ALL).process(batch, at(0)).unwrap();
    let passed = made.last().unwrap();
    assert_eq!(passed.num_rows(), 70_000);
    assert_eq!(passed.uid().null_count(), 0);
    let bytes: usize = passed
        .uid()
        .data_buffers()
        .iter()
        .map(|buffer| buffer.len())
        .sum();
    assert_eq!(bytes, format!("svc:////{name}").len());
    let emitted = super::support::read_emitted(&made[..made.len() - 1]);
    assert_eq!((emitted.nodes.len(), emitted.aliases.len()), (1, 1));
}

fn known_key() -> impl Strategy<Value = String> {
    const KNOWN: [&str; 18] = [
        "service.name",
        "deployment.environment.name",
        "cloud.resource_id",
        "cloud.provider",
        "cloud.account.id",
        "cloud.region",
        "aws.lambda.invoked_arn",
        "aws.ecs.task.arn",
        "faas.id",
        "host.id",
        "host.ip",
        "k8s.cluster.uid",
        "k8s.pod.uid",
        "k8s.pod.name",
        "k8s.node.uid",
        "k8s.replicaset.uid",
        "k8s.deployment.uid",
        "container.id",
    ];
    prop_oneof![
        prop::sample::select(&KNOWN[..]).prop_map(str::to_owned),
        any::<String>()
    ]
}

fn value() -> impl Strategy<Value = Json> {
    prop_oneof![
        any::<String>().prop_map(Json::from),
        "arn:[a-z]{0,3}:(lambda|ecs|)(:[a-z0-9:ä]{0,8}){0,5}".prop_map(Json::from),
        "arn:aws:lambda:r:1:function:[a-zä:]{0,6}".prop_map(Json::from),
        "i-[0-9a-fé]{0,4}".prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        prop::collection::vec(any::<String>(), 0..3).prop_map(Json::from),
        Just(Json::Null),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn arbitrary_attributes_cause_no_panic(all in prop::collection::vec((known_key(), value()), 0..14)) {
        let attributes: serde_json::Map<String, Json> = all.into_iter().collect();
        let rows = [row(Json::Object(attributes))];
        let mut identity = identity(SignalSet::ALL);
        let first = super::support::emitted_with(&mut identity, &rows, at(0));
        let again = super::support::emitted_with(&mut identity, &rows, at(1));
        prop_assert!(again.len() == 0, "{:?} of {:?}", again, first);
    }

    #[test]
    fn arbitrary_bytes_cause_no_panic(
        attributes in prop::collection::vec(any::<u8>(), 0..64),
        refs in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut rows = Rows::new(Signal::Metrics);
        let cells = [
            (otlp_context::RESOURCE_ATTRIBUTES, Cell::Bytes(&attributes)),
            (otlp_context::RESOURCE_ENTITY_REFS, Cell::Bytes(&refs)),
        ];
        rows.push(None, None, "otlp", &cells);
        let made = identity(SignalSet::ALL).process(rows.finish(Delivery::untracked()), at(0));
        prop_assert!(made.is_ok());
    }
}
