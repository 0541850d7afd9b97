//! Joins telemetry with a scan: a service runs on its instance and calls its database, whether the spans or the scan
//! came first.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};

use crate::support::{AccountNames, Airdig, CREDENTIALS, Moto, eventually, post};

const TELEMETRY: &str = r#"
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
processors:
  graph: {}
  identity: {store: sqlite}
  service_graph: {store: {ttl: 1s}}
exporters:
  sqlite: {path: "${env:OUT}/graph.db"}
  graphql: {endpoint: "127.0.0.1:0", store: sqlite}
service:
  pipelines:
    unified: {receivers: [otlp], processors: [graph, identity, service_graph], exporters: [sqlite, graphql]}
"#;

/// Overrides `TELEMETRY`.
const CLOUD: &str = r#"
receivers:
  aws: {endpoint: "${env:ENDPOINT}", regions: [us-east-1], interval: 1s, store: sqlite}
service:
  pipelines:
    unified: {receivers: [otlp, aws]}
"#;

const SERVICE: &str = "svc:///shop/orders";

fn start(folder: &Path, configs: &[&str], moto: &Moto) -> Airdig {
    let mut files = Vec::new();
    for (number, config) in configs.iter().enumerate() {
        let file = folder.join(format!("{number}.yaml"));
        fs::write(&file, config).unwrap();
        files.push(file);
    }
    let files: Vec<&Path> = files.iter().map(AsRef::as_ref).collect();
    let mut environment = vec![("OUT", folder), ("ENDPOINT", Path::new(&moto.url))];
    environment.extend(CREDENTIALS.map(|(name, value)| (name, Path::new(value))));
    Airdig::start_with(&files, &environment)
}

/// Host and port of a database, as AWS reports them.
fn endpoint(moto: &Moto, names: &AccountNames, database: &str) -> (String, u64) {
    let printed = moto.scan(&["-o", "json", "--kind", "AWS::RDS::DBInstance"]);
    let rows = printed
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap());
    let row = rows
        .into_iter()
        .find(|row| row["uid"] == names.uid(database))
        .unwrap();
    let endpoint = &row["configuration"]["Endpoint"];
    (
        endpoint["Address"].as_str().unwrap().to_owned(),
        endpoint["Port"].as_u64().unwrap(),
    )
}

/// Sends a client span of the service, which runs on an instance and calls a database.
fn send_span(airdig: &Airdig, names: &AccountNames, (address, port): &(String, u64)) {
    let text = |key: &str, text: &str| json!({"key": key, "value": {"stringValue": text}});
    let start = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_nanos();
    let span = json!({
        "traceId": format!("{start:032x}"), "spanId": "00000000000000aa", "name": "SELECT orders", "kind": 3,
        "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + 20_000_000).to_string(),
        "attributes": [
            text("db.system.name", "postgresql"), text("db.namespace", "orders"), text("server.address", address),
            {"key": "server.port", "value": {"intValue": port.to_string()}},
        ],
    });
    let resource = [
        text("service.name", "orders"),
        text("service.namespace", "shop"),
        text("cloud.provider", "aws"),
        text("cloud.account.id", "123456789012"),
        text("cloud.region", "us-east-1"),
        text("host.id", names.id("instance/web-1")),
    ];
    let request = json!({"resourceSpans": [{
        "resource": {"attributes": resource}, "scopeSpans": [{"spans": [span]}],
    }]});
    let url = format!(
        "http://{}/v1/traces",
        airdig.address("receivers/otlp", "http")
    );
    let (status, answer) = post(&url, "application/json", request.to_string().as_bytes());
    assert_eq!(status, 200, "{answer}");
}

/// Waits until the service runs on its instance and calls its database. Then the impact of the security group and of
/// the route table of the database reaches the service.
fn wait_for_the_graph(airdig: &Airdig, names: &AccountNames) {
    let neighbors =
        format!("{{ neighbors(uid: {SERVICE:?}, direction: OUT) {{ edges {{ kind to }} }} }}");
    let expected: BTreeSet<(String, String)> =
        [("CALLS", "db/main"), ("RUNS_ON", "instance/web-1")]
            .map(|(kind, name)| (kind.to_owned(), names.uid(name).to_owned()))
            .into();
    let mut actual = BTreeSet::new();
    let what = format!("{expected:?}");
    eventually(&what, || {
        let answer = airdig
            .query("{ nodes(filter: {text: \"svc:///shop/orders\"}) { edges { node { uid } } } }");
        if answer["nodes"]["edges"].as_array()?.is_empty() {
            return None;
        }
        let answer = airdig.query(&neighbors);
        let edges = answer["neighbors"]["edges"].as_array()?.clone();
        let text = |edge: &Json, key: &str| edge[key].as_str().unwrap_or_default().to_owned();
        actual = edges
            .iter()
            .map(|edge| (text(edge, "kind"), text(edge, "to")))
            .collect();
        (actual == expected).then_some(())
    });
    let database = "db/main";
    for path in [
        &["sg/db", database][..],
        &["rtb/data", "subnet/data-a", database],
    ] {
        let start = names.uid(path[0]);
        let impact = airdig.query(&format!(
            "{{ impact(uid: {start:?}) {{ nodes {{ node {{ uid }} path }} }} }}"
        ));
        let nodes = impact["impact"]["nodes"].as_array().unwrap();
        let service = nodes.iter().find(|it| it["node"]["uid"] == SERVICE);
        let service = service.unwrap_or_else(|| panic!("{SERVICE} is not reached: {impact:#}"));
        let path = path.iter().map(|name| names.uid(name));
        let path: Vec<&str> = path.chain([SERVICE]).collect();
        assert_eq!(service["path"], json!(path));
    }
}

#[test]
fn a_service_is_joined_with_its_instance_and_database_when_the_scan_came_first() {
    let (moto, folder) = (Moto::start(), tempfile::tempdir().unwrap());
    let names = moto.build_account();
    let database = endpoint(&moto, &names, "db/main");
    let airdig = start(folder.path(), &[TELEMETRY, CLOUD], &moto);
    let node = format!("{{ node(uid: {:?}) {{ name }} }}", names.uid("db/main"));
    eventually("the node of the database", || {
        (!airdig.query(&node)["node"].is_null()).then_some(())
    });
    send_span(&airdig, &names, &database);
    wait_for_the_graph(&airdig, &names);
    assert!(airdig.stop().success());
}

#[test]
fn a_service_is_joined_with_its_instance_and_database_when_the_trace_came_first() {
    let (moto, folder) = (Moto::start(), tempfile::tempdir().unwrap());
    let names = moto.build_account();
    let database = endpoint(&moto, &names, "db/main");
    let airdig = start(folder.path(), &[TELEMETRY], &moto);
    send_span(&airdig, &names, &database);
    assert!(airdig.stop().success());
    let airdig = start(folder.path(), &[TELEMETRY, CLOUD], &moto);
    wait_for_the_graph(&airdig, &names);
    assert!(airdig.stop().success());
}
