//! Rows with values that are too large for the graph are rejected with a reason; the other rows are stored.

use std::fs;

use serde_json::{Value as Json, json};

use crate::support::{Airdig, eventually, post};

const CONFIG: &str = r#"
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
processors:
  identity: {}
  sql:
    query: |
      SELECT to_timestamp_nanos(CAST(start_time_unix_nano AS BIGINT)) AS time, 'svc:////kept' AS uid, 'test' AS source, 'observed' AS mode,
        'name' AS kind, CAST(attributes['alias'] AS VARCHAR) AS value
      FROM traces WHERE attributes['alias'] IS NOT NULL
    into: aliases
exporters:
  sqlite: {path: "${env:OUT}/graph.db"}
  graphql: {endpoint: "127.0.0.1:0", store: sqlite}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [identity, sql], exporters: [sqlite, graphql]}
"#;

fn resource(service: &str, attributes: &Json) -> Json {
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    let start = now.as_nanos() as u64;
    json!({
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
        "scopeSpans": [{"spans": [{
            "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "work",
            "kind": 2, "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + 1000).to_string(),
            "attributes": attributes
        }]}]
    })
}

fn alias(value: &str) -> Json {
    json!([{"key": "alias", "value": {"stringValue": value}}])
}

#[test]
fn a_uid_of_100_kb_and_an_alias_of_1_mb_are_rejected_and_the_other_rows_are_stored() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("airdig.yaml");
    fs::write(&config, CONFIG).unwrap();
    let airdig = Airdig::start(&config, &[("OUT", folder.path())]);
    let url = format!(
        "http://{}/v1/traces",
        airdig.address("receivers/otlp", "http")
    );
    let send = |resources: &[Json]| {
        let request = json!({"resourceSpans": resources}).to_string();
        post(&url, "application/json", request.as_bytes())
    };
    let none = json!([]);
    let long_uid = resource(&"u".repeat(100_000), &none);
    let long_alias = resource("kept", &alias(&"a".repeat(1_000_000)));
    for long in [long_uid, long_alias] {
        let (status, answer) = send(&[long, resource("kept", &alias("short"))]);
        assert_eq!(status, 200, "{answer}");
        let has_reason = answer.contains("1 row with a uid or a name of more than 2048 bytes");
        assert!(has_reason, "{answer}");
    }
    let stored = eventually("the other rows", || {
        let stored =
            airdig.query(r#"{ node(uid: "short") { uid } nodes(first: 10) { nodes { uid } } }"#);
        (!stored["node"].is_null()).then_some(stored)
    });
    assert!(stored.to_string().contains("svc:////kept"), "{stored}");
    assert!(!stored.to_string().contains("uuuu"), "{stored}");
    assert!(airdig.stop().success());
}
