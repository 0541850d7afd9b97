use std::io::Read;

use pipeline::component::Exporter;
use pipeline::{Delivery, Signal, otlp};
use serde_json::json;

use super::{ok, to};
use crate::otlp_client::testing::{Server, batch, request, started, told};
use crate::otlp_http::OtlpHttp;

const SIGNALS: [Signal; 3] = [Signal::Traces, Signal::Metrics, Signal::Logs];

#[tokio::test]
async fn what_nobody_changed_is_sent_byte_for_byte() {
    let mut server = Server::answering(vec![ok()]).await;
    let exporter = to(&server, json!({"compression": "none"})).await;
    for signal in SIGNALS {
        exporter.export(&batch(signal, 5)).await.unwrap();
        let seen = server.seen().await;
        assert_eq!(seen.path, format!("/v1/{signal}"));
        assert_eq!(seen.header("content-type"), "application/x-protobuf");
        assert_eq!(seen.header("content-encoding"), "");
        assert_eq!(seen.body, request(signal, 5));
    }
}

#[tokio::test]
async fn what_somebody_changed_is_encoded_anew() {
    let mut server = Server::answering(vec![ok()]).await;
    let exporter = to(&server, json!({"compression": "none"})).await;
    for signal in SIGNALS {
        let whole = batch(signal, 5);
        let rows = whole.rows().slice(1, 2);
        exporter
            .export(&whole.with_rows(rows).unwrap())
            .await
            .unwrap();
        let sent = server.seen().await.body;
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
            assert_eq!(seen.header("content-encoding"), name);
            let mut read = Vec::new();
            match name {
                "gzip" => flate2::read::GzDecoder::new(&*seen.body).read_to_end(&mut read),
                _ => zstd::Decoder::new(&*seen.body)
                    .unwrap()
                    .read_to_end(&mut read),
            }
            .unwrap();
            assert_eq!(read, request(Signal::Traces, rows));
        }
    }
}

#[tokio::test]
async fn json_is_otlp_json() {
    let mut server = Server::answering(vec![ok()]).await;
    let exporter = to(&server, json!({"encoding": "json", "compression": "none"})).await;
    for signal in SIGNALS {
        exporter.export(&batch(signal, 3)).await.unwrap();
        let seen = server.seen().await;
        assert_eq!(seen.header("content-type"), "application/json");
        let read = otlp::json::decode(signal, &seen.body, "otlp", Delivery::nobody()).unwrap();
        assert_eq!(read.original().unwrap().to_bytes(), request(signal, 3));
        if signal == Signal::Traces {
            let sent: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
            let span = &sent["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
            assert_eq!(span["traceId"], format!("{:032x}", 1));
            assert_eq!(span["startTimeUnixNano"], "1");
        }
    }
}

#[tokio::test]
async fn headers_arrive() {
    let mut server = Server::answering(vec![ok()]).await;
    let url = format!("http://me:p%40ss@{}/otlp/v1/logs?tenant=1", server.address);
    let keys =
        json!({"headers": {"X-Scope-OrgID": "7", "user-agent": "mine"}, "logs_endpoint": url});
    let exporter = to(&server, keys).await;
    exporter.export(&batch(Signal::Logs, 1)).await.unwrap();
    let seen = server.seen().await;
    assert_eq!(seen.path, "/otlp/v1/logs?tenant=1");
    assert_eq!(seen.header("x-scope-orgid"), "7");
    assert_eq!(seen.header("user-agent"), "mine");
    assert_eq!(seen.header("authorization"), "Basic bWU6cEBzcw==");
    assert_eq!(seen.header("host"), server.address.to_string());

    exporter.export(&batch(Signal::Traces, 1)).await.unwrap();
    let seen = server.seen().await;
    assert_eq!(seen.header("authorization"), "");
}

#[tokio::test]
async fn a_signal_without_an_endpoint_is_refused_with_the_key() {
    let exporter: OtlpHttp = started(json!({"traces_endpoint": "http://127.0.0.1:1/"})).await;
    let (reason, again) = told(&exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err());
    assert_eq!(
        reason,
        "no endpoint for logs: set endpoint or logs_endpoint of exporters.otlp_http/test"
    );
    assert_eq!(again, None);
}
