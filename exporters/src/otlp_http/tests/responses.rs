//! Tests of responses: which errors are retried, and which rows were rejected.

use std::time::{Duration, SystemTime};

use pipeline::component::Exporter;
use pipeline::{Delivery, Outcome, Signal};
use prost::Message;
use serde_json::json;

use super::{exporter_to, of_type, ok, reply};
use crate::otlp_client::testing::{RetryAdvice, Server, batch, message_and_retry};

#[tokio::test]
async fn the_status_decides_whether_to_retry() {
    let after = |text: &str| vec![("retry-after", text.to_owned())];
    let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(600));
    let never = RetryAdvice::Never;
    let rows = [
        (reply(400, Vec::new(), ""), never),
        (reply(401, Vec::new(), ""), never),
        (reply(404, Vec::new(), ""), never),
        (reply(413, after("9"), ""), never),
        (reply(301, vec![("location", "/".into())], ""), never),
        (reply(500, Vec::new(), ""), never),
        (reply(501, Vec::new(), ""), never),
        (reply(429, Vec::new(), ""), RetryAdvice::WithoutDelay),
        (reply(429, after("7"), ""), RetryAdvice::AfterSeconds(7)),
        (reply(502, Vec::new(), ""), RetryAdvice::WithoutDelay),
        (reply(503, after("0"), ""), RetryAdvice::AfterSeconds(0)),
        (reply(504, after("never"), ""), RetryAdvice::WithoutDelay),
        (reply(429, after(&soon), ""), RetryAdvice::AfterSeconds(599)),
    ];
    let (script, expected): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let server = Server::responding(script).await;
    let exporter = exporter_to(&server, json!({})).await;
    for (row, expected) in expected.into_iter().enumerate() {
        let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
        let (_, retry) = message_and_retry(&error);
        // The delay until a date depends on the clock, and the test may be slow.
        let retry = match retry {
            RetryAdvice::AfterSeconds(seconds) if seconds > 500 => RetryAdvice::AfterSeconds(599),
            other => other,
        };
        assert_eq!(retry, expected, "row {row}");
    }
}

#[tokio::test]
async fn an_error_names_the_url_and_the_status_and_hides_secrets() {
    let status = tonic_types::Status {
        code: 3,
        message: "no name".into(),
        details: Vec::new(),
    };
    let protobuf = status.encode_to_vec();
    let rows = [
        (of_type("application/x-protobuf"), protobuf, ": no name"),
        (
            of_type("application/json"),
            b"{\"code\":3,\"message\":\"no name\"}".to_vec(),
            ": no name",
        ),
        (
            of_type("application/json; charset=utf-8"),
            b"{\"error\":1}".to_vec(),
            ": {\"error\":1}",
        ),
        (
            of_type("text/plain; charset=utf-8"),
            b"out of\norder for hunter2".to_vec(),
            ": out of order for [hidden]",
        ),
        (of_type("text/html"), b"<html>".to_vec(), ""),
    ];
    for (headers, body, expected) in rows {
        let server = Server::responding(vec![reply(400, headers, body)]).await;
        let address = server.address;
        let keys = json!({
            "headers": {"authorization": "Bearer hunter2"},
            "logs_endpoint": format!("http://me:password@{address}/v1/logs?key=token"),
        });
        let exporter = exporter_to(&server, keys).await;
        let shown = format!("{exporter:?}");
        for secret in ["hunter2", "password", "token"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
        let expected = format!("http://{address}/v1/logs answered 400 Bad Request{expected}");
        assert_eq!(message_and_retry(&error).0, expected);
    }
}

#[tokio::test]
async fn rejected_rows_are_reported_to_the_sender() {
    // A `partial_success` with 2 rejected rows and the message "old".
    let protobuf = b"\x0a\x07\x08\x02\x12\x03old";
    let rows = [
        (Signal::Traces, "rejectedSpans"),
        (Signal::Metrics, "rejectedDataPoints"),
        (Signal::Logs, "rejectedLogRecords"),
    ];
    for (signal, key) in rows {
        let json = format!("{{\"partialSuccess\":{{\"{key}\":\"2\",\"errorMessage\":\"old\"}}}}");
        let script = vec![
            reply(200, of_type("application/x-protobuf"), *protobuf),
            reply(200, of_type("application/json"), json),
        ];
        let server = Server::responding(script).await;
        let exporter = exporter_to(&server, json!({})).await;
        for _ in 0..2 {
            let (delivery, receipt) = Delivery::new(None);
            let batch = batch(signal, 3).with_delivery(delivery);
            exporter.export(&batch).await.unwrap();
            drop(batch);
            let reason = format!("http://{}/v1/{signal} rejected rows: old", server.address);
            let expected = Outcome::Partial {
                rejected_rows: 2,
                reason,
            };
            assert_eq!(receipt.await, expected);
        }
    }
}

#[tokio::test]
async fn rejected_rows_are_limited_to_the_rows_of_the_batch() {
    let json = r#"{"partialSuccess":{"rejectedLogRecords":"999"}}"#;
    let server = Server::responding(vec![reply(200, of_type("application/json"), json)]).await;
    let exporter = exporter_to(&server, json!({})).await;
    let (delivery, receipt) = Delivery::new(None);
    let batch = batch(Signal::Logs, 3).with_delivery(delivery);
    exporter.export(&batch).await.unwrap();
    drop(batch);
    let outcome = receipt.await;
    assert!(
        matches!(
            outcome,
            Outcome::Partial {
                rejected_rows: 3,
                ..
            }
        ),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_success_with_any_body_is_a_success() {
    let script = vec![
        reply(202, Vec::new(), "noise"),
        reply(204, Vec::new(), ""),
        reply(200, of_type("application/x-protobuf"), [0xff; 9]),
        reply(200, of_type("application/json"), "{"),
        reply(200, of_type("application/json"), vec![b'x'; 20 << 20]),
        ok(),
    ];
    let count = script.len();
    let server = Server::responding(script).await;
    let exporter = exporter_to(&server, json!({})).await;
    for _ in 0..count {
        exporter.export(&batch(Signal::Logs, 1)).await.unwrap();
    }
}

#[tokio::test]
async fn a_huge_error_message_is_cut() {
    let huge = reply(400, of_type("text/plain"), vec![b'x'; 20 << 20]);
    let server = Server::responding(vec![huge]).await;
    let exporter = exporter_to(&server, json!({})).await;
    let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
    assert!(message_and_retry(&error).0.len() < 1000);
}
