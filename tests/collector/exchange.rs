//! airdig exports to the Collector, and the Collector to airdig: the data that passes both equals the data that
//! passes only the second, over gRPC and HTTP, as protobuf and as JSON, with each compression.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use crate::support::{Airdig, Collector, eventually, free_address, post};

/// Type, compression and further settings of an exporter.
const ROUTES: [(&str, &str, &str); 8] = [
    ("otlp", "none", ""),
    ("otlp", "gzip", ""),
    ("otlp", "zstd", ""),
    ("otlphttp", "none", ""),
    ("otlphttp", "gzip", ""),
    ("otlphttp", "zstd", ""),
    ("otlphttp", "none", ", encoding: json"),
    ("otlphttp", "gzip", ", encoding: json"),
];
/// The number of the route that bypasses the exporter under test.
const DIRECT: usize = ROUTES.len();

#[test]
fn data_exported_by_airdig_arrives_at_the_collector() {
    let out = tempfile::tempdir().unwrap();
    let last = route_ends();
    let collector_config = out.path().join("collector.yaml");
    fs::write(
        &collector_config,
        receiver_config(&last, ", flush_interval: 100ms"),
    )
    .unwrap();
    let environment = [("OUT", out.path().to_str().unwrap())];
    let collector = Collector::start(&collector_config, &environment);
    let airdig_config = out.path().join("airdig.yaml");
    fs::write(&airdig_config, sender_config("127.0.0.1:0", &last)).unwrap();
    let airdig = Airdig::start(&airdig_config, &[]);
    send(&airdig.address("receivers/otlp", "http"));
    send(&last[DIRECT].http);
    compare(out.path());
    assert!(airdig.stop().success());
    assert!(collector.stop().success());
}

#[test]
fn data_exported_by_the_collector_arrives_at_airdig() {
    let out = tempfile::tempdir().unwrap();
    let (first, last) = (free_address(), route_ends());
    let airdig_config = out.path().join("airdig.yaml");
    fs::write(&airdig_config, receiver_config(&last, "")).unwrap();
    let airdig = Airdig::start(&airdig_config, &[("OUT", out.path())]);
    let collector_config = out.path().join("collector.yaml");
    fs::write(&collector_config, sender_config(&first, &last)).unwrap();
    let collector = Collector::start(&collector_config, &[]);
    send(&first);
    send(&last[DIRECT].http);
    compare(out.path());
    assert!(collector.stop().success());
    assert!(airdig.stop().success());
}

/// The addresses at which a route ends.
struct RouteEnd {
    grpc: String,
    http: String,
}

fn route_ends() -> Vec<RouteEnd> {
    let end = |_| RouteEnd {
        grpc: free_address(),
        http: free_address(),
    };
    (0..=DIRECT).map(end).collect()
}

/// One receiver, and an exporter for each route.
fn sender_config(listen: &str, route_ends: &[RouteEnd]) -> String {
    let mut exporters = String::new();
    let mut ids = Vec::new();
    for (number, ((kind, compression, more), end)) in ROUTES.iter().zip(route_ends).enumerate() {
        let id = format!("{kind}/{number}");
        let endpoint = match *kind {
            "otlp" => format!("\"{}\", tls: {{insecure: true}}", end.grpc),
            _ => format!("\"http://{}\"", end.http),
        };
        writeln!(
            exporters,
            "  {id}: {{endpoint: {endpoint}, compression: {compression}{more}}}"
        )
        .unwrap();
        ids.push(id);
    }
    let ids = ids.join(", ");
    let pipelines: String = ["traces", "metrics", "logs"]
        .map(|signal| format!("    {signal}: {{receivers: [otlp], exporters: [{ids}]}}\n"))
        .concat();
    format!(
        "receivers:\n  otlp: {{protocols: {{http: {{endpoint: \"{listen}\"}}}}}}\n\
         exporters:\n{exporters}service:\n  pipelines:\n{pipelines}"
    )
}

/// A receiver and a file for each route.
fn receiver_config(route_ends: &[RouteEnd], file_settings: &str) -> String {
    let (mut receivers, mut exporters, mut pipelines) =
        (String::new(), String::new(), String::new());
    for (number, RouteEnd { grpc, http }) in route_ends.iter().enumerate() {
        writeln!(
            receivers,
            "  otlp/{number}: {{protocols: {{grpc: {{endpoint: \"{grpc}\"}}, http: {{endpoint: \"{http}\"}}}}}}"
        )
        .unwrap();
        writeln!(
            exporters,
            "  file/{number}: {{path: \"${{env:OUT}}/{number}.jsonl\"{file_settings}}}"
        )
        .unwrap();
        for signal in ["traces", "metrics", "logs"] {
            writeln!(
                pipelines,
                "    {signal}/{number}: {{receivers: [otlp/{number}], exporters: [file/{number}]}}"
            )
            .unwrap();
        }
    }
    format!("receivers:\n{receivers}exporters:\n{exporters}service:\n  pipelines:\n{pipelines}")
}

/// Sends a request of each signal, which together have every kind of value and of metric.
fn send(address: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases/otlp_comes_out_as_it_came_in/input");
    for (file, signal) in [
        ("1-traces.json", "traces"),
        ("2-metrics.json", "metrics"),
        ("3-logs.json", "logs"),
    ] {
        let url = format!("http://{address}/v1/{signal}");
        let body = fs::read(folder.join(file)).unwrap();
        let (status, answer) = post(&url, "application/json", &body);
        assert_eq!(status, 200, "{answer}");
    }
}

/// Each route wrote the same lines as the direct one.
fn compare(out: &Path) {
    let expected = lines(out, DIRECT);
    for (number, route) in ROUTES.iter().enumerate() {
        assert_eq!(lines(out, number), expected, "{route:?}");
    }
}

fn lines(out: &Path, number: usize) -> Vec<String> {
    let file = out.join(format!("{number}.jsonl"));
    let mut lines = eventually(&format!("three lines in {}", file.display()), || {
        let text = fs::read_to_string(&file).ok()?;
        (text.ends_with('\n') && text.lines().count() == 3).then_some(text)
    })
    .lines()
    .map(|line| serde_json::from_str::<Json>(line).unwrap().to_string())
    .collect::<Vec<_>>();
    lines.sort();
    lines
}
