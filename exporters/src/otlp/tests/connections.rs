//! Tests of connections: refused, broken and shared ones, and TLS.

use std::time::Duration;

use pipeline::Signal;
use pipeline::component::{Exporter, Tasks};
use serde_json::json;
use tokio::time::timeout;

use super::{exporter_to, ok};
use crate::otlp::Otlp;
use crate::otlp_client::testing::{
    RetryAdvice, ScriptedResponse, Server, TestCa, batch, build, closed_port, message_and_retry,
    start_exporter,
};

#[tokio::test]
async fn a_refused_connection_is_retryable() {
    let (_closed, address) = closed_port();
    let exporter: Otlp = start_exporter(json!({"endpoint": format!("http://{address}")})).await;
    for _ in 0..2 {
        let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
        let (reason, retry) = message_and_retry(&error);
        let expected = format!("cannot connect to http://{address}: ");
        assert!(reason.starts_with(&expected), "{reason}");
        assert!(reason.to_lowercase().contains("refused"), "{reason}");
        assert_eq!(retry, RetryAdvice::WithoutDelay);
    }
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
        let expected = format!("the connection to http://{} broke", server.address);
        assert!(reason.starts_with(&expected), "{reason}");
        assert_eq!(retry, RetryAdvice::WithoutDelay);
    }
    exporter.export(&batch(Signal::Logs, 1)).await.unwrap();
}

#[tokio::test]
async fn the_connection_of_an_abandoned_attempt_is_reused() {
    let mut server = Server::responding(vec![ScriptedResponse::Hang, ok()]).await;
    let exporter = exporter_to(&server, json!({})).await;
    let batch = batch(Signal::Logs, 1);
    let attempt = timeout(Duration::from_millis(300), exporter.export(&batch));
    assert!(attempt.await.is_err());
    exporter.export(&batch).await.unwrap();
    let (first, second) = (server.next_request().await, server.next_request().await);
    assert_eq!(first.peer, second.peer);
}

#[tokio::test]
async fn requests_in_flight_share_one_connection() {
    let mut server =
        Server::responding(vec![ScriptedResponse::Hang, ScriptedResponse::Hang, ok()]).await;
    let exporter = exporter_to(&server, json!({})).await;
    let batch = batch(Signal::Logs, 1);
    let mut hanging = Box::pin(async {
        let _ = tokio::join!(exporter.export(&batch), exporter.export(&batch));
    });
    let third_request = async {
        let peers = [
            server.next_request().await.peer,
            server.next_request().await.peer,
        ];
        exporter.export(&batch).await.unwrap();
        assert_eq!([server.next_request().await.peer; 2], peers);
    };
    tokio::select! {
        _ = &mut hanging => panic!("requests without a response completed"),
        () = third_request => {}
    }
}

#[tokio::test]
async fn a_hanging_tls_handshake_does_not_block_later_attempts() {
    // The server does not answer, so the TLS handshake hangs.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    let yaml = json!({"endpoint": endpoint, "tls": {"insecure_skip_verify": true}});
    let exporter: Otlp = start_exporter(yaml).await;
    let batch = batch(Signal::Logs, 1);
    let attempt = timeout(Duration::from_millis(300), exporter.export(&batch));
    assert!(attempt.await.is_err());
    // The server closes the connection, so the next attempt must fail instead of hanging.
    let (stream, _) = listener.accept().await.unwrap();
    drop((stream, listener));
    let next = timeout(Duration::from_secs(5), exporter.export(&batch)).await;
    assert!(matches!(
        message_and_retry(&next.unwrap().unwrap_err()),
        (_, RetryAdvice::WithoutDelay)
    ));
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_an_error() {
    let (authority, other) = (TestCa::new("ours"), TestCa::new("other"));
    let server = Server::with_tls(vec![ok()], authority.server("127.0.0.1", None)).await;
    let endpoint = format!("https://{}", server.address);
    let with = |tls| start_exporter::<Otlp>(json!({"endpoint": endpoint, "tls": tls}));

    let trusting = with(json!({"ca_pem": authority.pem})).await;
    trusting.export(&batch(Signal::Logs, 1)).await.unwrap();

    let wrong = with(json!({"ca_pem": other.pem})).await;
    let (reason, retry) =
        message_and_retry(&wrong.export(&batch(Signal::Logs, 1)).await.unwrap_err());
    assert!(
        reason.starts_with(&format!("cannot connect to {endpoint}")),
        "{reason}"
    );
    assert!(reason.contains("UnknownIssuer"), "{reason}");
    assert_eq!(retry, RetryAdvice::WithoutDelay);

    let blind = with(json!({"ca_pem": other.pem, "insecure_skip_verify": true})).await;
    blind.export(&batch(Signal::Logs, 1)).await.unwrap();
}

#[tokio::test]
async fn a_certificate_for_another_name_is_an_error_unless_the_name_is_overridden() {
    let authority = TestCa::new("ours");
    let mut server = Server::with_tls(vec![ok()], authority.server("tempo.test", None)).await;
    let endpoint = format!("https://{}", server.address);
    let strict: Otlp =
        start_exporter(json!({"endpoint": endpoint, "tls": {"ca_pem": authority.pem}})).await;
    let (reason, _) = message_and_retry(&strict.export(&batch(Signal::Logs, 1)).await.unwrap_err());
    assert!(reason.contains("not valid for name"), "{reason}");

    let tls = json!({"ca_pem": authority.pem, "server_name_override": "tempo.test"});
    let named: Otlp = start_exporter(json!({"endpoint": endpoint, "tls": tls})).await;
    named.export(&batch(Signal::Logs, 1)).await.unwrap();
    assert_eq!(server.next_request().await.authority.unwrap(), "tempo.test");

    let tls = json!({"ca_pem": authority.pem});
    let yaml = json!({"endpoint": endpoint, "tls": tls, "authority": "tempo.test:443"});
    let with_authority: Otlp = start_exporter(yaml).await;
    with_authority
        .export(&batch(Signal::Logs, 1))
        .await
        .unwrap();
    assert_eq!(
        server.next_request().await.authority.unwrap(),
        "tempo.test:443"
    );
}

#[tokio::test]
async fn the_client_certificate_is_sent_to_a_server_that_requires_it() {
    let (servers, clients) = (TestCa::new("servers"), TestCa::new("clients"));
    let tls = servers.server("127.0.0.1", Some(&clients));
    let server = Server::with_tls(vec![ok()], tls).await;
    let endpoint = format!("https://{}", server.address);
    let anonymous: Otlp =
        start_exporter(json!({"endpoint": endpoint, "tls": {"ca_pem": servers.pem}})).await;
    let (reason, retry) =
        message_and_retry(&anonymous.export(&batch(Signal::Logs, 1)).await.unwrap_err());
    assert!(reason.contains("CertificateRequired"), "{reason}");
    assert_eq!(retry, RetryAdvice::WithoutDelay);

    let client = clients.issue("airdig");
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&cert, client.certificate).unwrap();
    std::fs::write(&key, client.key).unwrap();
    let tls = json!({"ca_pem": servers.pem, "cert_file": cert, "key_file": key});
    let authenticated: Otlp = start_exporter(json!({"endpoint": endpoint, "tls": tls})).await;
    authenticated.export(&batch(Signal::Logs, 1)).await.unwrap();
}

#[tokio::test]
async fn a_missing_tls_file_is_a_start_error_that_names_its_key() {
    let yaml = json!({"endpoint": "https://a:1", "tls": {"ca_file": "/missing/ca.pem"}});
    let mut exporter: Otlp = build(yaml);
    let error = exporter.start(&mut Tasks::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read /missing/ca.pem, the file of exporters.otlp/test.tls.ca_file"
    );
}
