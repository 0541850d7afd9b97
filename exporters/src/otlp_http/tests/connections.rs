//! Tests of connections: refused, broken and reused ones, and TLS.

use std::time::Duration;

use pipeline::Signal;
use pipeline::component::{Exporter, Tasks};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{exporter_to, ok};
use crate::otlp_client::testing::{
    RetryAdvice, ScriptedResponse, Server, TestCa, batch, build, closed_port, message_and_retry,
    start_exporter,
};
use crate::otlp_http::OtlpHttp;

#[tokio::test]
async fn a_refused_connection_is_retryable() {
    let (_closed, address) = closed_port();
    let exporter: OtlpHttp = start_exporter(json!({"endpoint": format!("http://{address}")})).await;
    let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
    let (reason, retry) = message_and_retry(&error);
    let expected = format!("cannot connect to http://{address}/v1/logs: ");
    assert!(reason.starts_with(&expected), "{reason}");
    assert!(reason.to_lowercase().contains("refused"), "{reason}");
    assert_eq!(retry, RetryAdvice::WithoutDelay);
}

#[tokio::test]
async fn a_broken_connection_is_retryable_and_reopened() {
    let script = vec![
        ScriptedResponse::CloseConnection,
        ScriptedResponse::AbortBody,
        ok(),
    ];
    let server = Server::responding(script).await;
    let exporter = exporter_to(&server, json!({})).await;
    for _ in 0..2 {
        let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
        let (reason, retry) = message_and_retry(&error);
        let expected = format!("the connection to http://{}/v1/logs broke", server.address);
        assert!(reason.starts_with(&expected), "{reason}");
        assert_eq!(retry, RetryAdvice::WithoutDelay);
    }
    exporter.export(&batch(Signal::Logs, 1)).await.unwrap();
}

#[tokio::test]
async fn the_attempt_after_an_abandoned_one_succeeds() {
    let server = Server::responding(vec![ScriptedResponse::Hang, ok()]).await;
    let exporter = exporter_to(&server, json!({})).await;
    let batch = batch(Signal::Logs, 1);
    let attempt = timeout(Duration::from_millis(300), exporter.export(&batch));
    assert!(attempt.await.is_err());
    exporter.export(&batch).await.unwrap();
}

#[tokio::test]
async fn a_connection_is_reused_unless_keep_alives_are_disabled() {
    for (disabled, same) in [(false, true), (true, false)] {
        let mut server = Server::responding(vec![ok()]).await;
        let exporter = exporter_to(&server, json!({"disable_keep_alives": disabled})).await;
        for _ in 0..2 {
            exporter.export(&batch(Signal::Logs, 1)).await.unwrap();
        }
        let (first, second) = (server.next_request().await, server.next_request().await);
        assert_eq!(first.peer == second.peer, same);
    }
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_an_error() {
    let (authority, other) = (TestCa::new("ours"), TestCa::new("other"));
    let mut server = Server::with_tls(vec![ok()], authority.server("127.0.0.1", None)).await;
    let endpoint = format!("https://{}", server.address);
    let with = |tls| start_exporter::<OtlpHttp>(json!({"endpoint": endpoint, "tls": tls}));

    let trusting = with(json!({"ca_pem": authority.pem})).await;
    trusting.export(&batch(Signal::Logs, 1)).await.unwrap();
    // Only HTTP/2 requests have an authority, so the server selected HTTP/2.
    assert!(server.next_request().await.authority.is_some());

    let wrong = with(json!({"ca_pem": other.pem})).await;
    let (reason, retry) =
        message_and_retry(&wrong.export(&batch(Signal::Logs, 1)).await.unwrap_err());
    assert!(reason.contains("UnknownIssuer"), "{reason}");
    assert_eq!(retry, RetryAdvice::WithoutDelay);

    let blind = with(json!({"ca_pem": other.pem, "insecure_skip_verify": true})).await;
    blind.export(&batch(Signal::Logs, 1)).await.unwrap();
}

#[tokio::test]
async fn the_client_certificate_is_sent_to_a_server_that_requires_it() {
    let (servers, clients) = (TestCa::new("servers"), TestCa::new("clients"));
    let tls = servers.server("collector.test", Some(&clients));
    let server = Server::with_tls(vec![ok()], tls).await;
    let endpoint = format!("https://{}", server.address);
    let name = "collector.test";
    let tls = json!({"ca_pem": servers.pem, "server_name_override": name});
    let anonymous: OtlpHttp = start_exporter(json!({"endpoint": endpoint, "tls": tls})).await;
    let (reason, retry) =
        message_and_retry(&anonymous.export(&batch(Signal::Logs, 1)).await.unwrap_err());
    assert!(reason.contains("CertificateRequired"), "{reason}");
    assert_eq!(retry, RetryAdvice::WithoutDelay);

    let client = clients.issue("airdig");
    let tls = json!({
        "ca_pem": servers.pem, "server_name_override": name,
        "cert_pem": client.certificate, "key_pem": client.key,
    });
    let authenticated: OtlpHttp = start_exporter(json!({"endpoint": endpoint, "tls": tls})).await;
    authenticated.export(&batch(Signal::Logs, 1)).await.unwrap();
}

#[tokio::test]
async fn tls_files_are_not_read_for_plain_text() {
    let config = |scheme: &str| json!({"endpoint": format!("{scheme}://a:1"), "tls": {"ca_file": "/missing"}});
    let mut plain: OtlpHttp = build(config("http"));
    plain.start(&mut Tasks::default()).await.unwrap();
    let mut tls: OtlpHttp = build(config("https"));
    let error = tls.start(&mut Tasks::default()).await.unwrap_err();
    assert!(
        error
            .reason
            .contains("exporters.otlp_http/test.tls.ca_file"),
        "{error}"
    );
}

#[tokio::test]
async fn a_response_before_the_end_of_the_request_is_read() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let exporter: OtlpHttp =
        start_exporter(json!({"endpoint": endpoint, "compression": "none", "encoding": "json"}))
            .await;
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut [0; 1024]).await.unwrap();
        let response =
            b"HTTP/1.1 413 Payload Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(response).await.unwrap();
        // Like nginx, the server keeps reading until the client closes the connection.
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    };
    // Several megabytes, which is more than the socket buffers hold.
    let batch = batch(Signal::Logs, 30_000);
    let (exported, ()) = tokio::join!(exporter.export(&batch), server);
    let (reason, retry) = message_and_retry(&exported.unwrap_err());
    assert!(reason.contains("413"), "{reason}");
    assert_eq!(retry, RetryAdvice::Never);
}
