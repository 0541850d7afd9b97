//! Tests of OTLP/HTTP with raw requests.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use pipeline::delivery::{Refusal, Retry};
use pipeline::{Delivery, Signal, SignalSet, otlp};
use prost::Message;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::service::{
    Headers, logs, metrics, run, run_with, run_with_pipeline, spans, stalled_pipeline,
};

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json");

struct TestResponse {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl TestResponse {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Code and message of the `google.rpc.Status`.
    fn rpc_status(&self) -> (i32, String) {
        assert_eq!(self.header("content-type"), "application/x-protobuf");
        let status = tonic_types::Status::decode(self.body.clone()).unwrap();
        (status.code, status.message)
    }
}

async fn send(
    address: SocketAddr,
    method: Method,
    path: &str,
    headers: Headers<'_>,
    body: impl Into<Bytes>,
) -> TestResponse {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let mut request = Request::builder()
        .method(method)
        .uri(format!("http://{address}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body.into())).unwrap();
    let (parts, body) = client.request(request).await.unwrap().into_parts();
    TestResponse {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

async fn post(address: SocketAddr, headers: Headers<'_>, body: impl Into<Bytes>) -> TestResponse {
    send(address, Method::POST, "/v1/traces", headers, body).await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn as_json(signal: Signal, protobuf: Vec<u8>) -> String {
    let batch = otlp::decode(signal, protobuf.into(), "otlp", Delivery::untracked());
    otlp::json::encode(&batch.unwrap()).unwrap()
}

#[tokio::test]
async fn each_signal_arrives_as_protobuf_and_as_json() {
    let (arrivals, arrived) = mpsc::channel();
    let running = run_with_pipeline(move |batch| {
        arrivals.send((batch.signal(), batch.num_rows())).unwrap();
    })
    .await;
    let requests = [
        ("/v1/traces", Signal::Traces, spans(3).encode_to_vec()),
        ("/v1/metrics", Signal::Metrics, metrics(2).encode_to_vec()),
        ("/v1/logs", Signal::Logs, logs(1).encode_to_vec()),
    ];
    for (path, signal, protobuf) in requests {
        let json = as_json(signal, protobuf.clone());
        let response = send(running.http, Method::POST, path, &[PROTOBUF], protobuf).await;
        assert_eq!((response.status, response.body.len()), (200, 0));
        assert_eq!(response.header("content-type"), "application/x-protobuf");
        let utf8 = [("content-type", "application/json; charset=utf-8")];
        let response = send(running.http, Method::POST, path, &utf8, json).await;
        assert_eq!(response.status, 200, "{:?}", response.body);
        assert_eq!(response.json(), json!({"partialSuccess": {}}));
    }
    assert_eq!(
        arrived.try_iter().collect::<Vec<_>>(),
        [
            (Signal::Traces, 3),
            (Signal::Traces, 3),
            (Signal::Metrics, 2),
            (Signal::Metrics, 2),
            (Signal::Logs, 1),
            (Signal::Logs, 1),
        ]
    );
}

#[tokio::test]
async fn compressed_bodies_arrive() {
    let (arrivals, arrived) = mpsc::channel();
    let running = run_with_pipeline(move |batch| arrivals.send(batch.num_rows()).unwrap()).await;
    let body = spans(70_000).encode_to_vec();
    let zipped = [
        ("identity", body.clone()),
        ("gzip", gzip(&body)),
        ("zstd", zstd::encode_all(&body[..], 0).unwrap()),
    ];
    for (coding, body) in zipped {
        let headers = [PROTOBUF, ("content-encoding", coding)];
        let response = post(running.http, &headers, body).await;
        assert_eq!(response.status, 200, "{coding}");
    }
    assert_eq!(arrived.try_iter().collect::<Vec<_>>(), [70_000; 3]);
}

#[tokio::test]
async fn empty_request_does_not_wait_for_a_pipeline() {
    let (output, _queue) = stalled_pipeline(SignalSet::TELEMETRY, 1);
    let running = run(output).await;
    assert_eq!(post(running.http, &[PROTOBUF], "").await.status, 200);
    assert_eq!(post(running.http, &[JSON], "{}").await.status, 200);
}

#[tokio::test]
async fn rejected_rows_are_a_partial_success() {
    let running = run_with_pipeline(|batch| batch.delivery().reject_rows(2, "no name")).await;
    let response = post(running.http, &[PROTOBUF], spans(3).encode_to_vec()).await;
    assert_eq!(response.status, 200);
    let response = ExportTraceServiceResponse::decode(response.body).unwrap();
    assert_eq!(response.partial_success.unwrap().rejected_spans, 2);
    let response = post(
        running.http,
        &[JSON],
        as_json(Signal::Traces, spans(3).encode_to_vec()),
    )
    .await;
    assert_eq!(
        response.json(),
        json!({"partialSuccess": {"rejectedSpans": "2", "errorMessage": "no name"}})
    );
}

#[tokio::test]
async fn refused_delivery_has_retry_after_if_retryable() {
    for (retry, status, code, after) in [
        (Retry::Never, 500, 13, ""),
        (Retry::After(Duration::from_secs(7)), 503, 14, "7"),
    ] {
        let running = run_with_pipeline(move |batch| {
            batch.delivery().refuse(&Refusal {
                component: "exporters/x".into(),
                reason: "disk is gone".into(),
                retry,
            });
        })
        .await;
        let response = post(running.http, &[PROTOBUF], spans(1).encode_to_vec()).await;
        assert_eq!(response.status, status);
        assert_eq!(response.header("retry-after"), after);
        let message = "exporters/x: disk is gone".to_owned();
        assert_eq!(response.rpc_status(), (code, message.clone()));
        let response = post(
            running.http,
            &[JSON],
            as_json(Signal::Traces, spans(1).encode_to_vec()),
        )
        .await;
        assert_eq!(response.status, status);
        assert_eq!(response.json(), json!({"code": code, "message": message}));
    }
}

#[tokio::test]
async fn full_queue_is_429_with_retry_after() {
    let (output, _queue) = stalled_pipeline(SignalSet::TELEMETRY, 1);
    let running = run(output).await;
    let body = spans(1).encode_to_vec();
    let (address, first) = (running.http, body.clone());
    let waiting = tokio::spawn(async move { post(address, &[PROTOBUF], first).await.status });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let response = post(running.http, &[PROTOBUF], body).await;
    assert_eq!(response.status, 429);
    assert_eq!(response.header("retry-after"), "1");
    assert_eq!(response.rpc_status().0, 8);
    waiting.abort();
}

#[tokio::test]
async fn stopped_pipeline_is_503_with_retry_after() {
    let (output, queue) = stalled_pipeline(SignalSet::TELEMETRY, 1);
    drop(queue);
    let running = run(output).await;
    let response = post(running.http, &[PROTOBUF], spans(1).encode_to_vec()).await;
    assert_eq!(response.status, 503);
    assert_eq!(response.header("retry-after"), "1");
}

#[tokio::test]
async fn too_large_request_is_413() {
    let (output, _queue) = stalled_pipeline(SignalSet::TELEMETRY, 1 << 20);
    let running = run(output).await;
    let response = post(running.http, &[PROTOBUF], vec![0; 3 << 20]).await;
    assert_eq!(response.status, 413);
    assert_eq!(response.header("retry-after"), "");
    assert_eq!(response.rpc_status().0, 8);
    let bomb = gzip(&vec![0; 50 << 20]);
    assert!(bomb.len() < 1 << 20);
    let headers = [JSON, ("content-encoding", "gzip")];
    let response = post(running.http, &headers, bomb).await;
    assert_eq!(response.status, 413);
    assert_eq!(response.json()["code"], 8);
}

#[tokio::test]
async fn invalid_body_is_400_in_the_format_of_the_request() {
    let (output, _queue) = stalled_pipeline(SignalSet::TELEMETRY, 1 << 20);
    let running = run(output).await;
    let whole = spans(3).encode_to_vec();
    let zipped = gzip(&whole);
    let gzip = ("content-encoding", "gzip");
    let rows: [(Headers<'_>, &[u8]); 6] = [
        (&[PROTOBUF], &whole[..whole.len() - 1]),
        (&[PROTOBUF], b"not protobuf"),
        (&[PROTOBUF, gzip], &whole),
        (&[PROTOBUF, gzip], &zipped[..zipped.len() / 2]),
        (&[PROTOBUF, ("content-encoding", "br")], &whole),
        (&[PROTOBUF], br#"{"resourceSpans": []}"#),
    ];
    for (index, (headers, body)) in rows.into_iter().enumerate() {
        let response = post(running.http, headers, body.to_vec()).await;
        assert_eq!(response.status, 400, "row {index}");
        assert_eq!(response.rpc_status().0, 3, "row {index}");
    }
    for body in ["", "{", r#"{"resourceSpans": 3}"#] {
        let response = post(running.http, &[JSON], body).await;
        assert_eq!(response.status, 400, "{body}");
        assert_eq!(response.json()["code"], 3, "{body}");
    }
}

#[tokio::test]
async fn unsupported_path_method_or_media_type_is_rejected() {
    let (output, _queue) = stalled_pipeline(SignalSet::of(&[Signal::Traces]), 1 << 20);
    let running = run(output).await;
    let response = post(running.http, &[("content-type", "text/plain")], "x").await;
    assert_eq!(response.status, 415);
    assert!(response.body.starts_with(b"415 unsupported media type"));
    assert_eq!(post(running.http, &[], "x").await.status, 415);
    let response = send(running.http, Method::GET, "/v1/traces", &[PROTOBUF], "").await;
    assert_eq!((response.status, response.header("allow")), (405, "POST"));
    for path in ["/v1/logs", "/v1/profiles", "/"] {
        let response = send(running.http, Method::POST, path, &[JSON], "{}").await;
        assert_eq!(response.status, 404, "{path}");
    }
}

#[tokio::test]
async fn http2_clients_are_served() {
    let running = run_with_pipeline(|_| ()).await;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http();
    let request = Request::post(format!("http://{}/v1/traces", running.http))
        .header(PROTOBUF.0, PROTOBUF.1)
        .body(Full::from(spans(1).encode_to_vec()))
        .unwrap();
    assert_eq!(client.request(request).await.unwrap().status(), 200);
}

#[tokio::test]
async fn truncated_body_reaches_no_pipeline() {
    let (output, mut queue) = stalled_pipeline(SignalSet::TELEMETRY, 1 << 20);
    let running = run(output).await;
    let mut stream = TcpStream::connect(running.http).await.unwrap();
    let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n\
                content-length: 100\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
        .write_all(&spans(1).encode_to_vec()[..20])
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    let mut response = String::new();
    // hyper may or may not respond on a half-closed connection.
    let _ = stream.read_to_string(&mut response).await;
    assert!(
        response.is_empty() || response.starts_with("HTTP/1.1 400"),
        "{response}"
    );
    let arrived = tokio::time::timeout(Duration::from_millis(50), queue.recv()).await;
    assert!(arrived.is_err());
}

#[tokio::test]
async fn configured_paths_and_origins_are_served() {
    let (output, _queue) = stalled_pipeline(SignalSet::TELEMETRY, 1);
    let http = json!({
        "endpoint": "127.0.0.1:0",
        "traces_url_path": "/custom/{a}",
        "cors": {
            "allowed_origins": ["https://*.example.com"],
            "allowed_headers": ["x-team"],
            "max_age": 7200,
        },
    });
    let grpc = json!({"endpoint": "127.0.0.1:0"});
    let running = run_with(json!({"grpc": grpc, "http": http}), output).await;
    let preflight = |origin| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,x-team"),
        ];
        async move { send(running.http, Method::OPTIONS, "/v1/logs", &headers, "").await }
    };
    let response = preflight("https://shop.example.com").await;
    assert_eq!(response.status, 200);
    assert_eq!(
        response.header("access-control-allow-origin"),
        "https://shop.example.com"
    );
    assert_eq!(response.header("access-control-max-age"), "7200");
    assert!(
        response
            .header("access-control-allow-headers")
            .contains("x-team")
    );
    let response = preflight("https://evil.example").await;
    assert_eq!(response.header("access-control-allow-origin"), "");
    let headers = [JSON, ("origin", "https://a.example.com")];
    let response = send(running.http, Method::POST, "/v1/logs", &headers, "{}").await;
    assert_eq!(
        response.header("access-control-allow-origin"),
        "https://a.example.com"
    );
    let path = "/custom/%7Ba%7D";
    let response = send(running.http, Method::POST, path, &[JSON], "{}").await;
    assert_eq!(response.status, 404);
}
