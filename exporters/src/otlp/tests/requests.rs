use std::io::Read;

use pipeline::component::Exporter;
use pipeline::{Delivery, Signal, otlp};
use serde_json::json;

use super::{ok, to};
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
async fn what_nobody_changed_is_sent_byte_for_byte() {
    let mut server = Server::answering(vec![ok()]).await;
    let exporter = to(&server, json!({"compression": "none"})).await;
    for (signal, path) in SIGNALS {
        exporter.export(&batch(signal, 5)).await.unwrap();
        let seen = server.seen().await;
        assert_eq!(seen.path, path);
        let request = request(signal, 5);
        assert_eq!(seen.body[..5], {
            let mut prefix = [0; 5];
            prefix[1..].copy_from_slice(&(request.len() as u32).to_be_bytes());
            prefix
        });
        assert_eq!(seen.body.slice(5..), request);
        assert_eq!(seen.header("grpc-encoding"), "");
    }
}

#[tokio::test]
async fn what_somebody_changed_is_encoded_anew() {
    let mut server = Server::answering(vec![ok()]).await;
    let exporter = to(&server, json!({"compression": "none"})).await;
    for (signal, _) in SIGNALS {
        let whole = batch(signal, 5);
        let rows = whole.rows().slice(1, 2);
        exporter
            .export(&whole.with_rows(rows).unwrap())
            .await
            .unwrap();
        let sent = server.seen().await.body.slice(5..);
        let read = otlp::decode(signal, sent, "otlp", Delivery::nobody()).unwrap();
        assert_eq!(read.num_rows(), 2);
    }
}

#[tokio::test]
async fn compressed_bodies_decompress_to_what_was_sent() {
    for name in ["gzip", "zstd"] {
        let mut server = Server::answering(vec![ok()]).await;
        let exporter = to(&server, json!({"compression": name})).await;
        // The small one is compressed where it stands, the large one by a thread for that.
        for rows in [1, 3000] {
            exporter.export(&batch(Signal::Traces, rows)).await.unwrap();
            let seen = server.seen().await;
            assert_eq!(seen.header("grpc-encoding"), name);
            let (prefix, compressed) = seen.body.split_at(5);
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
async fn headers_arrive() {
    let mut server = Server::answering(vec![ok()]).await;
    let keys = json!({
        "headers": {"Authorization": "Bearer x", "token-bin": "é", "content-type": "text/html"},
        "authority": "tempo.example:4317",
    });
    let exporter = to(&server, keys).await;
    exporter.export(&batch(Signal::Logs, 1)).await.unwrap();
    let seen = server.seen().await;
    assert_eq!(seen.header("authorization"), "Bearer x");
    // gRPC sends what is called binary in base64.
    assert_eq!(seen.header("token-bin"), "w6k");
    assert_eq!(seen.header("content-type"), "application/grpc");
    assert_eq!(seen.header("te"), "trailers");
    assert_eq!(seen.header("grpc-timeout"), "");
    assert!(seen.header("user-agent").starts_with("airdig/"));
    assert_eq!(seen.authority.unwrap(), "tempo.example:4317");
}
