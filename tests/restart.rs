//! Edge statistics survive a restart and an outage of the store.

use std::fs;
use std::ops::Range;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;

use crate::support::{Airdig, SpanDestination, eventually, post};

const CONFIG: &str = r#"
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
processors:
  identity: {}
  service_graph: {store: {ttl: 1s}}
exporters:
  sqlite:
    path: "${env:OUT}/graph.db"
    retention: {history: 0, edge_stats: 0, edge_stats_hourly: 0, records: 0}
  graphql: {endpoint: "127.0.0.1:0", store: sqlite}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [identity, service_graph], exporters: [sqlite, graphql]}
"#;

const MAP: &str = r#"{ serviceMap(from: "2018-12-13T14:00:00Z", to: "2018-12-13T15:00:00Z") {
    edges { from to calls errors } } }"#;

/// Two calls, a restart, and two more calls of the same minute, of which one failed: the minute has four calls
/// and one error.
#[test]
fn edge_stats_of_a_minute_add_up_across_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("restart.yaml");
    fs::write(&config, CONFIG).unwrap();
    for (first, expected) in [(0, json!([2, 0])), (2, json!([4, 1]))] {
        let airdig = Airdig::start(&config, &[("OUT", folder.path())]);
        send_calls(&airdig, first..first + 2);
        expect_calls(&airdig, &expected);
        assert!(airdig.stop().success());
    }
}

/// No sender waits for statistics, so no sender retries them. The store's retries do not affect another exporter.
#[test]
fn edge_stats_are_stored_after_an_outage_longer_than_the_retries() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("outage.yaml");
    let runtime = Runtime::new().unwrap();
    let destination = SpanDestination::start(&runtime);
    destination.open();
    let retries = "timeout: 200ms\n    retry_on_failure: {initial_interval: 100ms, max_interval: 200ms, \
                   max_elapsed_time: 500ms}";
    let otlp = format!(
        "  otlp: {{endpoint: \"{}\", tls: {{insecure: true}}}}\n",
        destination.address
    );
    let text = CONFIG.replace(
        "processors: [identity, service_graph], exporters: [",
        "processors: [service_graph], exporters: [otlp, ",
    );
    let text = text.replace("    path:", &format!("    {retries}\n    path:"));
    let text = text.replace("exporters:\n", &format!("exporters:\n{otlp}"));
    fs::write(&config, text).unwrap();
    let airdig = Airdig::start(&config, &[("OUT", folder.path())]);
    let locker = Connection::open(folder.path().join("graph.db")).unwrap();
    locker.execute_batch("BEGIN IMMEDIATE").unwrap();
    send_calls(&airdig, 0..2);
    // By then the statistics were flushed and the retries have ended.
    std::thread::sleep(Duration::from_secs(5));
    locker.execute_batch("ROLLBACK").unwrap();
    expect_calls(&airdig, &json!([2, 0]));
    assert!(airdig.stop().success());
    let spans = destination.received().concat();
    assert_eq!(spans, ["call"; 4], "each span once");
}

/// Sends the server span of each call first, then the client span in a separate request.
fn send_calls(airdig: &Airdig, numbers: Range<u64>) {
    let url = format!(
        "http://{}/v1/traces",
        airdig.address("receivers/otlp", "http")
    );
    for number in numbers {
        for side in ["server", "client"] {
            let body = call(number, side).to_string();
            let (status, answer) = post(&url, "application/json", body.as_bytes());
            assert_eq!(status, 200, "{answer}");
        }
    }
}

/// Waits until the edge from `front` has these numbers of calls and errors.
fn expect_calls(airdig: &Airdig, expected: &Json) {
    eventually(&format!("{expected} calls and errors"), || {
        let edges = airdig.query(MAP)["serviceMap"]["edges"].clone();
        let mut edges = edges.as_array()?.iter();
        let edge = edges.find(|edge| edge["from"] == "svc:////front")?;
        (json!([edge["calls"], edge["errors"]]) == *expected).then_some(())
    });
}

/// The client or server span of call `number` from `front` to `cart`; call 3 fails.
fn call(number: u64, side: &str) -> Json {
    let start = 1_544_712_660_000_000_000 + number * 1_000_000_000;
    let client = format!("{:016x}", number * 2 + 2);
    let (service, kind, span, parent) = match side {
        "client" => ("front", 3, client, String::new()),
        _ => ("cart", 2, format!("{:016x}", number * 2 + 3), client),
    };
    json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
        "scopeSpans": [{"spans": [{
            "traceId": format!("{:032x}", number + 1), "spanId": span, "parentSpanId": parent, "name": "call",
            "kind": kind, "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + 50_000_000).to_string(),
            "status": {"code": if number == 3 { 2 } else { 0 }}
        }]}]
    }]})
}
