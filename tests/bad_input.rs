//! Malformed, oversized and hostile requests: each gets a response, and the next request is served.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Value as Json, json};

use crate::support::{Airdig, export_request, post};

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

struct BadInputGateway {
    airdig: Airdig,
    url: String,
    folder: tempfile::TempDir,
}

impl BadInputGateway {
    fn start() -> BadInputGateway {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("gateway.yaml");
        fs::write(&config, CONFIG).unwrap();
        let airdig = Airdig::start(&config, &[("OUT", folder.path())]);
        let url = format!(
            "http://{}/v1/traces",
            airdig.address("receivers/otlp", "http")
        );
        BadInputGateway {
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

    /// Stops airdig and returns the spans that it wrote.
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
    // The file also has rows that processors emitted for the spans.
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
fn a_request_of_seventy_thousand_spans_is_accepted() {
    let gateway = BadInputGateway::start();
    let span = |id: u64| Span {
        trace_id: [&[1; 8][..], &id.to_be_bytes()].concat(),
        span_id: (id + 1).to_be_bytes().to_vec(),
        name: "s".to_owned(),
        ..Span::default()
    };
    let request = export_request((0..70_000).map(span).collect());
    let (status, response) = gateway.send_bytes(&request.encode_to_vec());
    assert_eq!(status, 200, "{response}");
    assert_eq!(gateway.spans().len(), 70_000);
}

#[test]
fn a_span_of_a_hundred_thousand_attributes_is_accepted() {
    let gateway = BadInputGateway::start();
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
fn names_of_any_script_and_times_of_any_age_are_stored_and_can_be_queried() {
    let gateway = BadInputGateway::start();
    let mut ancient = span(0, "Ωmega käse 芝士 \u{1f9c0}", &[]);
    ancient["startTimeUnixNano"] = "0".into();
    ancient["endTimeUnixNano"] = "0".into();
    let mut future = span(1, "\u{202e}olleh", &[]);
    future["startTimeUnixNano"] = "16725225600000000000".into();
    future["endTimeUnixNano"] = "16725225600050000000".into();
    let (status, answer) = gateway.send(&request("芝士/käse", &[ancient.clone(), future.clone()]));
    assert_eq!(status, 200, "{answer}");
    let stored = crate::support::eventually("the service", || {
        let stored = gateway
            .airdig
            .query(r#"{ node(uid: "芝士/käse") { uid name } }"#);
        (!stored["node"].is_null()).then_some(stored)
    });
    assert_eq!(stored["node"]["name"], "芝士/käse");
    assert_eq!(
        stored["node"]["uid"],
        "svc:////%E8%8A%9D%E5%A3%AB%2Fk%C3%A4se"
    );
    let spans = gateway.spans();
    for (sent, written) in [ancient, future].iter().zip(&spans) {
        for field in ["name", "startTimeUnixNano", "endTimeUnixNano"] {
            assert_eq!(sent[field], written[field]);
        }
    }
}

/// A query of 1.2 kB that selects 2^41 fields when its fragments are expanded.
fn fragment_bomb() -> String {
    let mut query = "{ ...F0 }".to_owned();
    for at in 0..40 {
        let next = at + 1;
        query += &format!("fragment F{at} on Query{{...F{next} ...F{next}}}");
    }
    json!({"query": query + "fragment F40 on Query{__typename}"}).to_string()
}

#[test]
fn hostile_queries_delay_neither_a_receiver_nor_the_stop() {
    let gateway = BadInputGateway::start();
    let url = format!(
        "http://{}/graphql",
        gateway.airdig.address("exporters/graphql", "http")
    );
    let stop = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..8)
        .map(|_| {
            let (url, stop) = (url.clone(), stop.clone());
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let (status, answer) =
                        post(&url, "application/json", fragment_bomb().as_bytes());
                    assert!(status == 200 && answer.contains("the limit is"), "{answer}");
                }
            })
        })
        .collect();
    // Without limits each query took 20 seconds and more.
    let began = Instant::now();
    for id in 0..50 {
        assert_eq!(gateway.send(&request("s", &[span(id, "s", &[])])).0, 200);
    }
    assert!(began.elapsed() < Duration::from_secs(20));
    stop.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.join().unwrap();
    }
    let began = Instant::now();
    assert_eq!(gateway.spans().len(), 50);
    assert!(began.elapsed() < Duration::from_secs(10));
}

/// A length-delimited protobuf field.
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

/// A request with one span, whose only attribute has this many nested arrays.
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
fn requests_that_are_nested_too_deep_or_cut_off_are_rejected_with_the_position_and_counted() {
    let gateway = BadInputGateway::start();
    assert_eq!(gateway.send_bytes(&nested(20)).0, 200);
    let (status, answer) = gateway.send_bytes(&nested(1000));
    assert!(
        status == 400 && answer.contains("deep"),
        "{status} {answer}"
    );
    let whole = nested(3);
    let (status, answer) = gateway.send_bytes(&whole[..whole.len() - 1]);
    assert!(
        status == 400 && answer.contains("byte"),
        "{status} {answer}"
    );
    let deep = format!(
        r#"{{"resourceSpans": {}1{}}}"#,
        "[".repeat(1000),
        "]".repeat(1000)
    );
    let (status, answer) = post(&gateway.url, "application/json", deep.as_bytes());
    assert_eq!(status, 400, "{answer}");
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
