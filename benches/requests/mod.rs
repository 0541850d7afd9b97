//! Realistic OTLP requests: 8 resource attributes, 10 typed attributes per span (one of them an array), an event on
//! every fifth span, a link on every twentieth.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
    metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};

const START: u64 = 1_700_000_000_000_000_000;

pub(crate) fn traces(spans: usize) -> ExportTraceServiceRequest {
    let scope_spans = ScopeSpans {
        scope: Some(scope()),
        spans: (0..spans).map(span).collect(),
        schema_url: String::new(),
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource()),
            scope_spans: vec![scope_spans],
            schema_url: "https://opentelemetry.io/schemas/1.37.0".into(),
        }],
    }
}

pub(crate) fn metrics(points: usize) -> ExportMetricsServiceRequest {
    let sums = (0..points / 2).map(|index| NumberDataPoint {
        attributes: vec![text("http.route", "/cart"), int("n", index as i64)],
        start_time_unix_nano: START,
        time_unix_nano: START + 60_000_000_000,
        value: Some(number_data_point::Value::AsInt(index as i64)),
        ..NumberDataPoint::default()
    });
    let histograms = (points / 2..points).map(|index| HistogramDataPoint {
        attributes: vec![text("http.route", "/cart"), int("n", index as i64)],
        start_time_unix_nano: START,
        time_unix_nano: START + 60_000_000_000,
        count: 55,
        sum: Some(1.5),
        bucket_counts: (0..16).collect(),
        explicit_bounds: (0..15).map(f64::from).collect(),
        ..HistogramDataPoint::default()
    });
    let metric = |name: &str, data| Metric {
        name: name.into(),
        unit: "s".into(),
        data: Some(data),
        ..Metric::default()
    };
    let sum = Sum {
        data_points: sums.collect(),
        aggregation_temporality: 2,
        is_monotonic: true,
    };
    let histogram = Histogram {
        data_points: histograms.collect(),
        aggregation_temporality: 2,
    };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource()),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(scope()),
                metrics: vec![
                    metric("http.server.active_requests", metric::Data::Sum(sum)),
                    metric(
                        "http.server.request.duration",
                        metric::Data::Histogram(histogram),
                    ),
                ],
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    }
}

pub(crate) fn logs(records: usize) -> ExportLogsServiceRequest {
    let record = |index: usize| LogRecord {
        time_unix_nano: START + index as u64,
        observed_time_unix_nano: START + index as u64 + 1,
        severity_number: 9,
        severity_text: "INFO".into(),
        body: Some(any(Value::StringValue(format!(
            "order {index} was accepted and sent to the warehouse"
        )))),
        attributes: vec![
            text("code.function.name", "shop::orders::accept"),
            int("order.id", index as i64),
            text("thread.name", "tokio-runtime-worker"),
        ],
        trace_id: id(index, 16),
        span_id: id(index, 8),
        ..LogRecord::default()
    };
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(resource()),
            scope_logs: vec![ScopeLogs {
                scope: Some(scope()),
                log_records: (0..records).map(record).collect(),
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    }
}

fn span(index: usize) -> Span {
    let start = START + index as u64 * 1_000_003;
    let event = || span::Event {
        time_unix_nano: start + 500,
        name: "exception".into(),
        attributes: vec![
            text("exception.type", "java.io.IOException"),
            text("exception.message", "connection reset"),
        ],
        dropped_attributes_count: 0,
    };
    let link = || span::Link {
        trace_id: id(index + 7, 16),
        span_id: id(index + 7, 8),
        ..span::Link::default()
    };
    let languages = ["en", "de"].map(|language| any(Value::StringValue(language.into())));
    Span {
        trace_id: id(index / 8, 16),
        span_id: id(index, 8),
        parent_span_id: id(index + 1, 8),
        flags: 1,
        name: "GET /api/carts/{id}".into(),
        kind: if index.is_multiple_of(2) { 2 } else { 3 },
        start_time_unix_nano: start,
        end_time_unix_nano: start + 12_345_678,
        attributes: vec![
            text("http.request.method", "GET"),
            text("http.route", "/api/carts/{id}"),
            int("http.response.status_code", 200),
            text("server.address", "cart.shop.svc.cluster.local"),
            int("server.port", 8080),
            text("url.path", "/api/carts/81724"),
            text("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)"),
            attribute("app.cached", Value::BoolValue(index.is_multiple_of(3))),
            attribute("app.score", Value::DoubleValue(0.25)),
            attribute(
                "app.languages",
                Value::ArrayValue(ArrayValue {
                    values: languages.to_vec(),
                }),
            ),
        ],
        events: if index.is_multiple_of(5) {
            vec![event()]
        } else {
            Vec::new()
        },
        links: if index.is_multiple_of(20) {
            vec![link()]
        } else {
            Vec::new()
        },
        status: Some(Status::default()),
        ..Span::default()
    }
}

fn resource() -> Resource {
    Resource {
        attributes: vec![
            text("service.name", "frontend"),
            text("service.namespace", "shop"),
            text("deployment.environment.name", "production"),
            text("k8s.pod.name", "frontend-6d4cf56db6-x7k2p"),
            text("k8s.pod.uid", "275ecb36-5aa8-4c2a-9c47-d8bb681b9aff"),
            text("cloud.provider", "aws"),
            text("cloud.region", "eu-west-1"),
            text("host.id", "i-0abcdef1234567890"),
        ],
        ..Resource::default()
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "io.opentelemetry.http".into(),
        version: "2.1.0".into(),
        ..InstrumentationScope::default()
    }
}

/// A pseudo-random id.
fn id(index: usize, length: usize) -> Vec<u8> {
    let spread = (index as u64 + 1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .to_be_bytes();
    spread.iter().copied().cycle().take(length).collect()
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

fn int(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(any(value)),
        ..KeyValue::default()
    }
}

fn any(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}
