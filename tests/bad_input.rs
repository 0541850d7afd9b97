//! Senders that mean no good, or too much: each is answered, and the next one is served.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::support::{Airdig, post};

const CONFIG: &str = r#"
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
processors:
  identity: {}
  service_graph: {store: {ttl: 1s, max_items: 1000}}
exporters:
  file: {path: "${env:OUT}/spans.jsonl"}
  sqlite: {path: "${env:OUT}/graph.db"}
  graphql: {endpoint: "127.0.0.1:0", store: sqlite}
service:
  telemetry: {metrics: {address: "127.0.0.1:0"}}
  pipelines:
    traces: {receivers: [otlp], processors: [identity, service_graph], exporters: [file, sqlite, graphql]}
"#;

struct Gateway {
    airdig: Airdig,
    url: String,
    folder: tempfile::TempDir,
}

impl Gateway {
    fn start() -> Gateway {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("gateway.yaml");
        fs::write(&config, CONFIG).unwrap();
        let airdig = Airdig::start(&config, &[("OUT", folder.path())]);
        let url = format!(
            "http://{}/v1/traces",
            airdig.address("receivers/otlp", "http")
        );
        Gateway {
            airdig,
            url,
            folder,
        }
    }

    fn send(&self, request: &Json) -> (u16, String) {
        post(
            &self.url,
            "application/json",
            request.to_string().as_bytes(),
        )
    }

    fn send_bytes(&self, request: &[u8]) -> (u16, String) {
        post(&self.url, "application/x-protobuf", request)
    }

    fn metrics(&self) -> String {
        let address = self.airdig.address("service/telemetry", "http");
        let mut answer = ureq::get(format!("http://{address}/metrics"))
            .call()
            .unwrap();
        answer.body_mut().read_to_string().unwrap()
    }

    /// Stops it and returns the spans that were written.
    fn spans(self) -> Vec<Json> {
        assert!(self.airdig.stop().success());
        spans(&self.folder.path().join("spans.jsonl"))
    }
}

fn spans(path: &Path) -> Vec<Json> {
    let text = fs::read_to_string(path).unwrap();
    let requests = text
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap());
    let mut spans = Vec::new();
    // What was made of the spans stands in the file, too.
    for request in requests.filter(|line| line.get("resourceSpans").is_some()) {
        for group in request["resourceSpans"].as_array().unwrap() {
            for scope in group["scopeSpans"].as_array().unwrap() {
                spans.extend(scope["spans"].as_array().unwrap().iter().cloned());
            }
        }
    }
    spans
}

fn request(service: &str, spans: &[Json]) -> Json {
    json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
        "scopeSpans": [{"spans": spans}]
    }]})
}

fn span(id: usize, name: &str, attributes: &[Json]) -> Json {
    json!({
        "traceId": format!("{:032x}", id + 1), "spanId": format!("{:016x}", id + 1), "name": name, "kind": 2,
        "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712660050000000",
        "attributes": attributes
    })
}

#[test]
fn seventy_thousand_spans_in_a_request_pass() {
    let gateway = Gateway::start();
    let many: Vec<Json> = (0..70_000).map(|id| span(id, "s", &[])).collect();
    assert_eq!(gateway.send(&request("many", &many)).0, 200);
    assert_eq!(gateway.spans().len(), 70_000);
}

#[test]
fn a_hundred_thousand_attributes_pass() {
    let gateway = Gateway::start();
    let keys: Vec<Json> = (0..100_000)
        .map(|key| json!({"key": format!("k{key}"), "value": {"intValue": key}}))
        .collect();
    let (status, answer) = gateway.send(&request("keys", &[span(0, "s", &keys)]));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        gateway.spans()[0]["attributes"].as_array().unwrap().len(),
        100_000
    );
}

#[test]
fn names_of_any_script_and_times_of_any_age_pass_and_are_found() {
    let gateway = Gateway::start();
    let mut ancient = span(0, "Ωmega käse 芝士 \u{1f9c0}", &[]);
    ancient["startTimeUnixNano"] = "0".into();
    ancient["endTimeUnixNano"] = "0".into();
    let mut future = span(1, "\u{202e}olleh", &[]);
    future["startTimeUnixNano"] = "16725225600000000000".into();
    future["endTimeUnixNano"] = "16725225600050000000".into();
    let (status, answer) = gateway.send(&request("芝士/käse", &[ancient.clone(), future.clone()]));
    assert_eq!(status, 200, "{answer}");
    let found = crate::support::eventually("the service", || {
        let found = gateway
            .airdig
            .query(r#"{ node(uid: "芝士/käse") { uid name } }"#);
        (!found["node"].is_null()).then_some(found)
    });
    assert_eq!(found["node"]["name"], "芝士/käse");
    assert_eq!(
        found["node"]["uid"],
        "svc:////%E8%8A%9D%E5%A3%AB%2Fk%C3%A4se"
    );
    let written = gateway.spans();
    for (sent, found) in [ancient, future].iter().zip(&written) {
        for field in ["name", "startTimeUnixNano", "endTimeUnixNano"] {
            assert_eq!(sent[field], found[field]);
        }
    }
}

/// A query of 1.2 kB that selects 2^41 fields, its fragments expanded.
fn expansion() -> String {
    let mut query = "{ ...F0 }".to_owned();
    for at in 0..40 {
        let next = at + 1;
        query += &format!("fragment F{at} on Query{{...F{next} ...F{next}}}");
    }
    json!({"query": query + "fragment F40 on Query{__typename}"}).to_string()
}

#[test]
fn hostile_queries_delay_neither_a_receiver_nor_the_stop() {
    let gateway = Gateway::start();
    let url = format!(
        "http://{}/graphql",
        gateway.airdig.address("exporters/graphql", "http")
    );
    let ends = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..8)
        .map(|_| {
            let (url, ends) = (url.clone(), ends.clone());
            thread::spawn(move || {
                while !ends.load(Ordering::Relaxed) {
                    let (status, answer) = post(&url, "application/json", expansion().as_bytes());
                    assert!(status == 200 && answer.contains("the limit is"), "{answer}");
                }
            })
        })
        .collect();
    // Each query alone took 20 seconds and more.
    let began = Instant::now();
    for id in 0..50 {
        assert_eq!(gateway.send(&request("s", &[span(id, "s", &[])])).0, 200);
    }
    assert!(began.elapsed() < Duration::from_secs(20));
    ends.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.join().unwrap();
    }
    let began = Instant::now();
    assert_eq!(gateway.spans().len(), 50);
    assert!(began.elapsed() < Duration::from_secs(10));
}

/// A length-delimited field.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(bytes);
    out
}

/// A request with one span, whose one attribute is so many arrays in each other.
fn nested(depth: usize) -> Vec<u8> {
    let mut value = Vec::new();
    for _ in 0..depth {
        // AnyValue.array_value of ArrayValue.values of AnyValue.
        value = field(5, &field(1, &value));
    }
    let attribute = [field(1, b"deep"), field(2, &value)].concat();
    let span = [field(1, &[1; 16]), field(2, &[1; 8]), field(9, &attribute)].concat();
    field(1, &field(2, &field(2, &span)))
}

#[test]
fn what_is_nested_too_deep_or_cut_off_is_refused_with_its_place_and_counted() {
    let gateway = Gateway::start();
    assert_eq!(gateway.send_bytes(&nested(20)).0, 200);
    let (status, told) = gateway.send_bytes(&nested(1000));
    assert!(status == 400 && told.contains("deep"), "{status} {told}");
    let whole = nested(3);
    let (status, told) = gateway.send_bytes(&whole[..whole.len() - 1]);
    assert!(status == 400 && told.contains("byte"), "{status} {told}");
    let deep = format!(
        r#"{{"resourceSpans": {}1{}}}"#,
        "[".repeat(1000),
        "]".repeat(1000)
    );
    let (status, told) = post(&gateway.url, "application/json", deep.as_bytes());
    assert_eq!(status, 400, "{told}");
    let (status, _) = post(&gateway.url, "text/plain", b"hello");
    assert_eq!(status, 415);
    let metrics = gateway.metrics();
    let counted =
        r#"airdig_receiver_refused_requests{receiver="otlp",signal="traces",reason="malformed"} 3"#;
    assert!(metrics.contains(counted), "{metrics}");
    assert_eq!(
        gateway.send(&request("next", &[span(9, "served", &[])])).0,
        200
    );
    assert_eq!(gateway.spans().len(), 2);
}
