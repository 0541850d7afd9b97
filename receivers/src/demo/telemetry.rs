//! Metrics and logs beside the spans: how long requests took, and a line for each that failed.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Histogram, HistogramDataPoint, Metric, ResourceMetrics, ScopeMetrics,
    metric,
};
use pipeline::component::UnixNanos;

use super::cloud::Names;
use super::company::Pod;
use super::otlp::{body, int, resource, scope, text};
use super::spans::{Begun, status_code};
use super::traffic::What;

/// Bucket bounds in seconds that the semantic conventions advise for `http.server.request.duration`.
const BOUNDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// How long the requests took that ended since the last export.
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
    pub(super) fn count(&mut self, begun: &Begun) {
        for span in &begun.request.spans {
            let What::Serve(operation) = span.what else {
                continue;
            };
            let code = status_code(operation, span.failure);
            let labels = (operation.method, operation.route, code);
            let points = self.points.entry(begun.pod(span)).or_default();
            let buckets = points.entry(labels).or_default();
            let seconds = (span.end - span.start) as f64 / 1e9;
            buckets.counts[BOUNDS.partition_point(|bound| *bound < seconds)] += 1;
            buckets.sum += seconds;
        }
    }

    /// What was counted from one time to another; counting starts anew.
    pub(super) fn export(
        &mut self,
        names: Names,
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

/// A line for each operation and query that failed; none when none did.
pub(super) fn logs(names: Names, requests: &[Begun]) -> Option<ExportLogsServiceRequest> {
    let mut by_pod: BTreeMap<Pod, Vec<LogRecord>> = BTreeMap::new();
    for begun in requests {
        for span in &begun.request.spans {
            let Some(failure) = span.failure else {
                continue;
            };
            let line = match span.what {
                What::Serve(operation) => {
                    format!("{} {} failed: {failure}", operation.method, operation.route)
                }
                What::Query(query) => format!(
                    "{} {} failed: canceling statement due to statement timeout ({failure})",
                    query.operation, query.table
                ),
                // Who was called has said it.
                What::Call(_) | What::Publish(_) | What::Consume(_) => continue,
            };
            let records = by_pod.entry(begun.pod(span)).or_default();
            records.push(LogRecord {
                time_unix_nano: begun.unix(span.end),
                observed_time_unix_nano: begun.unix(span.end),
                severity_number: SeverityNumber::Error.into(),
                severity_text: "ERROR".to_owned(),
                body: Some(body(line)),
                attributes: vec![text("error.type", failure)],
                flags: 1,
                trace_id: begun.request.trace_id.to_vec(),
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
