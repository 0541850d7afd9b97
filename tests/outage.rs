//! One of two destinations is down for a while: the other receives all spans at once, and the first receives all
//! spans when it is up again.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value as Json;

use crate::support::{Airdig, eventually, free_address, post};

const BRANCHES: &str = r#"
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
exporters:
  otlp/up: {endpoint: "${env:UP}", tls: {insecure: true}}
  otlp/down:
    endpoint: "${env:DOWN}"
    tls: {insecure: true}
    retry_on_failure: {initial_interval: 200ms, max_interval: 1s}
    # The sender gets its response when the span is in the queue, as with the Collector.
    sending_queue: {wait_for_result: false}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp/up, otlp/down]}
"#;

const SINK: &str = r#"
receivers:
  otlp: {protocols: {grpc: {endpoint: "${env:LISTEN}"}}}
exporters:
  file: {path: "${env:OUT}/spans.jsonl"}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [file]}
"#;

const REQUESTS: usize = 50;

#[test]
fn a_destination_that_was_down_gets_all_spans_and_the_other_never_waits() {
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, yaml: &str| {
        let path = folder.path().join(name);
        fs::write(&path, yaml).unwrap();
        path
    };
    let (branches, sink) = (
        written("branches.yaml", BRANCHES),
        written("sink.yaml", SINK),
    );
    let (up, down) = (free_address(), free_address());
    let outs = ["up", "down"].map(|name| folder.path().join(name));
    outs.iter().for_each(|out| fs::create_dir(out).unwrap());
    let start_sink = |address: &str, out: &Path| {
        Airdig::start(&sink, &[("LISTEN", Path::new(address)), ("OUT", out)])
    };
    let _up = start_sink(&up, &outs[0]);
    let addresses = [("UP", Path::new(&up)), ("DOWN", Path::new(&down))];
    let airdig = Airdig::start(&branches, &addresses);
    let url = format!(
        "http://{}/v1/traces",
        airdig.address("receivers/otlp", "http")
    );
    for number in 0..REQUESTS {
        let (status, answer) = post(&url, "application/json", request(number).as_bytes());
        assert_eq!(status, 200, "{answer}");
    }
    let all: BTreeSet<String> = (0..REQUESTS).map(name).collect();
    assert_eq!(
        spans(&outs[0]),
        all,
        "the destination that is up gets all spans"
    );
    std::thread::sleep(Duration::from_secs(1));
    let _down = start_sink(&down, &outs[1]);
    eventually("all spans at the destination that was down", || {
        (spans(&outs[1]) == all).then_some(())
    });
    assert!(airdig.stop().success());
}

fn name(number: usize) -> String {
    format!("span {number}")
}

fn request(number: usize) -> String {
    let span = serde_json::json!({
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": name(number),
        "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000000000001",
    });
    serde_json::json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).to_string()
}

/// The names of the spans in a sink's file, each once.
fn spans(out: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(out.join("spans.jsonl")).unwrap_or_default();
    let mut names = Vec::new();
    for line in text.lines() {
        let Ok(request) = serde_json::from_str::<Json>(line) else {
            continue;
        };
        collect(&request, &mut names);
    }
    let distinct: BTreeSet<String> = names.iter().cloned().collect();
    assert_eq!(distinct.len(), names.len(), "no span arrives twice");
    distinct
}

fn collect(json: &Json, names: &mut Vec<String>) {
    match json {
        Json::Array(items) => items.iter().for_each(|item| collect(item, names)),
        Json::Object(fields) => {
            if let (Some(_), Some(name)) = (fields.get("spanId"), fields.get("name")) {
                names.push(name.as_str().unwrap_or_default().to_owned());
            }
            fields.values().for_each(|field| collect(field, names));
        }
        _ => {}
    }
}
