//! Encodes simulated requests as OTLP spans, by OpenTelemetry's semantic conventions for HTTP, databases and
//! messaging.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use pipeline::component::UnixNanos;

use super::cloud::DemoNames;
use super::otlp::{int, resource, scope, text};
use super::shop::{NAMESPACE, Operation, Pod, Query, ShopService, Topic};
use super::traffic::{self, SimulatedRequest, SpanAction};

const SHOP: &str = "shop.example";
/// The trace is sampled, and it is known that the parent is not remote.
const FLAGS: u32 = 0x101;
const PARENT_IS_REMOTE: u32 = 0x200;

/// A request with the time at which it started.
#[derive(Clone, Debug)]
pub(super) struct StartedRequest {
    pub(super) at: UnixNanos,
    pub(super) request: SimulatedRequest,
}

impl StartedRequest {
    pub(super) fn pod(&self, span: &traffic::SimulatedSpan) -> Pod {
        Pod::new(span.service, span.replica, self.request.deploys)
    }

    /// Converts nanoseconds since the start of the request to nanoseconds since 1970.
    pub(super) fn unix(&self, since: u64) -> u64 {
        self.at.0.saturating_add(since)
    }
}

/// Makes an export request with one group of spans for each pod.
pub(super) fn export(names: DemoNames, requests: &[StartedRequest]) -> ExportTraceServiceRequest {
    let mut by_pod: BTreeMap<Pod, Vec<Span>> = BTreeMap::new();
    for started in requests {
        for span in &started.request.spans {
            let spans = by_pod.entry(started.pod(span)).or_default();
            spans.push(encode(names, started, span));
        }
    }
    let groups = by_pod.into_iter().map(|(pod, spans)| ResourceSpans {
        resource: Some(resource(names, pod)),
        scope_spans: vec![ScopeSpans {
            scope: Some(scope()),
            spans,
            ..ScopeSpans::default()
        }],
        ..ResourceSpans::default()
    });
    ExportTraceServiceRequest {
        resource_spans: groups.collect(),
    }
}

fn encode(names: DemoNames, started: &StartedRequest, span: &traffic::SimulatedSpan) -> Span {
    let parent = span.parent.map(|parent| &started.request.spans[parent]);
    let remote = parent
        .is_some_and(|parent| (parent.service, parent.replica) != (span.service, span.replica));
    let subject = started.request.subject;
    let (name, kind, mut attributes) = match span.action {
        SpanAction::Serve(operation) => serve(operation, subject, span.failure),
        SpanAction::Call(operation) => call(operation, subject, span.failure),
        SpanAction::Query(query) => query_database(names, query, span.failure),
        SpanAction::Publish(topic) => publish(topic),
        SpanAction::Consume(topic) => consume(topic),
    };
    attributes.extend(span.failure.map(|failure| text("error.type", failure)));
    Span {
        trace_id: started.request.trace_id.to_vec(),
        span_id: span.id.to_vec(),
        parent_span_id: parent.map(|parent| parent.id.to_vec()).unwrap_or_default(),
        flags: FLAGS | if remote { PARENT_IS_REMOTE } else { 0 },
        name,
        kind: kind.into(),
        start_time_unix_nano: started.unix(span.start),
        end_time_unix_nano: started.unix(span.end),
        attributes,
        status: span.failure.map(status),
        ..Span::default()
    }
}

fn status(failure: &str) -> Status {
    let message = match failure {
        traffic::QUERY_CANCELED => "canceling statement due to statement timeout",
        _ => "",
    };
    Status {
        code: StatusCode::Error.into(),
        message: message.to_owned(),
    }
}

/// Name, kind and attributes of a span.
type SpanParts = (String, SpanKind, Vec<KeyValue>);

fn serve(operation: &Operation, subject: u32, failure: Option<&str>) -> SpanParts {
    let host = match operation.service {
        ShopService::Frontend => SHOP.to_owned(),
        other => other.host(),
    };
    let attributes = vec![
        text("http.request.method", operation.method),
        text("http.route", operation.route),
        text("url.scheme", "http"),
        text("url.path", path(operation, subject)),
        text("server.address", host),
        int("http.response.status_code", status_code(operation, failure)),
    ];
    let name = format!("{} {}", operation.method, operation.route);
    (name, SpanKind::Server, attributes)
}

fn call(operation: &Operation, subject: u32, failure: Option<&str>) -> SpanParts {
    let host = operation.service.host();
    let attributes = vec![
        text("http.request.method", operation.method),
        text(
            "url.full",
            format!("http://{host}:8080{}", path(operation, subject)),
        ),
        text("server.address", host),
        int("server.port", 8080),
        int("http.response.status_code", status_code(operation, failure)),
    ];
    (operation.method.to_owned(), SpanKind::Client, attributes)
}

fn path(operation: &Operation, subject: u32) -> String {
    operation.route.replace("{id}", &subject.to_string())
}

pub(super) fn status_code(operation: &Operation, failure: Option<&str>) -> i64 {
    match (failure, operation.method) {
        (Some(_), _) => 500,
        (None, "POST") => 201,
        (None, _) => 200,
    }
}

fn query_database(names: DemoNames, query: &Query, failure: Option<&str>) -> SpanParts {
    let summary = format!("{} {}", query.operation, query.table);
    let mut attributes = vec![
        text("db.system.name", "postgresql"),
        text("db.namespace", NAMESPACE),
        text("db.operation.name", query.operation),
        text("db.collection.name", query.table),
        text("db.query.summary", &*summary),
        text("server.address", names.database_endpoint()),
        int("server.port", 5432),
    ];
    attributes.extend(failure.map(|failure| text("db.response.status_code", failure)));
    (summary, SpanKind::Client, attributes)
}

fn publish(topic: &Topic) -> SpanParts {
    let attributes = vec![
        text("messaging.system", "kafka"),
        text("messaging.operation.name", "send"),
        text("messaging.operation.type", "send"),
        text("messaging.destination.name", topic.name),
    ];
    (
        format!("send {}", topic.name),
        SpanKind::Producer,
        attributes,
    )
}

fn consume(topic: &Topic) -> SpanParts {
    let attributes = vec![
        text("messaging.system", "kafka"),
        text("messaging.operation.name", "process"),
        text("messaging.operation.type", "process"),
        text("messaging.destination.name", topic.name),
        text("messaging.consumer.group.name", topic.consumer.name()),
    ];
    (
        format!("process {}", topic.name),
        SpanKind::Consumer,
        attributes,
    )
}
