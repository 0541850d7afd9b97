//! Tests of the start and the stop of the receiver.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use pipeline::SignalSet;
use pipeline::component::Receiver;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::service::{build, run, run_with, spans, stalled_pipeline};

#[tokio::test]
async fn error_for_a_port_in_use_names_the_remedy() {
    let in_use = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = in_use.local_addr().unwrap();
    let endpoint = json!({"endpoint": format!("localhost:{}", address.port())});
    for protocol in ["grpc", "http"] {
        let mut otlp = build(&json!({protocol: endpoint}));
        let error = otlp.start().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "cannot listen on {address} for {protocol}: address already in use; stop the other \
                 process or set receivers.otlp/test.protocols.{protocol}.endpoint"
            )
        );
    }
}

#[tokio::test]
async fn unknown_host_is_an_error() {
    let mut otlp = build(&json!({"grpc": {"endpoint": "no-such-host.invalid:4317"}}));
    let error = otlp.start().await.unwrap_err().to_string();
    assert!(error.contains("no-such-host.invalid:4317"), "{error}");
}

#[tokio::test]
async fn endpoint_without_a_host_listens_on_all_addresses() {
    let (output, _queue) = stalled_pipeline(SignalSet::TELEMETRY, 1);
    let running = run_with(
        json!({"grpc": {"endpoint": ":0"}, "http": {"endpoint": ":0"}}),
        output,
    )
    .await;
    assert!(running.grpc.ip().is_unspecified());
    TcpStream::connect(("127.0.0.1", running.http.port()))
        .await
        .unwrap();
}

#[tokio::test]
async fn stop_waits_for_requests_in_flight_but_not_for_idle_connections() {
    let (output, mut queue) = stalled_pipeline(SignalSet::TELEMETRY, 1 << 20);
    let running = run(output).await;
    let idle_http = TcpStream::connect(running.http).await.unwrap();
    let mut idle_grpc = TcpStream::connect(running.grpc).await.unwrap();
    idle_grpc.write_all(b"PRI * HTTP/2").await.unwrap();
    let endpoint = format!("http://{}", running.grpc);
    let mut client = TraceServiceClient::connect(endpoint).await.unwrap();
    let response = tokio::spawn(async move { client.export(spans(1)).await });
    let queued = queue.recv().await.unwrap();
    running.stop.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!running.task.is_finished());
    assert!(TcpStream::connect(running.grpc).await.is_err());
    drop(queued.into_parts());
    response.await.unwrap().unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), running.task).await;
    ended.expect("the receiver ends").unwrap().unwrap();
    drop((idle_http, idle_grpc));
}
