//! Two airdig processes write one file.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket, connect};

use crate::support::{Airdig, eventually, post};

const CONFIG: &str = r#"
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
processors:
  identity: {}
exporters:
  sqlite: {path: "${env:OUT}/graph.db"}
  graphql: {endpoint: "127.0.0.1:0", store: sqlite}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [identity], exporters: [sqlite, graphql]}
"#;

fn start(folder: &Path) -> Airdig {
    let config = folder.join("airdig.yaml");
    fs::write(&config, CONFIG).unwrap();
    Airdig::start(&config, &[("OUT", folder)])
}

/// The URL at which a process receives traces.
fn traces_url(airdig: &Airdig) -> String {
    let address = airdig.address("receivers/otlp", "http");
    format!("http://{address}/v1/traces")
}

/// One span of a service.
fn span(service: &str) -> Vec<u8> {
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    let start = now.as_nanos() as u64;
    let request = json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
        "scopeSpans": [{"spans": [{
            "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "work",
            "kind": 2, "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + 1000).to_string()
        }]}]
    }]});
    request.to_string().into_bytes()
}

/// A subscription to all changes that is active.
struct Subscriber(WebSocket<MaybeTlsStream<TcpStream>>);

impl Subscriber {
    fn new(airdig: &Airdig) -> Subscriber {
        let address = airdig.address("exporters/graphql", "http");
        let request = format!("ws://{address}/graphql").into_client_request();
        let mut request = request.unwrap();
        let protocol = "graphql-transport-ws".parse().unwrap();
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", protocol);
        let (socket, _) = connect(request).unwrap();
        let mut subscriber = Subscriber(socket);
        subscriber.send(&json!({"type": "connection_init"}));
        assert_eq!(subscriber.next()["type"], "connection_ack");
        let query = "subscription { changes { uids } }";
        subscriber.send(&json!({"type": "subscribe", "id": "1", "payload": {"query": query}}));
        // Responses have the order of requests: the subscription is active when the second request has a response.
        let query = "{ __typename }";
        subscriber.send(&json!({"type": "subscribe", "id": "2", "payload": {"query": query}}));
        while subscriber.next()["id"] != "2" {}
        subscriber
    }

    fn send(&mut self, message: &Json) {
        let message = Message::text(message.to_string());
        self.0.send(message).unwrap();
    }

    fn next(&mut self) -> Json {
        loop {
            if let Message::Text(text) = self.0.read().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// Reads until a commit names the uid.
    fn wait_for(&mut self, uid: &str) {
        loop {
            let pushed = self.next();
            let uids = &pushed["payload"]["data"]["changes"]["uids"];
            let mut uids = uids.as_array().into_iter().flatten();
            if uids.any(|pushed| pushed == uid) {
                return;
            }
        }
    }
}

#[test]
fn each_process_pushes_commits_of_the_other_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let processes = [start(folder.path()), start(folder.path())];
    let mut subscribers = [0, 1].map(|place: usize| Subscriber::new(&processes[place]));
    for round in 0..3 {
        for (writer, reader) in [(0, 1), (1, 0)] {
            let service = format!("written-by-{writer}-{round}");
            let (status, answer) = post(
                &traces_url(&processes[writer]),
                "application/json",
                &span(&service),
            );
            assert_eq!(status, 200, "{answer}");
            let acknowledged = Instant::now();
            subscribers[reader].wait_for(&format!("svc:////{service}"));
            let waited = acknowledged.elapsed();
            assert!(waited < Duration::from_secs(1), "{service}: {waited:?}");
        }
    }
}

/// Sends one span per service until `stop` is set or the process is gone. Returns the services whose request was
/// acknowledged.
fn send(url: &str, writer: &str, stop: &AtomicBool) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let service = format!("{writer}-{number}");
        let request = ureq::post(url).content_type("application/json");
        match request.send(&span(&service)) {
            Ok(response) if response.status() == 200 => acknowledged.push(service),
            _ => break,
        }
    }
    acknowledged
}

/// The services that the process does not find.
fn missing<'a>(airdig: &Airdig, services: &'a [String]) -> Vec<&'a str> {
    let mut missing = Vec::new();
    for some in services.chunks(20) {
        let nodes = some.iter().enumerate();
        let nodes = nodes.map(|(place, service)| {
            format!(r#"n{place}: node(uid: "svc:////{service}") {{ uid }} "#)
        });
        let answer = airdig.query(&format!("{{ {} }}", nodes.collect::<String>()));
        let places = some.iter().enumerate();
        let absent = places.filter(|(place, _)| answer[format!("n{place}")].is_null());
        missing.extend(absent.map(|(_, service)| service.as_str()));
    }
    missing
}

#[test]
fn acknowledged_rows_survive_sigkill_under_load() {
    let folder = tempfile::tempdir().unwrap();
    let (killed, other) = (start(folder.path()), start(folder.path()));
    let urls = [traces_url(&killed), traces_url(&other)];
    let stop = AtomicBool::new(false);
    let [of_killed, of_other] = std::thread::scope(|scope| {
        let senders = ["killed", "other"].iter().zip(&urls);
        let senders = senders.map(|(writer, url)| scope.spawn(|| send(url, writer, &stop)));
        let senders: Vec<_> = senders.collect();
        std::thread::sleep(Duration::from_secs(3));
        // Dropping it sends SIGKILL.
        drop(killed);
        std::thread::sleep(Duration::from_secs(1));
        stop.store(true, Ordering::Relaxed);
        let sent = senders.into_iter().map(|sender| sender.join().unwrap());
        let sent: Vec<Vec<String>> = sent.collect();
        sent.try_into().unwrap()
    });
    assert!(
        !of_killed.is_empty() && of_other.len() > 1,
        "{of_killed:?} {of_other:?}"
    );
    let acknowledged = [of_killed, of_other].concat();
    assert_eq!(missing(&other, &acknowledged), [""; 0]);
    let restarted = start(folder.path());
    assert_eq!(missing(&restarted, &acknowledged), [""; 0]);
    let (status, answer) = post(&traces_url(&restarted), "application/json", &span("after"));
    assert_eq!(status, 200, "{answer}");
    eventually("the service in the other process", || {
        missing(&other, &["after".to_owned()])
            .is_empty()
            .then_some(())
    });
}
