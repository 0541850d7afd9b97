//! Tests of requests: their bytes, encoding, compression and headers.

use std::io::Read;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use pipeline::component::Exporter;
use pipeline::{Delivery, Signal, otlp};
use prost::Message;
use serde_json::json;

use super::{exporter_to, ok};
use crate::otlp_client::testing::{
    RetryAdvice, Server, batch, message_and_retry, request, start_exporter,
};
use crate::otlp_http::OtlpHttp;

const SIGNALS: [Signal; 3] = [Signal::Traces, Signal::Metrics, Signal::Logs];

#[tokio::test]
async fn an_unchanged_batch_is_sent_byte_for_byte() {
    let mut server = Server::responding(vec![ok()]).await;
    let exporter = exporter_to(&server, json!({"compression": "none"})).await;
    for signal in SIGNALS {
        exporter.export(&batch(signal, 5)).await.unwrap();
        let request_seen = server.next_request().await;
        assert_eq!(request_seen.path, format!("/v1/{signal}"));
        assert_eq!(
            request_seen.header("content-type"),
            "application/x-protobuf"
        );
        assert_eq!(request_seen.header("content-encoding"), "");
        assert_eq!(request_seen.body, request(signal, 5));
    }
}

#[tokio::test]
async fn a_changed_batch_is_encoded_again() {
    let mut server = Server::responding(vec![ok()]).await;
    let exporter = exporter_to(&server, json!({"compression": "none"})).await;
    for signal in SIGNALS {
        let whole = batch(signal, 5);
        let rows = whole.rows().slice(1, 2);
        exporter
            .export(&whole.with_rows(rows).unwrap())
            .await
            .unwrap();
        let sent = server.next_request().await.body;
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
            let request_seen = server.next_request().await;
            assert_eq!(request_seen.header("content-encoding"), name);
            let mut read = Vec::new();
            match name {
                "gzip" => flate2::read::GzDecoder::new(&*request_seen.body).read_to_end(&mut read),
                _ => zstd::Decoder::new(&*request_seen.body)
                    .unwrap()
                    .read_to_end(&mut read),
            }
            .unwrap();
            assert_eq!(read, request(Signal::Traces, rows));
        }
    }
}

#[tokio::test]
async fn the_encoding_json_is_otlp_json() {
    let mut server = Server::responding(vec![ok()]).await;
    let exporter = exporter_to(&server, json!({"encoding": "json", "compression": "none"})).await;
    for signal in SIGNALS {
        exporter.export(&batch(signal, 3)).await.unwrap();
        let request_seen = server.next_request().await;
        assert_eq!(request_seen.header("content-type"), "application/json");
        let read =
            otlp::json::decode(signal, &request_seen.body, "otlp", Delivery::untracked()).unwrap();
        // The fields may be in another order than in the request, so the test compares the messages that prost decodes.
        let read = read.original().unwrap().to_bytes();
        assert_eq!(decoded(signal, &read), decoded(signal, &request(signal, 3)));
        if signal == Signal::Traces {
            let sent: serde_json::Value = serde_json::from_slice(&request_seen.body).unwrap();
            let span = &sent["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
            assert_eq!(span["traceId"], format!("{:032x}", 1));
            assert_eq!(span["startTimeUnixNano"], "1");
        }
    }
}

/// The debug text of the message that prost decodes.
fn decoded(signal: Signal, protobuf: &[u8]) -> String {
    match signal {
        Signal::Traces => format!("{:?}", ExportTraceServiceRequest::decode(protobuf).unwrap()),
        Signal::Metrics => format!(
            "{:?}",
            ExportMetricsServiceRequest::decode(protobuf).unwrap()
        ),
        Signal::Logs => format!("{:?}", ExportLogsServiceRequest::decode(protobuf).unwrap()),
        other => panic!("{other} has no OTLP request"),
    }
}

#[tokio::test]
async fn configured_headers_are_sent() {
    let mut server = Server::responding(vec![ok()]).await;
    let url = format!("http://me:p%40ss@{}/otlp/v1/logs?tenant=1", server.address);
    let keys =
        json!({"headers": {"X-Scope-OrgID": "7", "user-agent": "mine"}, "logs_endpoint": url});
    let exporter = exporter_to(&server, keys).await;
    exporter.export(&batch(Signal::Logs, 1)).await.unwrap();
    let request_seen = server.next_request().await;
    assert_eq!(request_seen.path, "/otlp/v1/logs?tenant=1");
    assert_eq!(request_seen.header("x-scope-orgid"), "7");
    assert_eq!(request_seen.header("user-agent"), "mine");
    assert_eq!(request_seen.header("authorization"), "Basic bWU6cEBzcw==");
    assert_eq!(request_seen.header("host"), server.address.to_string());

    exporter.export(&batch(Signal::Traces, 1)).await.unwrap();
    let request_seen = server.next_request().await;
    assert_eq!(request_seen.header("authorization"), "");
}

#[tokio::test]
async fn the_error_for_a_signal_without_an_endpoint_names_the_key() {
    let exporter: OtlpHttp =
        start_exporter(json!({"traces_endpoint": "http://127.0.0.1:1/"})).await;
    let (reason, retry) =
        message_and_retry(&exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err());
    assert_eq!(
        reason,
        "no endpoint for logs: set endpoint or logs_endpoint of exporters.otlp_http/test"
    );
    assert_eq!(retry, RetryAdvice::Never);
}
