//! The quick start: the simulated shop of the `demo` receiver, queried from the terminal.

use std::fs;

use crate::support::{Airdig, airdig, eventually};

const CONFIG: &str = r#"
receivers:
  demo: {speed: 60}
processors:
  identity: {}
  graph: {}
  service_graph: {store: {ttl: 1s}}
  impact: {store: sqlite}
exporters:
  sqlite: {path: "${env:OUT}/graph.db"}
  graphql: {endpoint: "127.0.0.1:0", store: sqlite}
service:
  pipelines:
    unified: {receivers: [demo], processors: [identity, graph, service_graph, impact], exporters: [sqlite, graphql]}
"#;

const SERVICES: [&str; 8] = [
    "cart",
    "catalog",
    "checkout",
    "frontend",
    "notifications",
    "payment",
    "recommendation",
    "shipping",
];

#[test]
fn the_shop_has_a_service_map_and_its_open_security_group_has_impact_on_services() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("demo.yaml");
    fs::write(&config, CONFIG).unwrap();
    let running = Airdig::start(&config, &[("OUT", folder.path())]);
    let map = "{ serviceMap { nodes { name kind } edges { from to rate p95 } } }";
    eventually("eight services and their database", || {
        let map = running.query(map);
        let nodes = map["serviceMap"]["nodes"].as_array()?.clone();
        let has = |name: &str, kind: &str| {
            nodes
                .iter()
                .any(|node| node["name"] == name && node["kind"] == kind)
        };
        let is_whole = SERVICES.iter().all(|name| has(name, "service"))
            && has("shop-db", "AWS::RDS::DBInstance");
        let edges = map["serviceMap"]["edges"].as_array()?;
        let measured = edges
            .iter()
            .all(|edge| edge["rate"].as_f64() > Some(0.0) && edge["p95"].as_f64() > Some(0.0));
        (is_whole && measured && edges.len() >= 12).then_some(())
    });
    eventually("the change that opened the security group", || {
        let entries =
            running.query(r#"{ timeline(uid: "sg-database") { edges { node { summary } } } }"#);
        entries
            .to_string()
            .contains("AuthorizeSecurityGroupIngress by ")
            .then_some(())
    });
    let opened =
        running.query(r#"{ timeline(uid: "sg-database") { edges { node { kind details } } } }"#);
    let entries = opened["timeline"]["edges"].as_array().unwrap().iter();
    let mut changes = entries.filter(|entry| entry["node"]["kind"] == "change");
    let change = changes.next_back().unwrap();
    let impact = &change["node"]["details"]["impact"];
    assert!(
        impact["count"].as_u64() >= Some(2) && impact["top"].to_string().contains("db:shop-db"),
        "the change names the resources that it affects: {impact}"
    );
    let impact = running.query(r#"{ impact(uid: "sg-database") { nodes { node { name } } } }"#);
    let reached = impact["impact"]["nodes"].to_string();
    for name in ["shop-db", "catalog", "frontend"] {
        assert!(reached.contains(name), "{name}: {reached}");
    }
    let endpoint = format!(
        "http://{}/graphql",
        running.address("exporters/graphql", "http")
    );
    let query = r#"{ neighbors(uid: "sg-database", depth: 3, direction: IN) { nodes { distance node { name kind } } } }"#;
    let output = airdig()
        .args(["query", query, "-o", "table", "--endpoint", &endpoint])
        .output()
        .unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for expected in [
        ["1", "db-proxy", "AWS::EC2::Instance"],
        ["1", "shop-db", "AWS::RDS::DBInstance"],
        ["2", "catalog", "service"],
        ["3", "frontend", "service"],
    ] {
        let is_row = |line: &str| line.split_whitespace().collect::<Vec<_>>() == expected;
        assert!(
            table.lines().any(is_row),
            "{expected:?} is missing:\n{table}"
        );
    }
    let services =
        r#"{ neighbors(uid: "sg-services", direction: IN) { nodes { node { kind } } } }"#;
    let output = airdig()
        .args(["query", services, "--endpoint", &endpoint])
        .output()
        .unwrap();
    let answer = String::from_utf8(output.stdout).unwrap();
    assert!(
        answer.contains("AWS::EC2::Instance"),
        "without a terminal the output is JSON: {answer}"
    );
    assert!(running.stop().success());
}

#[test]
fn a_query_without_a_response_is_an_error_on_standard_error() {
    let unreachable = "http://127.0.0.1:1/graphql";
    let output = airdig()
        .args(["query", "{ __typename }", "--endpoint", unreachable])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.contains(unreachable) && errors.contains("--endpoint"),
        "{errors}"
    );
}
