//! Runs a receiver with a pipeline behind it, and makes requests.

use std::net::SocketAddr;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric,
};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use pipeline::channel::{Output, Queue, channel};
use pipeline::component::{Host, Receiver, RunError};
use pipeline::registry::BuildReceiver;
use pipeline::{Batch, SignalSet};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::otlp::Otlp;

/// Names and values of headers.
pub(super) type Headers<'a> = &'a [(&'a str, &'a str)];

/// A running receiver.
pub(super) struct Running {
    pub(super) grpc: SocketAddr,
    pub(super) http: SocketAddr,
    pub(super) stop: CancellationToken,
    pub(super) task: JoinHandle<Result<(), RunError>>,
}

pub(super) fn build(protocols: &Value) -> Otlp {
    let config = serde_json::from_value(json!({"protocols": protocols})).unwrap();
    let id = "otlp/test".parse().unwrap();
    let host = Host::new(id, SignalSet::TELEMETRY, Default::default());
    Otlp::build(config, &host).unwrap()
}

/// Runs a receiver that serves both protocols on free ports with limits of 1 MiB.
pub(super) async fn run(output: Output) -> Running {
    run_with(
        json!({
            "grpc": {"endpoint": "127.0.0.1:0", "max_recv_msg_size_mib": 1},
            "http": {"endpoint": "127.0.0.1:0", "max_request_body_size": 1 << 20},
        }),
        output,
    )
    .await
}

pub(super) async fn run_with(protocols: Value, output: Output) -> Running {
    let mut otlp = build(&protocols);
    let listening = otlp.start().await.unwrap();
    let address = |protocol| {
        let listener = listening.iter().find(|listen| listen.protocol == protocol);
        listener.unwrap().address
    };
    let stop = CancellationToken::new();
    Running {
        grpc: address("grpc"),
        http: address("http"),
        stop: stop.clone(),
        task: tokio::spawn(Box::new(otlp).run(output, stop)),
    }
}

/// Runs a receiver with a pipeline that calls `work` for each batch and then acknowledges the batch.
pub(super) async fn run_with_pipeline(work: impl Fn(&Batch) + Send + 'static) -> Running {
    let (sender, queue) = channel("pipelines/test", SignalSet::TELEMETRY, 256 << 20);
    let running = run_with(
        json!({"grpc": {"endpoint": "127.0.0.1:0"}, "http": {"endpoint": "127.0.0.1:0"}}),
        Output::new(vec![sender]),
    )
    .await;
    drain(queue, work);
    running
}

/// Takes each batch from the queue, calls `work` for it and acknowledges it.
pub(super) fn drain(mut queue: Queue, work: impl Fn(&Batch) + Send + 'static) {
    tokio::spawn(async move {
        while let Some(queued) = queue.recv().await {
            let (batch, _reserved_bytes) = queued.into_parts();
            work(&batch);
        }
    });
}

/// A pipeline that takes nothing from its queue.
pub(super) fn stalled_pipeline(accepts: SignalSet, capacity: usize) -> (Output, Queue) {
    let (sender, queue) = channel("pipelines/test", accepts, capacity);
    (Output::new(vec![sender]), queue)
}

pub(super) fn spans(count: usize) -> ExportTraceServiceRequest {
    let span = |index: usize| Span {
        trace_id: vec![7; 16],
        span_id: (index as u64 + 1).to_be_bytes().to_vec(),
        name: format!("GET /cart/{index}"),
        start_time_unix_nano: 1_700_000_000_000_000_000,
        end_time_unix_nano: 1_700_000_000_100_000_000,
        ..Span::default()
    };
    let scope_spans = vec![ScopeSpans {
        spans: (0..count).map(span).collect(),
        ..ScopeSpans::default()
    }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans,
            ..ResourceSpans::default()
        }],
    }
}

pub(super) fn metrics(count: usize) -> ExportMetricsServiceRequest {
    let metric = |index: usize| Metric {
        name: format!("m{index}"),
        data: Some(metric::Data::Gauge(Gauge {
            data_points: vec![NumberDataPoint {
                time_unix_nano: 1_700_000_000_000_000_000,
                ..NumberDataPoint::default()
            }],
        })),
        ..Metric::default()
    };
    let scope_metrics = vec![ScopeMetrics {
        metrics: (0..count).map(metric).collect(),
        ..ScopeMetrics::default()
    }];
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            scope_metrics,
            ..ResourceMetrics::default()
        }],
    }
}

pub(super) fn logs(count: usize) -> ExportLogsServiceRequest {
    let record = |index: usize| LogRecord {
        time_unix_nano: 1_700_000_000_000_000_000,
        event_name: format!("e{index}"),
        ..LogRecord::default()
    };
    let scope_logs = vec![ScopeLogs {
        log_records: (0..count).map(record).collect(),
        ..ScopeLogs::default()
    }];
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            scope_logs,
            ..ResourceLogs::default()
        }],
    }
}
