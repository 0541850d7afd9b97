//! Tests of TLS: versions, client certificates and stalled handshakes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use pipeline::SignalSet;
use pipeline::channel::{Output, channel};
use pipeline::component::Receiver;
use pipeline::tls::ClientConfig;
use prost::Message;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::Endpoint;

use super::service::{Running, build, drain, run_with, spans};

/// A certificate authority.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Authority { issuer, pem }
    }

    /// A certificate and its key, as `tls` settings.
    fn issue(&self, host: &str) -> Value {
        let params = CertificateParams::new([host.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        json!({"cert_pem": certificate, "key_pem": key.serialize_pem()})
    }
}

/// Runs a receiver that serves both protocols with these `tls` settings.
async fn run_tls(tls: &Value) -> Running {
    let (sender, queue) = channel("pipelines/test", SignalSet::TELEMETRY, 1 << 20);
    let served = json!({"endpoint": "127.0.0.1:0", "tls": tls});
    let protocols = json!({"grpc": served, "http": served});
    let running = run_with(protocols, Output::new(vec![sender])).await;
    drain(queue, |_| {});
    running
}

async fn handshake(
    address: SocketAddr,
    tls: &Value,
    protocol: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let config: ClientConfig = serde_json::from_value(tls.clone()).unwrap();
    let mut config = config.load("test.tls").unwrap();
    config.alpn_protocols = vec![protocol.into()];
    let stream = TcpStream::connect(address).await?;
    let name = address.ip().into();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

/// Posts one span over HTTP/1.1 and returns the first line of the response.
async fn post(address: SocketAddr, tls: &Value) -> std::io::Result<String> {
    let mut stream = handshake(address, tls, "http/1.1").await?;
    let body = spans(1).encode_to_vec();
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await?;
    let response = String::from_utf8(response).unwrap();
    Ok(response.lines().next().unwrap_or_default().to_owned())
}

/// Sends one span over gRPC.
async fn export(address: SocketAddr, tls: &Value) -> Result<(), String> {
    let tls = tls.clone();
    let connector = tower::service_fn(move |_| {
        let tls = tls.clone();
        async move { handshake(address, &tls, "h2").await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://receiver");
    let channel = endpoint.connect_with_connector(connector).await;
    let mut client = TraceServiceClient::new(channel.map_err(|error| format!("{error:?}"))?);
    let response = client.export(spans(1)).await;
    response.map(drop).map_err(|status| format!("{status:?}"))
}

#[tokio::test]
async fn both_protocols_are_served_with_tls() {
    let authority = Authority::new("ours");
    for version in ["1.2", "1.3"] {
        let mut tls = authority.issue("127.0.0.1");
        tls["min_version"] = version.into();
        tls["max_version"] = version.into();
        let running = run_tls(&tls).await;
        let trusting = json!({"ca_pem": authority.pem});
        export(running.grpc, &trusting).await.unwrap();
        let response = post(running.http, &trusting).await.unwrap();
        assert_eq!(response, "HTTP/1.1 200 OK");
    }
}

#[tokio::test]
async fn tls_version_below_the_minimum_is_rejected() {
    let authority = Authority::new("ours");
    let mut tls = authority.issue("127.0.0.1");
    tls["min_version"] = "1.3".into();
    let running = run_tls(&tls).await;
    let old = json!({"ca_pem": authority.pem, "max_version": "1.2"});
    let error = post(running.http, &old).await.unwrap_err().to_string();
    assert!(error.contains("ProtocolVersion"), "{error}");
}

#[tokio::test]
async fn client_without_a_trusted_certificate_is_rejected() {
    let (servers, clients, others) = (
        Authority::new("servers"),
        Authority::new("clients"),
        Authority::new("others"),
    );
    let file = std::env::temp_dir().join(format!("airdig-clients-{}.pem", std::process::id()));
    std::fs::write(&file, &clients.pem).unwrap();
    let mut tls = servers.issue("127.0.0.1");
    tls["client_ca_file"] = file.to_str().unwrap().into();
    let running = run_tls(&tls).await;
    std::fs::remove_file(&file).unwrap();

    let without_certificate = json!({"ca_pem": servers.pem});
    let error = export(running.grpc, &without_certificate)
        .await
        .unwrap_err();
    assert!(error.contains("CertificateRequired"), "{error}");
    let error = post(running.http, &without_certificate)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("CertificateRequired"), "{error}");

    let mut unknown = others.issue("unknown");
    unknown["ca_pem"] = servers.pem.clone().into();
    let error = post(running.http, &unknown).await.unwrap_err().to_string();
    assert!(error.contains("UnknownCA"), "{error}");

    let mut known = clients.issue("known");
    known["ca_pem"] = servers.pem.into();
    export(running.grpc, &known).await.unwrap();
    assert_eq!(post(running.http, &known).await.unwrap(), "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn plain_text_and_silent_clients_do_not_block_others() {
    let authority = Authority::new("ours");
    let running = run_tls(&authority.issue("127.0.0.1")).await;
    let silent = TcpStream::connect(running.http).await.unwrap();
    let trusting = json!({"ca_pem": authority.pem});
    let silent_after_handshake = handshake(running.http, &trusting, "http/1.1")
        .await
        .unwrap();
    let mut plain = TcpStream::connect(running.http).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut received = Vec::new();
    let _ = plain.read_to_end(&mut received).await;
    assert!(!received.starts_with(b"HTTP"));
    let response = post(running.http, &trusting).await.unwrap();
    assert_eq!(response, "HTTP/1.1 200 OK");
    // The silent clients do not delay the stop either.
    running.stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(5), running.task).await;
    ended.expect("the receiver ends").unwrap().unwrap();
    drop((silent, silent_after_handshake));
}

#[tokio::test]
async fn stalled_handshake_times_out() {
    let authority = Authority::new("ours");
    let running = run_tls(&authority.issue("127.0.0.1")).await;
    let mut silent = TcpStream::connect(running.grpc).await.unwrap();
    let mut byte = [0];
    let read = tokio::time::timeout(Duration::from_secs(20), silent.read(&mut byte));
    assert_eq!(read.await.expect("the receiver closes").unwrap(), 0);
}

#[tokio::test]
async fn missing_tls_file_is_a_start_error_that_names_its_key() {
    let tls = json!({"cert_file": "/missing/a.pem", "key_file": "/missing/a.key"});
    let mut otlp = build(&json!({"grpc": {"endpoint": "127.0.0.1:0", "tls": tls}}));
    assert_eq!(
        otlp.start().await.unwrap_err().to_string(),
        "cannot read /missing/a.pem, the file of receivers.otlp/test.protocols.grpc.tls.cert_file"
    );
}
