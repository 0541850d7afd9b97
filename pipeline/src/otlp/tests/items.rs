//! Compares requests by their items: two requests are equal if they have the same items in the same order, each with
//! its resource, scope and schema URLs. The groups may differ, and empty groups are ignored.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data};

use crate::Signal;

pub(super) trait RequestItems: prost::Message + Default {
    const SIGNAL: Signal;
    /// Each item with its resource, scope and schema URLs, as text.
    fn items(&self) -> Vec<String>;
}

macro_rules! items {
    ($request:ident, $signal:ident, $resources:ident, $scopes:ident, $items:ident, $each:expr) => {
        impl RequestItems for $request {
            const SIGNAL: Signal = Signal::$signal;

            fn items(&self) -> Vec<String> {
                let mut all = Vec::new();
                for group in &self.$resources {
                    for scoped in &group.$scopes {
                        for item in &scoped.$items {
                            for item in $each(item) {
                                all.push(format!(
                                    "{:?} {:?} {:?} {:?} {item}",
                                    group.resource,
                                    group.schema_url,
                                    scoped.scope,
                                    scoped.schema_url
                                ));
                            }
                        }
                    }
                }
                all
            }
        }
    };
}

items!(
    ExportTraceServiceRequest,
    Traces,
    resource_spans,
    scope_spans,
    spans,
    |span| [format!("{span:?}")]
);
items!(
    ExportLogsServiceRequest,
    Logs,
    resource_logs,
    scope_logs,
    log_records,
    |log| [format!("{log:?}")]
);
items!(
    ExportMetricsServiceRequest,
    Metrics,
    resource_metrics,
    scope_metrics,
    metrics,
    points
);

/// The points of a metric, each with the fields of the metric.
fn points(metric: &Metric) -> Vec<String> {
    let (kind, points): (String, Vec<String>) = match &metric.data {
        None => return Vec::new(),
        Some(Data::Gauge(data)) => ("gauge".into(), texts(&data.data_points)),
        Some(Data::Sum(data)) => (
            format!("sum {} {}", data.aggregation_temporality, data.is_monotonic),
            texts(&data.data_points),
        ),
        Some(Data::Histogram(data)) => (
            format!("histogram {}", data.aggregation_temporality),
            texts(&data.data_points),
        ),
        Some(Data::ExponentialHistogram(data)) => (
            format!("exponential {}", data.aggregation_temporality),
            texts(&data.data_points),
        ),
        Some(Data::Summary(data)) => ("summary".into(), texts(&data.data_points)),
    };
    let fields = (
        &metric.name,
        &metric.description,
        &metric.unit,
        &metric.metadata,
    );
    points
        .into_iter()
        .map(|point| format!("{fields:?} {kind} {point}"))
        .collect()
}

fn texts<T: std::fmt::Debug>(points: &[T]) -> Vec<String> {
    points.iter().map(|point| format!("{point:?}")).collect()
}
