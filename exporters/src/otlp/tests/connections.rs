use std::time::Duration;

use pipeline::Signal;
use pipeline::component::{Exporter, Tasks};
use serde_json::json;
use tokio::time::timeout;

use super::{ok, to};
use crate::otlp::Otlp;
use crate::otlp_client::testing::{Answer, Authority, Server, batch, build, started, told};

#[tokio::test]
async fn a_destination_that_is_not_there_yet_is_tried_again() {
    // Bound, so that no other test gets the port, and not listening.
    let closed = tokio::net::TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = closed.local_addr().unwrap();
    let exporter: Otlp = started(json!({"endpoint": format!("http://{address}")})).await;
    for _ in 0..2 {
        let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
        let (reason, again) = told(&error);
        let expected = format!("cannot connect to http://{address}: ");
        assert!(reason.starts_with(&expected), "{reason}");
        assert!(reason.to_lowercase().contains("refused"), "{reason}");
        assert_eq!(again, Some(None));
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_opened_again() {
    let answers = vec![Answer::Close, Answer::BreakOff, ok()];
    let server = Server::answering(answers).await;
    let exporter = to(&server, json!({})).await;
    for _ in 0..2 {
        let error = exporter.export(&batch(Signal::Logs, 1)).await.unwrap_err();
        let (reason, again) = told(&error);
        let expected = format!("the connection to http://{} broke", server.address);
        assert!(reason.starts_with(&expected), "{reason}");
        assert_eq!(again, Some(None));
    }
    exporter.export(&batch(Signal::Logs, 1)).await.unwrap();
}

#[tokio::test]
async fn an_attempt_that_hangs_may_be_dropped_and_the_next_one_works() {
    let mut server = Server::answering(vec![Answer::Hang, ok()]).await;
    let exporter = to(&server, json!({})).await;
    let batch = batch(Signal::Logs, 1);
    let attempt = timeout(Duration::from_millis(300), exporter.export(&batch));
    assert!(attempt.await.is_err());
    exporter.export(&batch).await.unwrap();
    // The connection was not lost.
    let (first, second) = (server.seen().await, server.seen().await);
    assert_eq!(first.peer, second.peer);
}

#[tokio::test]
async fn requests_under_way_share_one_connection() {
    let mut server = Server::answering(vec![Answer::Hang, Answer::Hang, ok()]).await;
    let exporter = to(&server, json!({})).await;
    let batch = batch(Signal::Logs, 1);
    let mut hanging = Box::pin(async {
        let _ = tokio::join!(exporter.export(&batch), exporter.export(&batch));
    });
    let answered = async {
        let peers = [server.seen().await.peer, server.seen().await.peer];
        exporter.export(&batch).await.unwrap();
        assert_eq!([server.seen().await.peer; 2], peers);
    };
    tokio::select! {
        _ = &mut hanging => panic!("nobody answered"),
        () = answered => {}
    }
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_does_not_hold_up_the_next_attempt() {
    // Plain TCP in place of TLS: the handshake hangs.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    let yaml = json!({"endpoint": endpoint, "tls": {"insecure_skip_verify": true}});
    let exporter: Otlp = started(yaml).await;
    let batch = batch(Signal::Logs, 1);
    let attempt = timeout(Duration::from_millis(300), exporter.export(&batch));
    assert!(attempt.await.is_err());
    // Now it closes: what waits next is told, and not left waiting.
    let (stream, _) = listener.accept().await.unwrap();
    drop((stream, listener));
    let next = timeout(Duration::from_secs(5), exporter.export(&batch)).await;
    assert!(matches!(told(&next.unwrap().unwrap_err()), (_, Some(None))));
}

#[tokio::test]
async fn the_right_authority_is_trusted_and_a_wrong_one_is_told() {
    let (authority, other) = (Authority::new("ours"), Authority::new("other"));
    let server = Server::with_tls(vec![ok()], authority.server("127.0.0.1", None)).await;
    let endpoint = format!("https://{}", server.address);
    let with = |tls| started::<Otlp>(json!({"endpoint": endpoint, "tls": tls}));

    let trusting = with(json!({"ca_pem": authority.pem})).await;
    trusting.export(&batch(Signal::Logs, 1)).await.unwrap();

    let wrong = with(json!({"ca_pem": other.pem})).await;
    let (reason, again) = told(&wrong.export(&batch(Signal::Logs, 1)).await.unwrap_err());
    assert!(
        reason.starts_with(&format!("cannot connect to {endpoint}")),
        "{reason}"
    );
    assert!(reason.contains("UnknownIssuer"), "{reason}");
    assert_eq!(again, Some(None));

    let blind = with(json!({"ca_pem": other.pem, "insecure_skip_verify": true})).await;
    blind.export(&batch(Signal::Logs, 1)).await.unwrap();
}

#[tokio::test]
async fn a_name_that_the_certificate_lacks_is_told_and_may_be_overridden() {
    let authority = Authority::new("ours");
    let mut server = Server::with_tls(vec![ok()], authority.server("tempo.test", None)).await;
    let endpoint = format!("https://{}", server.address);
    let strict: Otlp =
        started(json!({"endpoint": endpoint, "tls": {"ca_pem": authority.pem}})).await;
    let (reason, _) = told(&strict.export(&batch(Signal::Logs, 1)).await.unwrap_err());
    assert!(reason.contains("not valid for name"), "{reason}");

    let tls = json!({"ca_pem": authority.pem, "server_name_override": "tempo.test"});
    let named: Otlp = started(json!({"endpoint": endpoint, "tls": tls})).await;
    named.export(&batch(Signal::Logs, 1)).await.unwrap();
    assert_eq!(server.seen().await.authority.unwrap(), "tempo.test");

    let tls = json!({"ca_pem": authority.pem});
    let yaml = json!({"endpoint": endpoint, "tls": tls, "authority": "tempo.test:443"});
    let asked: Otlp = started(yaml).await;
    asked.export(&batch(Signal::Logs, 1)).await.unwrap();
    assert_eq!(server.seen().await.authority.unwrap(), "tempo.test:443");
}

#[tokio::test]
async fn a_server_that_asks_for_our_certificate_gets_it() {
    let (servers, clients) = (Authority::new("servers"), Authority::new("clients"));
    let tls = servers.server("127.0.0.1", Some(&clients));
    let server = Server::with_tls(vec![ok()], tls).await;
    let endpoint = format!("https://{}", server.address);
    let nobody: Otlp = started(json!({"endpoint": endpoint, "tls": {"ca_pem": servers.pem}})).await;
    let (reason, again) = told(&nobody.export(&batch(Signal::Logs, 1)).await.unwrap_err());
    assert!(reason.contains("CertificateRequired"), "{reason}");
    assert_eq!(again, Some(None));

    let ours = clients.issue("airdig");
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&cert, ours.certificate).unwrap();
    std::fs::write(&key, ours.key).unwrap();
    let tls = json!({"ca_pem": servers.pem, "cert_file": cert, "key_file": key});
    let known: Otlp = started(json!({"endpoint": endpoint, "tls": tls})).await;
    known.export(&batch(Signal::Logs, 1)).await.unwrap();
}

#[tokio::test]
async fn a_missing_file_stops_the_start_with_its_key() {
    let yaml = json!({"endpoint": "https://a:1", "tls": {"ca_file": "/nowhere/ca.pem"}});
    let mut exporter: Otlp = build(yaml);
    let error = exporter.start(&mut Tasks::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read /nowhere/ca.pem; set exporters.otlp/test.tls.ca_file"
    );
}
