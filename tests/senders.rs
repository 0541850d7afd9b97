//! Real senders: the OpenTelemetry SDK for Python, Google's protobuf for Python, and telemetrygen. The `file` exporter
//! writes everything that they send, with its types.

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use crate::support::{Airdig, peer};

const CONFIG: &str = r#"
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}
exporters:
  file: {path: "${env:OUT}/all.jsonl"}
service:
  pipelines:
    all: {receivers: [otlp], exporters: [file]}
"#;

#[test]
fn the_python_sdk_sends_all_signals_over_grpc() {
    python("grpc");
}

#[test]
fn the_python_sdk_sends_all_signals_over_http_with_gzip() {
    python("http");
}

#[test]
fn googles_protobuf_reads_and_writes_the_same_json() {
    receive(|airdig, folder| {
        let mut google = Command::new(peer("python/bin/python"));
        google.arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/peers/protobuf_json.py"
        ));
        google.arg(airdig.address("receivers/otlp", "http"));
        run(google.arg(folder.join("all.jsonl")).arg("100"));
    });
}

#[test]
fn telemetrygen_sends_all_signals_over_grpc() {
    telemetrygen("grpc");
}

#[test]
fn telemetrygen_sends_all_signals_over_http() {
    telemetrygen("http");
}

fn python(protocol: &str) {
    let lines = receive(|airdig, _| {
        let mut sender = Command::new(peer("python/bin/python"));
        sender.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/send.py"));
        run(sender
            .arg(protocol)
            .arg(airdig.address("receivers/otlp", protocol)));
    });
    let spans = items(&lines, "resourceSpans", "scopeSpans", "spans");
    assert_eq!(spans.len(), 20);
    let parents: Vec<&Json> = spans
        .iter()
        .copied()
        .filter(|span| span["name"] == "parent")
        .collect();
    assert_eq!(parents.len(), 10);
    let third = parents
        .iter()
        .find(|span| attribute(span, "int")["intValue"] == "3")
        .expect("the third parent");
    assert_eq!(attribute(third, "text")["stringValue"], "käse");
    assert_eq!(attribute(third, "double")["doubleValue"], 3.5);
    assert_eq!(attribute(third, "bool")["boolValue"], false);
    assert_eq!(
        attribute(third, "list")["arrayValue"]["values"][1]["stringValue"],
        "b"
    );
    assert_eq!(third["events"][0]["name"], "begun");

    let metrics = items(&lines, "resourceMetrics", "scopeMetrics", "metrics");
    let requests = metrics
        .iter()
        .find(|metric| metric["name"] == "requests")
        .expect("the counter");
    assert_eq!(requests["sum"]["dataPoints"][0]["asInt"], "7");
    let queue = metrics
        .iter()
        .find(|metric| metric["name"] == "queue")
        .expect("the up-down counter");
    assert_eq!(queue["sum"]["dataPoints"][0]["asInt"], "-3");
    let duration = metrics
        .iter()
        .find(|metric| metric["name"] == "duration")
        .expect("the histogram");
    assert_eq!(duration["histogram"]["dataPoints"][0]["sum"], 0.25);

    let records = items(&lines, "resourceLogs", "scopeLogs", "logRecords");
    assert_eq!(records.len(), 10);
    assert!(
        records
            .iter()
            .any(|record| record["body"]["stringValue"] == "out of cheese 9")
    );
    assert_eq!(attribute(records[0], "n")["intValue"], "0");
}

fn telemetrygen(protocol: &str) {
    let lines = receive(|airdig, _| {
        let endpoint = airdig.address("receivers/otlp", protocol);
        for (signal, count) in [
            ("traces", ["--traces", "50"]),
            ("metrics", ["--metrics", "30"]),
            ("logs", ["--logs", "40"]),
        ] {
            let mut sender = Command::new(peer("bin/telemetrygen"));
            sender
                .arg(signal)
                .args(["--otlp-insecure", "--rate", "0", "--workers", "1"])
                .args(count);
            sender.arg("--otlp-endpoint").arg(&endpoint);
            if protocol == "http" {
                sender.arg("--otlp-http");
            }
            run(&mut sender);
        }
    });
    // A trace of telemetrygen has a parent span and one child span.
    assert_eq!(
        items(&lines, "resourceSpans", "scopeSpans", "spans").len(),
        100
    );
    assert_eq!(
        items(&lines, "resourceLogs", "scopeLogs", "logRecords").len(),
        40
    );
    let metrics = items(&lines, "resourceMetrics", "scopeMetrics", "metrics");
    let points: usize = metrics
        .iter()
        .map(|metric| metric["gauge"]["dataPoints"].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!(points, 30);
}

/// Starts airdig, sends, and returns the lines that the `file` exporter wrote.
fn receive(send: impl FnOnce(&Airdig, &Path)) -> Vec<Json> {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("senders.yaml");
    std::fs::write(&config, CONFIG).unwrap();
    let airdig = Airdig::start(&config, &[("OUT", folder.path())]);
    send(&airdig, folder.path());
    assert!(airdig.stop().success());
    let text = std::fs::read_to_string(folder.path().join("all.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn items<'a>(lines: &'a [Json], resources: &str, scopes: &str, items: &str) -> Vec<&'a Json> {
    let list = |json: &'a Json, key: &str| {
        json[key]
            .as_array()
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
    };
    let mut found = Vec::new();
    for line in lines {
        for resource in list(line, resources) {
            for scope in list(resource, scopes) {
                found.extend(list(scope, items));
            }
        }
    }
    found
}

fn attribute<'a>(item: &'a Json, key: &str) -> &'a Json {
    let attributes = item["attributes"]
        .as_array()
        .unwrap_or_else(|| panic!("no attributes: {item}"));
    let found = attributes.iter().find(|attribute| attribute["key"] == key);
    &found.unwrap_or_else(|| panic!("no {key}: {item}"))["value"]
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
