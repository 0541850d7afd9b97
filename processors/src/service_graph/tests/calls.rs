//! Tests which calls are counted for which spans.

use pipeline::component::Processor;
use pipeline::{Signal, SignalSet};
use serde_json::json;

use super::support::{
    SECOND, START, TestSpan, at, batch, client, connections, decoded, default_graph, edge_rows,
    graph, process_spans, server, stats_rows,
};

/// One edge with its connection type.
fn one(edge: &str, connection: &str) -> Vec<(String, String)> {
    vec![(edge.to_owned(), connection.to_owned())]
}

#[test]
fn a_pair_is_one_call_in_any_order_and_across_batches() {
    let (web, cart) = (client("web", 1), server("cart", 1));
    for spans in [[web.clone(), cart.clone()], [cart, web]] {
        let mut graph = default_graph();
        let mut apart = default_graph();
        process_spans(&mut graph, &spans, at(2));
        process_spans(&mut apart, &spans[..1], at(2));
        process_spans(&mut apart, &spans[1..], at(3));
        for graph in [&mut graph, &mut apart] {
            let output = graph.tick(at(4));
            assert_eq!(connections(&output), one("web -> cart", ""));
            let finished = graph.finish(at(9));
            assert!(stats_rows(&finished).is_empty(), "no span is pending");
        }
    }
}

#[test]
fn spans_of_different_traces_are_not_partners() {
    let mut graph = default_graph();
    let other = TestSpan {
        trace: 2,
        ..server("cart", 1)
    };
    process_spans(&mut graph, &[client("web", 1), other], at(2));
    assert!(stats_rows(&graph.tick(at(3))).is_empty());
}

#[test]
fn the_duration_is_that_of_the_server_span_and_a_call_fails_if_either_span_fails() {
    let mut graph = default_graph();
    let failing = |span: TestSpan| TestSpan {
        failed: true,
        ..span
    };
    let quick = server("cart", 1).between(START + SECOND / 4, START + SECOND / 2);
    process_spans(&mut graph, &[client("web", 1), quick.clone()], at(2));
    process_spans(
        &mut graph,
        &[failing(client("web", 1)), quick.clone()],
        at(2),
    );
    process_spans(&mut graph, &[client("web", 1), failing(quick)], at(2));
    let all = stats_rows(&graph.tick(at(3)));
    assert_eq!((all[0].calls, all[0].errors), (3, 2));
    assert_eq!((all[0].sum, all[0].max), (0.75, 0.25));
    // 2^-2 s is the upper bound of bucket -17.
    assert_eq!((all[0].offset, all[0].counts.as_slice()), (-17, &[3][..]));
}

#[test]
fn a_producer_and_its_consumer_are_a_messaging_call() {
    let mut graph = default_graph();
    let producer = TestSpan {
        kind: 4,
        ..client("web", 1)
    };
    let consumer = TestSpan {
        kind: 5,
        ..server("mailer", 1)
    };
    process_spans(&mut graph, &[consumer, producer], at(2));
    let output = graph.tick(at(3));
    assert_eq!(
        connections(&output),
        one("web -> mailer", "messaging_system")
    );
    assert_eq!(edge_rows(&output)[0].2, 1.0);
}

#[test]
fn a_consumer_that_starts_a_trace_is_joined_by_its_link() {
    let id = |byte: u8| vec![byte; 8];
    let trace = |byte: u8| vec![byte; 16];
    let link = opentelemetry_proto::tonic::trace::v1::span::Link {
        trace_id: trace(1),
        span_id: id(1),
        ..Default::default()
    };
    let consumer = opentelemetry_proto::tonic::trace::v1::Span {
        trace_id: trace(2),
        span_id: id(2),
        kind: 5,
        links: vec![link],
        ..Default::default()
    };
    let producer = opentelemetry_proto::tonic::trace::v1::Span {
        trace_id: trace(1),
        span_id: id(1),
        kind: 4,
        ..Default::default()
    };
    let mut graph = default_graph();
    for (service, span) in [("mailer", consumer), ("web", producer)] {
        graph.process(decoded(service, span), at(2)).unwrap();
    }
    let output = graph.finish(at(3));
    assert_eq!(
        connections(&output),
        one("svc:////web -> svc:////mailer", "messaging_system")
    );
}

#[test]
fn a_database_call_needs_only_the_client_span() {
    let cases = [
        (
            json!({"db.name": "orders", "server.address": "db.example", "server.port": 5432}),
            "cart -> ext://db.example:5432",
        ),
        (json!({"db.namespace": "orders"}), "cart -> ext://orders:"),
        (json!({"db.system.name": "redis"}), "cart -> ext://redis:"),
        (
            json!({"db.system": "redis", "net.peer.name": "::1", "net.peer.port": 6379}),
            "cart -> ext://[::1]:6379",
        ),
    ];
    for (attributes, edge) in cases {
        let mut graph = default_graph();
        let spans = [client("cart", 1).with(attributes), server("postgres", 1)];
        process_spans(&mut graph, &spans, at(2));
        let output = graph.finish(at(3));
        assert_eq!(connections(&output), one(edge, "database"));
        assert_eq!(stats_rows(&output)[0].sum, 1.0);
    }
}

#[test]
fn a_client_without_a_server_span_calls_the_peer_that_it_names() {
    let cases = [
        (json!({"peer.service": "bank"}), "web -> bank"),
        (json!({"service.peer.name": "bank"}), "web -> bank"),
        (
            json!({"server.address": "api.example", "server.port": 443}),
            "web -> ext://api.example:443",
        ),
        (
            json!({"server.address": "api.example", "peer.service": "bank"}),
            "web -> bank",
        ),
        (json!({"http.route": "/"}), "web -> ext://unknown:"),
    ];
    for (attributes, edge) in cases {
        let mut graph = default_graph();
        process_spans(&mut graph, &[client("web", 1).with(attributes)], at(2));
        assert!(
            stats_rows(&graph.tick(at(3))).is_empty(),
            "the span is still pending"
        );
        let output = graph.tick(at(5));
        assert_eq!(connections(&output), one(edge, "virtual_node"));
        assert_eq!(edge_rows(&output)[0].2, 0.5);
    }
}

#[test]
fn a_root_server_span_is_a_call_by_a_user_and_one_with_a_lost_parent_is_not_counted() {
    let mut graph = default_graph();
    process_spans(&mut graph, &[server("web", 0), server("cart", 7)], at(2));
    let output = graph.finish(at(3));
    assert_eq!(
        connections(&output),
        one("ext://user: -> web", "virtual_node")
    );
}

#[test]
fn without_peer_attributes_there_are_no_virtual_nodes() {
    let mut graph = graph(r#"{"virtual_node_peer_attributes": []}"#, SignalSet::ALL);
    process_spans(&mut graph, &[server("web", 0), client("web", 1)], at(2));
    assert!(graph.finish(at(9)).is_empty());
}

#[test]
fn a_service_uid_of_an_earlier_processor_is_kept() {
    let mut graph = default_graph();
    let named = |span: TestSpan, uid| TestSpan {
        uid: Some(uid),
        ..span
    };
    let web = named(client("web", 1), "svc://prod/shop/web-2");
    let cart = named(server("cart", 1), "k8s://c//pod/7");
    process_spans(&mut graph, &[web, cart], at(2));
    let output = graph.finish(at(3));
    assert_eq!(connections(&output), one("web-2 -> cart", ""));
}

#[test]
fn internal_spans_and_spans_without_a_service_are_not_counted() {
    let mut graph = default_graph();
    let internal = TestSpan {
        kind: 1,
        ..client("web", 1)
    };
    process_spans(&mut graph, &[internal, client("", 2), server("", 0)], at(2));
    assert!(graph.finish(at(3)).is_empty());
}

#[test]
fn only_accepted_signals_are_computed() {
    let pair = [client("web", 1), server("cart", 1)];
    let mut idle = graph("{}", SignalSet::of(&[Signal::Traces, Signal::Logs]));
    process_spans(&mut idle, &pair, at(2));
    assert_eq!(idle.pending.len(), 0);
    assert!(idle.finish(at(9)).is_empty());
    for signal in [
        Signal::Nodes,
        Signal::Edges,
        Signal::EdgeStats,
        Signal::Metrics,
    ] {
        let mut graph = graph("{}", SignalSet::of(&[signal]));
        process_spans(&mut graph, &pair, at(2));
        let output: Vec<_> = graph.finish(at(9)).iter().map(|b| b.signal()).collect();
        assert_eq!(output, [signal]);
    }
}

#[tokio::test]
async fn counting_does_not_delay_the_acknowledgement_of_spans() {
    let (delivery, receipt) = pipeline::Delivery::new(None);
    let mut graph = default_graph();
    let spans = batch(&[client("web", 1)]).with_delivery(delivery);
    drop(graph.process(spans, at(2)).unwrap());
    assert_eq!(receipt.await, pipeline::Outcome::Delivered);
    let output = graph.finish(at(3));
    assert!(output.iter().all(|batch| !batch.delivery().is_awaited()));
}
