//! Tests the emitted nodes and edges.

use pipeline::Signal;
use pipeline::attributes::{Map, map_to_json};
use pipeline::component::Processor;
use pipeline::schema::{edges, nodes, opening};
use serde_json::json;

use super::support::{
    SECOND, START, at, batch_of, client, default_graph, edge_rows, find_batch, process_spans,
    server,
};

#[test]
fn the_time_of_an_edge_is_the_end_of_its_newest_span() {
    let mut graph = default_graph();
    let first = [client("web", 1), server("cart", 1)];
    let longer = [
        client("web", 2).between(START, START + 3 * SECOND),
        server("cart", 2),
    ];
    process_spans(&mut graph, &longer, at(10));
    process_spans(&mut graph, &first, at(10));
    let output = graph.tick(at(12));
    let edge = ("web -> cart".to_owned(), at(3).timestamp(), 1.0);
    assert_eq!(edge_rows(&output), [edge]);
    let batch = find_batch(&output, Signal::Edges).unwrap();
    for (column, word) in [
        (edges::MODE, "observed"),
        (edges::KIND, "CALLS"),
        (opening::SOURCE, "service_graph"),
    ] {
        assert_eq!(batch.words(column).values().value(0), word);
    }
}

#[test]
fn an_edge_has_the_highest_confidence_of_its_calls() {
    let mut graph = default_graph();
    process_spans(&mut graph, &[client("web", 1), server("cart", 1)], at(2));
    graph.tick(at(3));
    let unconfirmed = client("web", 2).with(json!({"peer.service": "cart"}));
    process_spans(&mut graph, &[unconfirmed], at(4));
    let output = graph.tick(at(7));
    assert_eq!(edge_rows(&output)[0].2, 1.0);
}

/// Uid, kind, name and value of each row of `nodes`.
fn node_rows(batches: &[pipeline::Batch]) -> Vec<(String, String, String, serde_json::Value)> {
    let Some(batch) = find_batch(batches, Signal::Nodes) else {
        return Vec::new();
    };
    let word = |column, row: usize| {
        let words = batch.words(column);
        let key = words.keys().value(row) as usize;
        words.values().value(key).to_owned()
    };
    let row = |row| {
        assert_eq!(word(nodes::OP, row), "observed");
        assert_eq!(word(nodes::GROUP, row), "telemetry");
        let value = map_to_json(Map::new(batch.bytes(nodes::VALUE).value(row)));
        (
            batch.uid().value(row).to_owned(),
            word(nodes::KIND, row),
            batch.text(nodes::NAME).value(row).to_owned(),
            serde_json::Value::Object(value),
        )
    };
    let mut all: Vec<_> = (0..batch.num_rows()).map(row).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

#[test]
fn both_ends_of_a_call_are_reported_as_nodes() {
    let mut graph = default_graph();
    let database =
        json!({"db.name": "orders", "server.address": "db.example", "server.port": 5432});
    let spans = [
        server("web", 0),
        client("web", 1).with(database),
        client("web", 2).with(json!({"server.address": "api.example"})),
    ];
    process_spans(&mut graph, &spans, at(2));
    let all = node_rows(&graph.finish(at(9)));
    let expected = [
        (
            "ext://api.example:",
            "external",
            "api.example",
            json!({"server.address": "api.example"}),
        ),
        (
            "ext://db.example:5432",
            "database",
            "db.example",
            json!({"server.address": "db.example", "server.port": 5432}),
        ),
        ("ext://user:", "user", "user", json!({})),
        (
            "svc://prod/shop/web",
            "service",
            "web",
            json!({
                "service.name": "web",
                "service.namespace": "shop",
                "deployment.environment.name": "prod",
            }),
        ),
    ];
    let expected = expected
        .map(|(uid, kind, name, value)| (uid.to_owned(), kind.to_owned(), name.to_owned(), value));
    assert_eq!(all, expected);
}

#[test]
fn a_node_is_reported_once_a_minute() {
    let mut graph = default_graph();
    let pair = [client("web", 1), server("cart", 1)];
    let mut counts = Vec::new();
    for second in [0, 30, 59, 61, 100, 122] {
        process_spans(&mut graph, &pair, at(second));
        counts.push(node_rows(&graph.tick(at(second))).len());
    }
    assert_eq!(counts, [2, 0, 0, 2, 0, 2]);
}

#[test]
fn a_service_known_by_name_is_reported_again_when_its_own_spans_add_details() {
    let mut graph = default_graph();
    let named = [client("web", 1).with(json!({"peer.service": "cart"}))];
    process_spans(&mut graph, &named, at(0));
    graph.tick(at(20));
    let resource = json!({
        "service.name": "cart", "service.namespace": "shop",
        "deployment.environment.name": "prod", "service.version": "2",
    });
    let server_spans = batch_of(&[server("cart", 0)], Some(&resource));
    let output = graph.process(server_spans, at(21)).unwrap();
    assert_eq!(output.len(), 1);
    let all = node_rows(&graph.tick(at(24)));
    let cart = all.iter().find(|node| node.0 == "svc://prod/shop/cart");
    assert_eq!(cart.unwrap().3, resource);
}
