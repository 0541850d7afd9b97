//! OTLP values that traces, metrics and logs share: attributes, and the resource of a pod.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::cloud::{ACCOUNT, CLUSTER_NAME, DemoNames, REGION};
use super::shop::{ENVIRONMENT, NAMESPACE, Pod};

pub(super) fn text(key: &str, text: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(text.into()))
}

pub(super) fn int(key: &str, int: i64) -> KeyValue {
    attribute(key, Value::IntValue(int))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// The body of a log record.
pub(super) fn body(text: String) -> AnyValue {
    AnyValue {
        value: Some(Value::StringValue(text)),
    }
}

/// The resource of a pod, with attributes by OpenTelemetry's semantic conventions.
pub(super) fn resource(names: DemoNames, pod: Pod) -> Resource {
    let node = names.node_of(pod);
    let attributes = vec![
        text("service.name", pod.service.name()),
        text("service.namespace", NAMESPACE),
        text("service.version", pod.version()),
        text("service.instance.id", names.pod_uid(pod)),
        text("deployment.environment.name", ENVIRONMENT),
        text("k8s.cluster.name", CLUSTER_NAME),
        text("k8s.cluster.uid", names.cluster()),
        text("k8s.namespace.name", NAMESPACE),
        text("k8s.pod.name", names.pod_name(pod)),
        text("k8s.pod.uid", names.pod_uid(pod)),
        text("k8s.node.name", DemoNames::node_host(node)),
        text("host.id", names.node_id(node)),
        text("cloud.provider", "aws"),
        text("cloud.platform", "aws_eks"),
        text("cloud.account.id", ACCOUNT),
        text("cloud.region", REGION),
    ];
    Resource {
        attributes,
        ..Resource::default()
    }
}

pub(super) fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "shop".to_owned(),
        ..InstrumentationScope::default()
    }
}
