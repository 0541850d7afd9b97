//! Spans name an instance and a database by host id, address and host name; a scan in another pipeline reports the
//! resources that have these aliases.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};

use crate::support::{Airdig, eventually, post};

/// The scan arrives as log records, which an SQL query turns into rows of `resources`.
const CONFIG: &str = r#"
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
processors:
  sql/scan:
    query: |
      SELECT time, attributes['uid'] AS uid, 'observed' AS op, 'actual' AS "group", attributes['kind'] AS kind,
             make_array(
               named_struct('kind', attributes['kind1'], 'value', attributes['value1'], 'within', attributes['scope1']),
               named_struct('kind', attributes['kind2'], 'value', attributes['value2'], 'within', attributes['scope2'])
             ) AS aliases
      FROM logs
    into: resources
    keep: false
  graph: {}
  identity: {store: sqlite}
  service_graph: {store: {ttl: 1s}, store_expiration_loop: 200ms}
exporters:
  sqlite: {path: "${env:OUT}/graph.db"}
  graphql: {endpoint: "127.0.0.1:0", store: sqlite}
service:
  pipelines:
    logs: {receivers: [otlp], processors: [sql/scan, graph], exporters: [sqlite]}
    traces: {receivers: [otlp], processors: [identity, service_graph], exporters: [sqlite, graphql]}
"#;

const CALLER: &str = "arn:aws:ec2:eu-west-1:42:instance/i-1";
const CALLED: &str = "arn:aws:ec2:eu-west-1:42:instance/i-3";
const DATABASE: &str = "arn:aws:rds:eu-west-1:42:db:orders";

/// A folder with a graph, on which airdig can be started several times.
struct GraphFolder {
    folder: tempfile::TempDir,
    /// Nanoseconds since 1970, some minutes ago.
    began: u64,
}

impl GraphFolder {
    fn new() -> GraphFolder {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("names.yaml"), CONFIG).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        GraphFolder {
            folder,
            began: (now.as_secs() - 600) * 1_000_000_000,
        }
    }

    fn start(&self) -> Airdig {
        let path: &Path = self.folder.path();
        Airdig::start(&path.join("names.yaml"), &[("OUT", path)])
    }

    /// A scan of two instances in a network, and of a database.
    fn scan(&self, airdig: &Airdig, second: u64) {
        let resources = [
            resource(
                CALLER,
                "AWS::EC2::Instance",
                [("host_id", "i-1", ""), ("ip", "10.0.0.1", "vpc-1")],
            ),
            resource(
                CALLED,
                "AWS::EC2::Instance",
                [("host_id", "i-3", ""), ("ip", "10.0.0.9", "vpc-1")],
            ),
            resource(
                DATABASE,
                "AWS::RDS::DBInstance",
                [
                    ("dns", "orders.rds.example", ""),
                    ("same_as", "ext://orders.rds.example:5432", ""),
                ],
            ),
        ];
        let time = (self.began + second * 1_000_000_000).to_string();
        let records = resources
            .map(|resource| json!({"timeUnixNano": time, "attributes": attributes(&resource)}));
        let request = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]});
        send(airdig, "logs", &request);
    }

    /// Two calls by a service on the first instance: one to the database, one to the other instance.
    fn call(&self, airdig: &Airdig, second: u64) {
        let resource = json!({
            "service.name": "web", "host.id": "i-1", "cloud.account.id": "42", "cloud.region": "eu-west-1",
        });
        let database = json!({
            "db.system.name": "postgresql", "db.namespace": "orders",
            "server.address": "orders.rds.example", "server.port": "5432",
        });
        let endpoint = json!({"server.address": "10.0.0.9", "server.port": "8080"});
        let start = self.began + second * 1_000_000_000;
        let span = |id: u64, of_span: &Json| {
            json!({
                "traceId": format!("{id:032x}"), "spanId": format!("{id:016x}"), "name": "call", "kind": 3,
                "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + 50_000_000).to_string(),
                "attributes": attributes(of_span),
            })
        };
        let request = json!({"resourceSpans": [{
            "resource": {"attributes": attributes(&resource)},
            "scopeSpans": [{"spans": [span(2 * second + 1, &database), span(2 * second + 2, &endpoint)]}],
        }]});
        send(airdig, "traces", &request);
    }
}

fn resource(uid: &str, kind: &str, names: [(&str, &str, &str); 2]) -> Json {
    let mut all = json!({"uid": uid, "kind": kind});
    for (number, (kind, value, scope)) in (1..).zip(names) {
        all[format!("kind{number}")] = kind.into();
        all[format!("value{number}")] = value.into();
        if !scope.is_empty() {
            all[format!("scope{number}")] = scope.into();
        }
    }
    all
}

fn attributes(texts: &Json) -> Vec<Json> {
    let texts = texts.as_object().unwrap().iter();
    texts
        .map(|(key, text)| json!({"key": key, "value": {"stringValue": text}}))
        .collect()
}

fn send(airdig: &Airdig, signal: &str, request: &Json) {
    let http = airdig.address("receivers/otlp", "http");
    let url = format!("http://{http}/v1/{signal}");
    let (status, answer) = post(&url, "application/json", request.to_string().as_bytes());
    assert_eq!(status, 200, "{answer}");
}

/// Waits until the service runs on its instance and calls the database and the other instance `calls` times each.
fn expect(airdig: &Airdig, calls: u64) {
    let query = r#"{
        runs: neighbors(uid: "svc:////web", kinds: ["RUNS_ON"], direction: OUT) { nodes { node { uid kind } } }
        calls: neighbors(uid: "svc:////web", kinds: ["CALLS"], direction: OUT) { nodes { node { uid kind } } }
        serviceMap(from: "-20m") { edges { to calls } }
    }"#;
    let node = |uid: &str, kind: &str| json!({"node": {"uid": uid, "kind": kind}});
    let expected = json!({
        "runs": {"nodes": [node(CALLER, "AWS::EC2::Instance")]},
        "calls": {"nodes": [node(CALLED, "AWS::EC2::Instance"), node(DATABASE, "AWS::RDS::DBInstance")]},
        "serviceMap": {"edges": [{"to": CALLED, "calls": calls}, {"to": DATABASE, "calls": calls}]},
    });
    let mut last = Json::Null;
    let start = std::time::Instant::now();
    eventually("the expected response", || {
        last = airdig.query(query);
        (last == expected || start.elapsed().as_secs() > 15).then_some(())
    });
    assert_eq!(last, expected, "{last:#}");
}

#[test]
fn spans_after_the_scan_make_edges_to_its_resources() {
    let graph = GraphFolder::new();
    let airdig = graph.start();
    graph.scan(&airdig, 10);
    graph.call(&airdig, 20);
    expect(&airdig, 1);
    assert!(airdig.stop().success());
}

#[test]
fn spans_before_the_scan_are_joined_with_its_resources() {
    let graph = GraphFolder::new();
    let airdig = graph.start();
    graph.call(&airdig, 10);
    eventually("the calls", || {
        let answer = airdig.query(r#"{ serviceMap(from: "-20m") { edges { to } } }"#);
        (answer["serviceMap"]["edges"].as_array()?.len() == 2).then_some(())
    });
    graph.scan(&airdig, 20);
    expect(&airdig, 1);
    graph.call(&airdig, 30);
    expect(&airdig, 2);
    assert!(airdig.stop().success());
}

#[test]
fn aliases_survive_a_restart() {
    let graph = GraphFolder::new();
    let airdig = graph.start();
    graph.scan(&airdig, 10);
    assert!(airdig.stop().success());
    let airdig = graph.start();
    graph.call(&airdig, 20);
    expect(&airdig, 1);
    assert!(airdig.stop().success());
}

/// One call to a port of the other instance, by a service on the first instance.
fn call_port(graph: &GraphFolder, airdig: &Airdig, port: usize) {
    let resource = json!({
        "service.name": format!("web-{port}"),
        "host.id": "i-1", "cloud.account.id": "42", "cloud.region": "eu-west-1",
    });
    let endpoint = json!({"server.address": "10.0.0.9", "server.port": port.to_string()});
    let start = graph.began + 60_000_000_000;
    let span = json!({
        "traceId": format!("{port:032x}"), "spanId": format!("{port:016x}"), "name": "call", "kind": 3,
        "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + 50_000_000).to_string(),
        "attributes": attributes(&endpoint),
    });
    let request = json!({"resourceSpans": [{
        "resource": {"attributes": attributes(&resource)}, "scopeSpans": [{"spans": [span]}],
    }]});
    send(airdig, "traces", &request);
}

#[test]
fn aliases_that_one_process_scans_resolve_in_another_after_about_a_second() {
    let graph = GraphFolder::new();
    let (scanning, other) = (graph.start(), graph.start());
    // No node has the address before the scan.
    call_port(&graph, &other, 1);
    graph.scan(&scanning, 10);
    let scanned = Instant::now();
    let mut sent = Vec::new();
    while scanned.elapsed() < Duration::from_secs(4) {
        let port = 2 + sent.len();
        sent.push((port, scanned.elapsed()));
        call_port(&graph, &other, port);
        std::thread::sleep(Duration::from_millis(100));
    }
    eventually("all calls", || {
        let answer = other.query(r#"{ serviceMap(from: "-20m") { edges { from } } }"#);
        let edges = answer["serviceMap"]["edges"].as_array()?;
        (edges.len() > sent.len()).then_some(())
    });
    // A call whose peer is unresolved makes a node for its endpoint.
    let is_resolved = |port: usize| {
        let query = format!(r#"{{ node(uid: "ext://10.0.0.9:{port}") {{ uid }} }}"#);
        other.query(&query)["node"].is_null()
    };
    assert!(!is_resolved(1), "the call was before the scan");
    let first = sent.iter().find(|(port, _)| is_resolved(*port));
    let (first, after) = *first.expect("an alias of the other process resolves");
    assert!(after < Duration::from_millis(1500), "{after:?}");
    println!("resolved {after:?} after the scan");
    let later = sent.iter().filter(|(port, _)| *port >= first);
    let unresolved: Vec<_> = later.filter(|(port, _)| !is_resolved(*port)).collect();
    assert!(unresolved.is_empty(), "{unresolved:?}");
}
