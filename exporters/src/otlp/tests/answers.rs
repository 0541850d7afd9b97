use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use pipeline::component::Exporter;
use pipeline::{Delivery, Outcome, Signal};
use prost::Message;
use serde_json::json;
use tonic::{Code, Status};

use super::{ok, refusal, reply, to, with_retry_info};
use crate::otlp_client::testing::{Answer, Server, batch, told};

#[tokio::test]
async fn each_status_says_whether_to_send_again() {
    let again = Some(None);
    let rows = [
        (refusal(&Status::cancelled("x")), again),
        (refusal(&Status::deadline_exceeded("x")), again),
        (refusal(&Status::aborted("x")), again),
        (refusal(&Status::out_of_range("x")), again),
        (refusal(&Status::unavailable("x")), again),
        (refusal(&Status::data_loss("x")), again),
        (refusal(&Status::resource_exhausted("x")), None),
        (refusal(&Status::invalid_argument("x")), None),
        (refusal(&Status::unauthenticated("x")), None),
        (refusal(&Status::permission_denied("x")), None),
        (refusal(&Status::unimplemented("x")), None),
        (refusal(&Status::internal("x")), None),
        (refusal(&Status::unknown("x")), None),
        (with_retry_info(Code::ResourceExhausted, 7), Some(Some(7))),
        (with_retry_info(Code::Unavailable, 3), Some(Some(3))),
        (
            with_retry_info(Code::Unavailable, u64::MAX / 2),
            Some(Some(86400)),
        ),
        (with_retry_info(Code::Internal, 3), None),
    ];
    let (answers, expected): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let server = Server::answering(answers).await;
    let exporter = to(&server, json!({})).await;
    for (row, expected) in expected.into_iter().enumerate() {
        let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
        assert_eq!(told(&error).1, expected, "row {row}");
    }
}

#[tokio::test]
async fn an_error_says_who_answered_what() {
    let said = Status::invalid_argument("no\nname for Bearer hunter2");
    let server = Server::answering(vec![refusal(&said)]).await;
    let headers = json!({"headers": {"authorization": "Bearer hunter2"}});
    let exporter = to(&server, headers).await;
    assert!(!format!("{exporter:?}").contains("hunter2"));
    let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
    let expected = format!(
        "http://{} answered InvalidArgument: no name for [hidden]",
        server.address
    );
    assert_eq!(told(&error).0, expected);
}

#[tokio::test]
async fn a_status_in_trailers_counts_as_one_in_headers() {
    let trailers = vec![
        ("grpc-status", "14".into()),
        ("grpc-message", "busy".into()),
    ];
    let server = Server::answering(vec![reply(&[], trailers)]).await;
    let exporter = to(&server, json!({})).await;
    let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
    let (reason, again) = told(&error);
    assert!(reason.ends_with("answered Unavailable: busy"), "{reason}");
    assert_eq!(again, Some(None));
}

#[tokio::test]
async fn what_is_no_grpc_server_is_judged_by_its_http_status() {
    for (status, again) in [(400, None), (404, None), (500, None), (503, Some(None))] {
        let answer = Answer::Reply {
            status,
            headers: vec![("content-type", "text/html".into())],
            body: b"<html>".to_vec(),
            trailers: Vec::new(),
        };
        let server = Server::answering(vec![answer]).await;
        let exporter = to(&server, json!({})).await;
        let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
        assert_eq!(told(&error).1, again, "{status}");
    }
}

#[tokio::test]
async fn rejected_rows_are_told_to_those_who_wait() {
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        // Those of all signals are the same bytes.
        let partial = ExportTracePartialSuccess {
            rejected_spans: 2,
            error_message: "too old".into(),
        };
        let response = ExportTraceServiceResponse {
            partial_success: Some(partial),
        };
        let trailers = vec![("grpc-status", "0".into())];
        let server = Server::answering(vec![reply(&response.encode_to_vec(), trailers)]).await;
        let exporter = to(&server, json!({})).await;
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
async fn a_warning_rejects_nothing() {
    // Field 1: field 2 is "careful".
    let response = b"\x0a\x09\x12\x07careful";
    let trailers = vec![("grpc-status", "0".into())];
    let server = Server::answering(vec![reply(response, trailers)]).await;
    let exporter = to(&server, json!({})).await;
    let (delivery, receipt) = Delivery::new(None);
    let batch = batch(Signal::Logs, 3).with_delivery(delivery);
    exporter.export(&batch).await.unwrap();
    drop(batch);
    assert_eq!(receipt.await, Outcome::Delivered);
}

#[tokio::test]
async fn an_answer_that_is_no_otlp_is_still_a_success() {
    let trailers = || vec![("grpc-status", "0".into())];
    let noise = Answer::Reply {
        status: 200,
        headers: Vec::new(),
        body: b"noise".to_vec(),
        trailers: trailers(),
    };
    let server = Server::answering(vec![noise, reply(&[0xff; 9], trailers())]).await;
    let exporter = to(&server, json!({})).await;
    for _ in 0..2 {
        exporter.export(&batch(Signal::Logs, 1)).await.unwrap();
    }
}

#[tokio::test]
async fn a_huge_answer_is_not_read_to_its_end() {
    let huge = reply(&vec![0; 9 << 20], vec![("grpc-status", "0".into())]);
    let server = Server::answering(vec![huge, ok()]).await;
    let exporter = to(&server, json!({})).await;
    let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
    let (reason, again) = told(&error);
    assert!(
        reason.contains("answered more than 4194304 bytes"),
        "{reason}"
    );
    assert_eq!(again, None);
    exporter.export(&batch(Signal::Logs, 1)).await.unwrap();
}
