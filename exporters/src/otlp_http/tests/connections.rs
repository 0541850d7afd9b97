use std::time::Duration;

use pipeline::Signal;
use pipeline::component::{Exporter, Tasks};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{ok, to};
use crate::otlp_client::testing::{Answer, Authority, Server, batch, build, started, told};
use crate::otlp_http::OtlpHttp;

#[tokio::test]
async fn a_destination_that_is_not_there_yet_is_tried_again() {
    // Bound, so that no other test gets the port, and not listening.
    let closed = tokio::net::TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = closed.local_addr().unwrap();
    let exporter: OtlpHttp = started(json!({"endpoint": format!("http://{address}")})).await;
    let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
    let (reason, again) = told(&error);
    let expected = format!("cannot connect to http://{address}/v1/logs: ");
    assert!(reason.starts_with(&expected), "{reason}");
    assert!(reason.to_lowercase().contains("refused"), "{reason}");
    assert_eq!(again, Some(None));
}

#[tokio::test]
async fn a_connection_that_breaks_is_opened_again() {
    let answers = vec![Answer::Close, Answer::BreakOff, ok()];
    let server = Server::answering(answers).await;
    let exporter = to(&server, json!({})).await;
    for _ in 0..2 {
        let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
        let (reason, again) = told(&error);
        let expected = format!("the connection to http://{}/v1/logs broke", server.address);
        assert!(reason.starts_with(&expected), "{reason}");
        assert_eq!(again, Some(None));
    }
    exporter.export(&batch(Signal::Logs, 1)).await.unwrap();
}

#[tokio::test]
async fn an_attempt_that_hangs_may_be_dropped_and_the_next_one_works() {
    let server = Server::answering(vec![Answer::Hang, ok()]).await;
    let exporter = to(&server, json!({})).await;
    let batch = batch(Signal::Logs, 1);
    let attempt = timeout(Duration::from_millis(300), exporter.export(&batch));
    assert!(attempt.await.is_err());
    exporter.export(&batch).await.unwrap();
}

#[tokio::test]
async fn a_connection_is_used_again_unless_that_is_disabled() {
    for (disabled, same) in [(false, true), (true, false)] {
        let mut server = Server::answering(vec![ok()]).await;
        let exporter = to(&server, json!({"disable_keep_alives": disabled})).await;
        for _ in 0..2 {
            exporter.export(&batch(Signal::Logs, 1)).await.unwrap();
        }
        let (first, second) = (server.seen().await, server.seen().await);
        assert_eq!(first.peer == second.peer, same);
    }
}

#[tokio::test]
async fn the_right_authority_is_trusted_and_a_wrong_one_is_told() {
    let (authority, other) = (Authority::new("ours"), Authority::new("other"));
    let mut server = Server::with_tls(vec![ok()], authority.server("127.0.0.1", None)).await;
    let endpoint = format!("https://{}", server.address);
    let with = |tls| started::<OtlpHttp>(json!({"endpoint": endpoint, "tls": tls}));

    let trusting = with(json!({"ca_pem": authority.pem})).await;
    trusting.export(&batch(Signal::Logs, 1)).await.unwrap();
    // The server chose HTTP/2, which has an authority.
    assert!(server.seen().await.authority.is_some());

    let wrong = with(json!({"ca_pem": other.pem})).await;
    let (reason, again) = told(&wrong.export(&batch(Signal::Logs, 1)).await.unwrap_err());
    assert!(reason.contains("UnknownIssuer"), "{reason}");
    assert_eq!(again, Some(None));

    let blind = with(json!({"ca_pem": other.pem, "insecure_skip_verify": true})).await;
    blind.export(&batch(Signal::Logs, 1)).await.unwrap();
}

#[tokio::test]
async fn a_server_that_asks_for_our_certificate_gets_it() {
    let (servers, clients) = (Authority::new("servers"), Authority::new("clients"));
    let tls = servers.server("collector.test", Some(&clients));
    let server = Server::with_tls(vec![ok()], tls).await;
    let endpoint = format!("https://{}", server.address);
    let name = "collector.test";
    let tls = json!({"ca_pem": servers.pem, "server_name_override": name});
    let nobody: OtlpHttp = started(json!({"endpoint": endpoint, "tls": tls})).await;
    let (reason, again) = told(&nobody.export(&batch(Signal::Logs, 1)).await.unwrap_err());
    assert!(reason.contains("CertificateRequired"), "{reason}");
    assert_eq!(again, Some(None));

    let ours = clients.issue("airdig");
    let tls = json!({
        "ca_pem": servers.pem, "server_name_override": name,
        "cert_pem": ours.certificate, "key_pem": ours.key,
    });
    let known: OtlpHttp = started(json!({"endpoint": endpoint, "tls": tls})).await;
    known.export(&batch(Signal::Logs, 1)).await.unwrap();
}

#[tokio::test]
async fn files_of_tls_are_not_needed_for_plain_text() {
    let config = |scheme: &str| json!({"endpoint": format!("{scheme}://a:1"), "tls": {"ca_file": "/nowhere"}});
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
async fn an_answer_before_the_request_has_ended_is_heard() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let exporter: OtlpHttp =
        started(json!({"endpoint": endpoint, "compression": "none", "encoding": "json"})).await;
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut [0; 1024]).await.unwrap();
        let answer =
            b"HTTP/1.1 413 Payload Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        // As nginx does, which lingers until the client has read.
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    };
    // Some megabytes: more than the buffers of a socket hold.
    let batch = batch(Signal::Logs, 30_000);
    let (exported, ()) = tokio::join!(exporter.export(&batch), server);
    let (reason, again) = told(&exported.unwrap_err());
    assert!(reason.contains("413"), "{reason}");
    assert_eq!(again, None);
}
