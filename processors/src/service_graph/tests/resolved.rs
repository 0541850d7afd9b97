//! Tests client spans whose server an earlier processor resolved (`peer_uid`).

use pipeline::attributes::{Map, map_to_json};
use pipeline::component::Processor;
use pipeline::schema::metrics;
use pipeline::{Signal, SignalSet};
use serde_json::{Value as Json, json};

use super::support::{
    TestSpan, at, client, connections, default_graph, find_batch, graph, process_spans, server,
};

const DATABASE: &str = "arn:aws:rds:eu-west-1:42:db:orders";
const INSTANCE: &str = "arn:aws:ec2:eu-west-1:42:instance/i-1";

/// Three client spans of one service: to a database, to an endpoint, and without a peer name.
fn calls() -> [TestSpan; 3] {
    let database = json!({"db.namespace": "orders", "server.address": "db.example"});
    [
        client("web", 1).with(database),
        client("web", 2).with(json!({"server.address": "10.0.0.7", "server.port": 8080})),
        client("web", 3),
    ]
}

fn resolved(spans: [TestSpan; 3]) -> [TestSpan; 3] {
    let [database, endpoint, unnamed] = spans;
    let with = |span, uid| TestSpan {
        peer_uid: Some(uid),
        ..span
    };
    [
        with(database, DATABASE),
        with(endpoint, INSTANCE),
        with(unnamed, INSTANCE),
    ]
}

#[test]
fn an_edge_leads_to_the_resolved_node_instead_of_an_endpoint() {
    let mut graph = default_graph();
    process_spans(&mut graph, &resolved(calls()), at(2));
    let output = graph.finish(at(9));
    let edge = |to: &str| format!("web -> {to}");
    assert_eq!(
        connections(&output),
        [
            (edge(INSTANCE), "virtual_node".to_owned()),
            (edge(DATABASE), "database".to_owned()),
        ]
    );
    let nodes = find_batch(&output, Signal::Nodes).unwrap();
    let uids: Vec<_> = nodes.uid().iter().flatten().collect();
    assert_eq!(
        uids,
        ["svc://prod/shop/web"],
        "resolved nodes are not reported"
    );
}

#[test]
fn a_server_span_or_a_named_service_takes_precedence_over_the_resolved_node() {
    let mut graph = default_graph();
    let resolved = |span| TestSpan {
        peer_uid: Some(INSTANCE),
        ..span
    };
    let named = client("web", 1).with(json!({"peer.service": "mail"}));
    let spans = [
        resolved(named),
        resolved(client("web", 2)),
        server("cart", 2),
    ];
    process_spans(&mut graph, &spans, at(2));
    let edges: Vec<_> = connections(&graph.finish(at(9))).into_iter().collect();
    let edges: Vec<&str> = edges.iter().map(|(edge, _)| edge.as_str()).collect();
    assert_eq!(edges, ["web -> cart", "web -> mail"]);
}

/// Name and attributes of each series.
fn series(spans: &[TestSpan]) -> Vec<String> {
    let mut graph = graph("{}", SignalSet::of(&[Signal::Metrics]));
    process_spans(&mut graph, spans, at(2));
    let output = graph.finish(at(9));
    let batch = find_batch(&output, Signal::Metrics).unwrap();
    let row = |row| {
        let attributes = map_to_json(Map::new(batch.bytes(metrics::ATTRIBUTES).value(row)));
        let name = batch.text(metrics::NAME).value(row);
        format!("{name} {}", Json::Object(attributes))
    };
    let mut all: Vec<_> = (0..batch.num_rows()).map(row).collect();
    all.sort();
    all
}

#[test]
fn metrics_have_the_same_labels_with_and_without_a_resolved_node() {
    let without = series(&calls());
    assert_eq!(series(&resolved(calls())), without);
    assert!(
        without
            .iter()
            .any(|series| series.contains(r#""server":"orders""#))
    );
}
