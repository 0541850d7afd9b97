//! Metrics and logs of simulated requests: a duration histogram, and a log line for each failure.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Histogram, HistogramDataPoint, Metric, ResourceMetrics, ScopeMetrics,
    metric,
};
use pipeline::component::UnixNanos;

use super::cloud::DemoNames;
use super::otlp::{body, int, resource, scope, text};
use super::shop::Pod;
use super::spans::{StartedRequest, status_code};
use super::traffic::SpanAction;

/// Bucket bounds in seconds that the semantic conventions recommend for `http.server.request.duration`.
const BOUNDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// Histograms of the durations of requests that ended since the last export.
#[derive(Debug, Default)]
pub(super) struct Durations {
    points: BTreeMap<Pod, BTreeMap<Labels, Buckets>>,
}

/// Method, route and status code.
type Labels = (&'static str, &'static str, i64);

#[derive(Debug, Default)]
struct Buckets {
    counts: [u64; BOUNDS.len() + 1],
    sum: f64,
}

impl Durations {
    pub(super) fn count(&mut self, started: &StartedRequest) {
        for span in &started.request.spans {
            let SpanAction::Serve(operation) = span.action else {
                continue;
            };
            let code = status_code(operation, span.failure);
            let labels = (operation.method, operation.route, code);
            let points = self.points.entry(started.pod(span)).or_default();
            let buckets = points.entry(labels).or_default();
            let seconds = (span.end - span.start) as f64 / 1e9;
            buckets.counts[BOUNDS.partition_point(|bound| *bound < seconds)] += 1;
            buckets.sum += seconds;
        }
    }

    /// The export request for the counts since `from`. Resets the counts.
    pub(super) fn export(
        &mut self,
        names: DemoNames,
        from: UnixNanos,
        to: UnixNanos,
    ) -> ExportMetricsServiceRequest {
        let groups = std::mem::take(&mut self.points).into_iter();
        let resource_metrics = groups.map(|(pod, points)| {
            let points = points.into_iter();
            ResourceMetrics {
                resource: Some(resource(names, pod)),
                scope_metrics: vec![ScopeMetrics {
                    scope: Some(scope()),
                    metrics: vec![durations(
                        points
                            .map(|(labels, buckets)| point(labels, &buckets, from, to))
                            .collect(),
                    )],
                    ..ScopeMetrics::default()
                }],
                ..ResourceMetrics::default()
            }
        });
        ExportMetricsServiceRequest {
            resource_metrics: resource_metrics.collect(),
        }
    }
}

fn durations(data_points: Vec<HistogramDataPoint>) -> Metric {
    Metric {
        name: "http.server.request.duration".to_owned(),
        description: "Duration of HTTP server requests.".to_owned(),
        unit: "s".to_owned(),
        data: Some(metric::Data::Histogram(Histogram {
            data_points,
            aggregation_temporality: AggregationTemporality::Delta.into(),
        })),
        ..Metric::default()
    }
}

fn point(
    (method, route, code): Labels,
    buckets: &Buckets,
    from: UnixNanos,
    to: UnixNanos,
) -> HistogramDataPoint {
    HistogramDataPoint {
        attributes: vec![
            text("http.request.method", method),
            text("http.route", route),
            text("url.scheme", "http"),
            int("http.response.status_code", code),
        ],
        start_time_unix_nano: from.0,
        time_unix_nano: to.0,
        count: buckets.counts.iter().sum(),
        sum: Some(buckets.sum),
        bucket_counts: buckets.counts.to_vec(),
        explicit_bounds: BOUNDS.to_vec(),
        ..HistogramDataPoint::default()
    }
}

/// An export request with a log record for each operation and query that failed; `None` if all succeeded.
pub(super) fn logs(
    names: DemoNames,
    requests: &[StartedRequest],
) -> Option<ExportLogsServiceRequest> {
    let mut by_pod: BTreeMap<Pod, Vec<LogRecord>> = BTreeMap::new();
    for started in requests {
        for span in &started.request.spans {
            let Some(failure) = span.failure else {
                continue;
            };
            let line = match span.action {
                SpanAction::Serve(operation) => {
                    format!("{} {} failed: {failure}", operation.method, operation.route)
                }
                SpanAction::Query(query) => format!(
                    "{} {} failed: canceling statement due to statement timeout ({failure})",
                    query.operation, query.table
                ),
                // The callee logs these failures.
                SpanAction::Call(_) | SpanAction::Publish(_) | SpanAction::Consume(_) => continue,
            };
            let records = by_pod.entry(started.pod(span)).or_default();
            records.push(LogRecord {
                time_unix_nano: started.unix(span.end),
                observed_time_unix_nano: started.unix(span.end),
                severity_number: SeverityNumber::Error.into(),
                severity_text: "ERROR".to_owned(),
                body: Some(body(line)),
                attributes: vec![text("error.type", failure)],
                flags: 1,
                trace_id: started.request.trace_id.to_vec(),
                span_id: span.id.to_vec(),
                ..LogRecord::default()
            });
        }
    }
    if by_pod.is_empty() {
        return None;
    }
    let groups = by_pod.into_iter().map(|(pod, log_records)| ResourceLogs {
        resource: Some(resource(names, pod)),
        scope_logs: vec![ScopeLogs {
            scope: Some(scope()),
            log_records,
            ..ScopeLogs::default()
        }],
        ..ResourceLogs::default()
    });
    Some(ExportLogsServiceRequest {
        resource_logs: groups.collect(),
    })
}
