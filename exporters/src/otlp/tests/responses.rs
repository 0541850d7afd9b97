//! Tests of responses: which errors are retried, and which rows were rejected.

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use pipeline::component::Exporter;
use pipeline::{Delivery, Outcome, Signal};
use prost::Message;
use serde_json::json;
use tonic::{Code, Status};

use super::{error_response, exporter_to, ok, reply, with_retry_info};
use crate::otlp_client::testing::{
    RetryAdvice, ScriptedResponse, Server, batch, message_and_retry,
};

#[tokio::test]
async fn the_status_decides_whether_to_retry() {
    let (retry, never) = (RetryAdvice::WithoutDelay, RetryAdvice::Never);
    let rows = [
        (error_response(&Status::cancelled("x")), retry),
        (error_response(&Status::deadline_exceeded("x")), retry),
        (error_response(&Status::aborted("x")), retry),
        (error_response(&Status::out_of_range("x")), retry),
        (error_response(&Status::unavailable("x")), retry),
        (error_response(&Status::data_loss("x")), retry),
        (error_response(&Status::resource_exhausted("x")), never),
        (error_response(&Status::invalid_argument("x")), never),
        (error_response(&Status::unauthenticated("x")), never),
        (error_response(&Status::permission_denied("x")), never),
        (error_response(&Status::unimplemented("x")), never),
        (error_response(&Status::internal("x")), never),
        (error_response(&Status::unknown("x")), never),
        (
            with_retry_info(Code::ResourceExhausted, 7),
            RetryAdvice::AfterSeconds(7),
        ),
        (
            with_retry_info(Code::Unavailable, 3),
            RetryAdvice::AfterSeconds(3),
        ),
        (
            with_retry_info(Code::Unavailable, u64::MAX / 2),
            RetryAdvice::AfterSeconds(86400),
        ),
        (with_retry_info(Code::Internal, 3), never),
    ];
    let (script, expected): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let server = Server::responding(script).await;
    let exporter = exporter_to(&server, json!({})).await;
    for (row, expected) in expected.into_iter().enumerate() {
        let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
        assert_eq!(message_and_retry(&error).1, expected, "row {row}");
    }
}

#[tokio::test]
async fn an_error_names_the_endpoint_and_its_status_and_hides_secrets() {
    let status = Status::invalid_argument("no\nname for Bearer hunter2");
    let server = Server::responding(vec![error_response(&status)]).await;
    let headers = json!({"headers": {"authorization": "Bearer hunter2"}});
    let exporter = exporter_to(&server, headers).await;
    assert!(!format!("{exporter:?}").contains("hunter2"));
    let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
    let expected = format!(
        "http://{} answered InvalidArgument: no name for [hidden]",
        server.address
    );
    assert_eq!(message_and_retry(&error).0, expected);
}

#[tokio::test]
async fn a_status_in_trailers_counts_like_a_status_in_headers() {
    let trailers = vec![
        ("grpc-status", "14".into()),
        ("grpc-message", "busy".into()),
    ];
    let server = Server::responding(vec![reply(&[], trailers)]).await;
    let exporter = exporter_to(&server, json!({})).await;
    let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
    let (reason, retry) = message_and_retry(&error);
    assert!(reason.ends_with("answered Unavailable: busy"), "{reason}");
    assert_eq!(retry, RetryAdvice::WithoutDelay);
}

#[tokio::test]
async fn without_a_grpc_status_the_http_status_decides_whether_to_retry() {
    for (status, retry) in [
        (400, RetryAdvice::Never),
        (404, RetryAdvice::Never),
        (500, RetryAdvice::Never),
        (503, RetryAdvice::WithoutDelay),
    ] {
        let response = ScriptedResponse::Reply {
            status,
            headers: vec![("content-type", "text/html".into())],
            body: b"<html>".to_vec(),
            trailers: Vec::new(),
        };
        let server = Server::responding(vec![response]).await;
        let exporter = exporter_to(&server, json!({})).await;
        let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
        assert_eq!(message_and_retry(&error).1, retry, "{status}");
    }
}

#[tokio::test]
async fn rejected_rows_are_reported_to_the_sender() {
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        // The responses of all signals have the same encoding.
        let partial = ExportTracePartialSuccess {
            rejected_spans: 2,
            error_message: "too old".into(),
        };
        let response = ExportTraceServiceResponse {
            partial_success: Some(partial),
        };
        let trailers = vec![("grpc-status", "0".into())];
        let server = Server::responding(vec![reply(&response.encode_to_vec(), trailers)]).await;
        let exporter = exporter_to(&server, json!({})).await;
        let (delivery, receipt) = Delivery::new(None);
        let batch = batch(signal, 3).with_delivery(delivery);
        exporter.export(&batch).await.unwrap();
        drop(batch);
        let reason = format!("http://{} rejected rows: too old", server.address);
        let expected = Outcome::Partial {
            rejected_rows: 2,
            reason,
        };
        assert_eq!(receipt.await, expected);
    }
}

#[tokio::test]
async fn a_partial_success_without_rejected_rows_rejects_nothing() {
    // A `partial_success` with the message "careful" and without a count.
    let response = b"\x0a\x09\x12\x07careful";
    let trailers = vec![("grpc-status", "0".into())];
    let server = Server::responding(vec![reply(response, trailers)]).await;
    let exporter = exporter_to(&server, json!({})).await;
    let (delivery, receipt) = Delivery::new(None);
    let batch = batch(Signal::Logs, 3).with_delivery(delivery);
    exporter.export(&batch).await.unwrap();
    drop(batch);
    assert_eq!(receipt.await, Outcome::Delivered);
}

#[tokio::test]
async fn a_success_with_an_invalid_body_is_a_success() {
    let trailers = || vec![("grpc-status", "0".into())];
    let noise = ScriptedResponse::Reply {
        status: 200,
        headers: Vec::new(),
        body: b"noise".to_vec(),
        trailers: trailers(),
    };
    let server = Server::responding(vec![noise, reply(&[0xff; 9], trailers())]).await;
    let exporter = exporter_to(&server, json!({})).await;
    for _ in 0..2 {
        exporter.export(&batch(Signal::Logs, 1)).await.unwrap();
    }
}

#[tokio::test]
async fn a_response_above_the_size_limit_is_a_permanent_error() {
    let huge = reply(&vec![0; 9 << 20], vec![("grpc-status", "0".into())]);
    let server = Server::responding(vec![huge, ok()]).await;
    let exporter = exporter_to(&server, json!({})).await;
    let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
    let (reason, retry) = message_and_retry(&error);
    assert!(reason.contains("exceeds 4194304 bytes"), "{reason}");
    assert_eq!(retry, RetryAdvice::Never);
    exporter.export(&batch(Signal::Logs, 1)).await.unwrap();
}
