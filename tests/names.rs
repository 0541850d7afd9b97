//! A service, its instance and its database: the spans say names, a scan in another pipeline says
//! whose they are.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};

use crate::support::{Airdig, eventually, post};

/// The scan comes as log records, of which a query makes rows of `resources`.
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

/// An empty graph, and airdig on it as often as it is started.
struct Graph {
    folder: tempfile::TempDir,
    /// Nanoseconds since 1970, some minutes ago.
    began: u64,
}

impl Graph {
    fn new() -> Graph {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("names.yaml"), CONFIG).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Graph {
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
        let seen = [
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
        let records =
            seen.map(|seen| json!({"timeUnixNano": time, "attributes": attributes(&seen)}));
        let request = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]});
        send(airdig, "logs", &request);
    }

    /// Two calls of a service on the first instance: of the database, and of the other instance.
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

/// The service runs on its instance, and calls the database and the other instance: so many times.
fn expect(airdig: &Airdig, calls: u64) {
    let question = r#"{
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
    eventually("an answer", || {
        last = airdig.query(question);
        (last == expected || start.elapsed().as_secs() > 15).then_some(())
    });
    assert_eq!(last, expected, "{last:#}");
}

#[test]
fn spans_that_come_after_the_scan_lead_to_what_it_has_found() {
    let graph = Graph::new();
    let airdig = graph.start();
    graph.scan(&airdig, 10);
    graph.call(&airdig, 20);
    expect(&airdig, 1);
    assert!(airdig.stop().success());
}

#[test]
fn spans_that_came_before_the_scan_are_joined_with_what_it_finds() {
    let graph = Graph::new();
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
fn names_outlive_the_process_that_was_told_them() {
    let graph = Graph::new();
    let airdig = graph.start();
    graph.scan(&airdig, 10);
    assert!(airdig.stop().success());
    let airdig = graph.start();
    graph.call(&airdig, 20);
    expect(&airdig, 1);
    assert!(airdig.stop().success());
}

/// One call of the other instance by a service on the first one.
fn call_port(graph: &Graph, airdig: &Airdig, port: usize) {
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
fn what_one_process_scans_another_one_knows_about_a_second_later() {
    let graph = Graph::new();
    let (scanning, other) = (graph.start(), graph.start());
    // Before the scan no node has the address.
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
    // A call whose peer was not found made a node of its endpoint.
    let found = |port: usize| {
        let question = format!(r#"{{ node(uid: "ext://10.0.0.9:{port}") {{ uid }} }}"#);
        other.query(&question)["node"].is_null()
    };
    assert!(!found(1), "it came before the scan");
    let first = sent.iter().find(|(port, _)| found(*port));
    let (first, after) = *first.expect("the name of the other process is known");
    assert!(after < Duration::from_millis(1500), "{after:?}");
    println!("known {after:?} after the scan");
    let later = sent.iter().filter(|(port, _)| *port >= first);
    let lost: Vec<_> = later.filter(|(port, _)| !found(*port)).collect();
    assert!(lost.is_empty(), "{lost:?}");
}
