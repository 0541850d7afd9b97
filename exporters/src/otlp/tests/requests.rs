//! Tests of requests: their bytes, compression and headers.

use std::io::Read;

use pipeline::component::Exporter;
use pipeline::{Delivery, Signal, otlp};
use serde_json::json;

use super::{exporter_to, ok};
use crate::otlp_client::testing::{Server, batch, request};

const SIGNALS: [(Signal, &str); 3] = [
    (
        Signal::Traces,
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    ),
    (
        Signal::Metrics,
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    ),
    (
        Signal::Logs,
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    ),
];

#[tokio::test]
async fn an_unchanged_batch_is_sent_byte_for_byte() {
    let mut server = Server::responding(vec![ok()]).await;
    let exporter = exporter_to(&server, json!({"compression": "none"})).await;
    for (signal, path) in SIGNALS {
        exporter.export(&batch(signal, 5)).await.unwrap();
        let sent = server.next_request().await;
        assert_eq!(sent.path, path);
        let request = request(signal, 5);
        assert_eq!(sent.body[..5], {
            let mut prefix = [0; 5];
            prefix[1..].copy_from_slice(&(request.len() as u32).to_be_bytes());
            prefix
        });
        assert_eq!(sent.body.slice(5..), request);
        assert_eq!(sent.header("grpc-encoding"), "");
    }
}

#[tokio::test]
async fn a_changed_batch_is_encoded_again() {
    let mut server = Server::responding(vec![ok()]).await;
    let exporter = exporter_to(&server, json!({"compression": "none"})).await;
    for (signal, _) in SIGNALS {
        let whole = batch(signal, 5);
        let rows = whole.rows().slice(1, 2);
        exporter
            .export(&whole.with_rows(rows).unwrap())
            .await
            .unwrap();
        let sent = server.next_request().await.body.slice(5..);
        let read = otlp::decode(signal, sent, "otlp", Delivery::untracked()).unwrap();
        assert_eq!(read.num_rows(), 2);
    }
}

#[tokio::test]
async fn a_compressed_body_decompresses_to_the_request() {
    for name in ["gzip", "zstd"] {
        let mut server = Server::responding(vec![ok()]).await;
        let exporter = exporter_to(&server, json!({"compression": name})).await;
        // The small body is compressed on the calling task, the large one on a blocking thread.
        for rows in [1, 3000] {
            exporter.export(&batch(Signal::Traces, rows)).await.unwrap();
            let sent = server.next_request().await;
            assert_eq!(sent.header("grpc-encoding"), name);
            let (prefix, compressed) = sent.body.split_at(5);
            assert_eq!(prefix[0], 1);
            assert_eq!(prefix[1..], (compressed.len() as u32).to_be_bytes());
            let mut read = Vec::new();
            match name {
                "gzip" => flate2::read::GzDecoder::new(compressed).read_to_end(&mut read),
                _ => zstd::Decoder::new(compressed)
                    .unwrap()
                    .read_to_end(&mut read),
            }
            .unwrap();
            assert_eq!(read, request(Signal::Traces, rows));
        }
    }
}

#[tokio::test]
async fn configured_headers_are_sent_but_replace_no_grpc_header() {
    let mut server = Server::responding(vec![ok()]).await;
    let settings = json!({
        "headers": {"Authorization": "Bearer x", "token-bin": "é", "content-type": "text/html"},
        "authority": "tempo.example:4317",
    });
    let exporter = exporter_to(&server, settings).await;
    exporter.export(&batch(Signal::Logs, 1)).await.unwrap();
    let sent = server.next_request().await;
    assert_eq!(sent.header("authorization"), "Bearer x");
    // gRPC sends binary headers (`-bin`) in base64.
    assert_eq!(sent.header("token-bin"), "w6k");
    assert_eq!(sent.header("content-type"), "application/grpc");
    assert_eq!(sent.header("te"), "trailers");
    assert_eq!(sent.header("grpc-timeout"), "");
    assert!(sent.header("user-agent").starts_with("airdig/"));
    assert_eq!(sent.authority.unwrap(), "tempo.example:4317");
}
