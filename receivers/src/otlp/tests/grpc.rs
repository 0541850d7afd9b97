//! Tests of OTLP/gRPC, with tonic's generated clients and with raw requests.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use pipeline::delivery::{Refusal, Retry};
use pipeline::{Signal, SignalSet};
use prost::Message;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::codec::CompressionEncoding;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::service::{Headers, logs, metrics, run, run_with_pipeline, spans, stalled_pipeline};

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

async fn connect(address: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    endpoint.connect().await.unwrap()
}

async fn traces(address: SocketAddr) -> TraceServiceClient<Channel> {
    TraceServiceClient::new(connect(address).await).max_encoding_message_size(1 << 30)
}

fn retry_after(status: &Status) -> Option<Duration> {
    status.get_details_retry_info()?.retry_delay
}

fn framed(flag: u8, message: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(flag);
    frame.put_u32(message.len() as u32);
    frame.put_slice(message);
    frame.freeze()
}

/// Sends a raw body and returns the gRPC status of the response.
async fn send(address: SocketAddr, headers: Headers<'_>, path: &str, body: Bytes) -> Status {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http();
    let mut request = Request::post(format!("http://{address}{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = client
        .request(request.body(Full::new(body)).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let headers = response.headers().clone();
    let trailers = response.into_body().collect().await.unwrap();
    Status::from_header_map(trailers.trailers().unwrap_or(&headers)).unwrap()
}

#[tokio::test]
async fn each_signal_arrives_with_each_compression() {
    let (arrivals, arrived) = mpsc::channel();
    let running = run_with_pipeline(move |batch| {
        arrivals.send((batch.signal(), batch.num_rows())).unwrap();
    })
    .await;
    let channel = connect(running.grpc).await;
    for encoding in [
        None,
        Some(CompressionEncoding::Gzip),
        Some(CompressionEncoding::Zstd),
    ] {
        let mut traces = TraceServiceClient::new(channel.clone());
        let mut metrics_client = MetricsServiceClient::new(channel.clone());
        let mut logs_client = LogsServiceClient::new(channel.clone());
        if let Some(encoding) = encoding {
            traces = traces.send_compressed(encoding).accept_compressed(encoding);
            metrics_client = metrics_client.send_compressed(encoding);
            logs_client = logs_client.send_compressed(encoding);
        }
        let response = traces.export(spans(3)).await.unwrap().into_inner();
        assert_eq!(response.partial_success, None);
        metrics_client.export(metrics(2)).await.unwrap();
        logs_client.export(logs(1)).await.unwrap();
        let rows: Vec<_> = arrived.try_iter().collect();
        assert_eq!(
            rows,
            [(Signal::Traces, 3), (Signal::Metrics, 2), (Signal::Logs, 1)]
        );
    }
}

#[tokio::test]
async fn seventy_thousand_spans_are_one_batch() {
    let (arrivals, arrived) = mpsc::channel();
    let running = run_with_pipeline(move |batch| arrivals.send(batch.num_rows()).unwrap()).await;
    let request = spans(70_000);
    assert!(request.encoded_len() > 4 << 20);
    let mut client = traces(running.grpc).await;
    client.export(request.clone()).await.unwrap();
    let mut client = client.send_compressed(CompressionEncoding::Zstd);
    client.export(request).await.unwrap();
    assert_eq!(arrived.try_iter().collect::<Vec<_>>(), [70_000, 70_000]);
}

#[tokio::test]
async fn empty_request_does_not_wait_for_a_pipeline() {
    let (output, _queue) = stalled_pipeline(SignalSet::TELEMETRY, 1);
    let running = run(output).await;
    traces(running.grpc).await.export(spans(0)).await.unwrap();
}

#[tokio::test]
async fn response_waits_for_the_delivery() {
    let (output, mut queue) = stalled_pipeline(SignalSet::TELEMETRY, 1 << 20);
    let running = run(output).await;
    let mut client = traces(running.grpc).await;
    let mut response = tokio::spawn(async move { client.export(spans(1)).await });
    let queued = queue.recv().await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(100), &mut response).await;
    assert!(early.is_err());
    drop(queued.into_parts());
    response.await.unwrap().unwrap();
}

#[tokio::test]
async fn rejected_rows_are_a_partial_success() {
    let running = run_with_pipeline(|batch| batch.delivery().reject_rows(2, "no name")).await;
    let mut client = traces(running.grpc).await;
    let response = client.export(spans(3)).await.unwrap().into_inner();
    let partial = response.partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 2);
    assert_eq!(partial.error_message, "no name");
}

#[tokio::test]
async fn refused_delivery_has_retry_info_if_retryable() {
    for (retry, code, after) in [
        (Retry::Never, Code::Internal, None),
        (
            Retry::After(Duration::from_secs(7)),
            Code::Unavailable,
            Some(Duration::from_secs(7)),
        ),
    ] {
        let running = run_with_pipeline(move |batch| {
            batch.delivery().refuse(&Refusal {
                component: "exporters/x".into(),
                reason: "disk is gone".into(),
                retry,
            });
        })
        .await;
        let status = traces(running.grpc)
            .await
            .export(spans(1))
            .await
            .unwrap_err();
        assert_eq!(status.code(), code);
        assert_eq!(status.message(), "exporters/x: disk is gone");
        assert_eq!(retry_after(&status), after);
    }
}

#[tokio::test]
async fn full_queue_is_resource_exhausted_with_retry_info() {
    let (output, _queue) = stalled_pipeline(SignalSet::TELEMETRY, 1);
    let running = run(output).await;
    let mut client = traces(running.grpc).await;
    let mut first = client.clone();
    let waiting = tokio::spawn(async move { first.export(spans(1)).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let status = client.export(spans(1)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(retry_after(&status).is_some());
    waiting.abort();
}

#[tokio::test]
async fn stopped_pipeline_is_unavailable() {
    let (output, queue) = stalled_pipeline(SignalSet::TELEMETRY, 1);
    drop(queue);
    let running = run(output).await;
    let status = traces(running.grpc)
        .await
        .export(spans(1))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(retry_after(&status).is_some());
}

#[tokio::test]
async fn request_fails_at_the_senders_deadline() {
    let (output, _queue) = stalled_pipeline(SignalSet::TELEMETRY, 1 << 20);
    let running = run(output).await;
    let headers = [("grpc-timeout", "50m")];
    let body = framed(0, &spans(1).encode_to_vec());
    let status = send(running.grpc, &headers, TRACES, body.clone()).await;
    assert_eq!(status.code(), Code::DeadlineExceeded);
    let status = send(running.grpc, &[("grpc-timeout", "soon")], TRACES, body).await;
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn delivery_has_the_senders_deadline() {
    let (output, mut queue) = stalled_pipeline(SignalSet::TELEMETRY, 1 << 20);
    let running = run(output).await;
    for (headers, seconds) in [(&[("grpc-timeout", "3S")][..], 3), (&[], 10)] {
        let body = framed(0, &spans(1).encode_to_vec());
        let sent = async {
            let status = send(running.grpc, headers, TRACES, body).await;
            assert_eq!(status.code(), Code::Ok);
        };
        let accepted = async {
            let queued = queue.recv().await.unwrap();
            let deadline = queued.batch().delivery().deadline().unwrap();
            let left = deadline.duration_since(Instant::now());
            assert!(left <= Duration::from_secs(seconds), "{left:?}");
            assert!(left > Duration::from_secs(seconds - 1), "{left:?}");
            drop(queued.into_parts());
        };
        tokio::join!(sent, accepted);
    }
}

#[tokio::test]
async fn each_of_many_concurrent_requests_gets_a_response() {
    let (arrivals, arrived) = mpsc::channel();
    let running = run_with_pipeline(move |batch| arrivals.send(batch.num_rows()).unwrap()).await;
    let client = traces(running.grpc).await;
    let mut requests = JoinSet::new();
    for count in 1..=500 {
        let mut client = client.clone();
        requests.spawn(async move { client.export(spans(count)).await.map(drop) });
    }
    for response in requests.join_all().await {
        response.unwrap();
    }
    assert_eq!(arrived.try_iter().sum::<usize>(), 500 * 501 / 2);
}

#[tokio::test]
async fn unsupported_content_type_is_415() {
    let (output, _queue) = stalled_pipeline(SignalSet::TELEMETRY, 1);
    let running = run(output).await;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http();
    let request = Request::post(format!("http://{}{TRACES}", running.grpc))
        .header("content-type", "application/json")
        .body(Full::default())
        .unwrap();
    assert_eq!(client.request(request).await.unwrap().status(), 415);
}

#[tokio::test]
async fn signal_without_a_pipeline_is_unimplemented() {
    let (output, _queue) = stalled_pipeline(SignalSet::of(&[Signal::Traces]), 1);
    let running = run(output).await;
    let mut client = LogsServiceClient::new(connect(running.grpc).await);
    let status = client.export(logs(1)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    let status = send(running.grpc, &[], "/a.B/C", framed(0, b"")).await;
    assert_eq!(status.code(), Code::Unimplemented);
}

#[tokio::test]
async fn too_large_request_is_not_retryable() {
    let (output, _queue) = stalled_pipeline(SignalSet::TELEMETRY, 1 << 20);
    let running = run(output).await;
    let mut client = traces(running.grpc).await;
    let status = client.export(spans(70_000)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(retry_after(&status), None);

    let bomb = zstd::encode_all(&vec![0; 50 << 20][..], 0).unwrap();
    let headers = [("grpc-encoding", "zstd")];
    let status = send(running.grpc, &headers, TRACES, framed(1, &bomb)).await;
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(retry_after(&status), None);
}

#[tokio::test]
async fn invalid_request_is_rejected_with_the_code_of_its_defect() {
    let (output, _queue) = stalled_pipeline(SignalSet::TELEMETRY, 1 << 20);
    let running = run(output).await;
    let whole = spans(3).encode_to_vec();
    let zipped = zstd::encode_all(&whole[..], 0).unwrap();
    let zstd = [("grpc-encoding", "zstd")];
    let rows: [(Headers<'_>, Bytes, Code); 10] = [
        (
            &[],
            framed(0, &whole[..whole.len() - 1]),
            Code::InvalidArgument,
        ),
        (&[], framed(0, b"not protobuf"), Code::InvalidArgument),
        (&[], framed(0, &whole).slice(..20), Code::InvalidArgument),
        (&[], Bytes::new(), Code::InvalidArgument),
        (&[], framed(9, &whole), Code::Internal),
        (&[], framed(1, &zipped), Code::Internal),
        (&zstd, framed(1, &whole), Code::Internal),
        (
            &zstd,
            framed(1, &zipped[..zipped.len() / 2]),
            Code::Internal,
        ),
        (
            &[("grpc-encoding", "br")],
            framed(1, &whole),
            Code::Unimplemented,
        ),
        (
            &[("grpc-encoding", "gzip")],
            framed(1, &zipped),
            Code::Internal,
        ),
    ];
    for (index, (headers, body, code)) in rows.into_iter().enumerate() {
        let status = send(running.grpc, headers, TRACES, body).await;
        assert_eq!(status.code(), code, "row {index}: {status:?}");
        assert_eq!(retry_after(&status), None);
    }
}
