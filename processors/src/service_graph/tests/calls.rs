//! Which spans make which call.

use pipeline::component::Processor;
use pipeline::{Signal, SignalSet};
use serde_json::json;

use super::support::{
    SECOND, START, Span, at, batch, client, connections, decoded, default_graph, figures, give,
    graph, seen_edges, server,
};

fn is(edge: &str, connection: &str) -> Vec<(String, String)> {
    vec![(edge.to_owned(), connection.to_owned())]
}

#[test]
fn a_pair_is_one_call_in_either_order_and_across_batches() {
    let (one, other) = (client("web", 1), server("cart", 1));
    for spans in [[one.clone(), other.clone()], [other, one]] {
        let mut graph = default_graph();
        let mut apart = default_graph();
        give(&mut graph, &spans, at(2));
        give(&mut apart, &spans[..1], at(2));
        give(&mut apart, &spans[1..], at(3));
        for graph in [&mut graph, &mut apart] {
            let made = graph.tick(at(4));
            assert_eq!(connections(&made), is("web -> cart", ""));
            let finished = graph.finish(at(9));
            assert!(figures(&finished).is_empty(), "nothing was left");
        }
    }
}

#[test]
fn spans_of_other_traces_are_no_partners() {
    let mut graph = default_graph();
    let other = Span {
        trace: 2,
        ..server("cart", 1)
    };
    give(&mut graph, &[client("web", 1), other], at(2));
    assert!(figures(&graph.tick(at(3))).is_empty());
}

#[test]
fn the_duration_is_the_servers_and_a_failure_is_of_either_side() {
    let mut graph = default_graph();
    let failing = |span: Span| Span {
        failed: true,
        ..span
    };
    let quick = server("cart", 1).between(START + SECOND / 4, START + SECOND / 2);
    give(&mut graph, &[client("web", 1), quick.clone()], at(2));
    give(
        &mut graph,
        &[failing(client("web", 1)), quick.clone()],
        at(2),
    );
    give(&mut graph, &[client("web", 1), failing(quick)], at(2));
    let all = figures(&graph.tick(at(3)));
    assert_eq!((all[0].calls, all[0].errors), (3, 2));
    assert_eq!((all[0].sum, all[0].max), (0.75, 0.25));
    // 2^-2 s is the upper bound of bucket -17.
    assert_eq!((all[0].offset, all[0].counts.as_slice()), (-17, &[3][..]));
}

#[test]
fn a_producer_and_its_consumer_are_a_call_by_a_messaging_system() {
    let mut graph = default_graph();
    let producer = Span {
        kind: 4,
        ..client("web", 1)
    };
    let consumer = Span {
        kind: 5,
        ..server("mailer", 1)
    };
    give(&mut graph, &[consumer, producer], at(2));
    let made = graph.tick(at(3));
    assert_eq!(connections(&made), is("web -> mailer", "messaging_system"));
    assert_eq!(seen_edges(&made)[0].2, 1.0);
}

#[test]
fn a_consumer_that_begins_a_trace_is_joined_by_its_link() {
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
    let made = graph.finish(at(3));
    assert_eq!(
        connections(&made),
        is("svc:////web -> svc:////mailer", "messaging_system")
    );
}

#[test]
fn a_database_is_known_by_its_client_alone_even_if_it_sends_spans() {
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
        give(&mut graph, &spans, at(2));
        let made = graph.finish(at(3));
        assert_eq!(connections(&made), is(edge, "database"));
        assert_eq!(figures(&made)[0].sum, 1.0);
    }
}

#[test]
fn a_client_without_a_server_calls_whom_it_names() {
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
        give(&mut graph, &[client("web", 1).with(attributes)], at(2));
        assert!(figures(&graph.tick(at(3))).is_empty(), "it still waits");
        let made = graph.tick(at(5));
        assert_eq!(connections(&made), is(edge, "virtual_node"));
        assert_eq!(seen_edges(&made)[0].2, 0.5);
    }
}

#[test]
fn a_server_without_a_parent_is_called_by_a_user_and_one_whose_parent_is_lost_by_nobody() {
    let mut graph = default_graph();
    give(&mut graph, &[server("web", 0), server("cart", 7)], at(2));
    let made = graph.finish(at(3));
    assert_eq!(connections(&made), is("ext://user: -> web", "virtual_node"));
}

#[test]
fn without_peer_attributes_there_are_no_virtual_nodes() {
    let mut graph = graph(r#"{"virtual_node_peer_attributes": []}"#, SignalSet::ALL);
    give(&mut graph, &[server("web", 0), client("web", 1)], at(2));
    assert!(graph.finish(at(9)).is_empty());
}

#[test]
fn what_an_older_processor_says_of_the_uid_is_kept() {
    let mut graph = default_graph();
    let named = |span: Span, uid| Span {
        uid: Some(uid),
        ..span
    };
    let web = named(client("web", 1), "svc://prod/shop/web-2");
    let cart = named(server("cart", 1), "k8s://c//pod/7");
    give(&mut graph, &[web, cart], at(2));
    let made = graph.finish(at(3));
    assert_eq!(connections(&made), is("web-2 -> cart", ""));
}

#[test]
fn spans_that_are_no_side_of_a_call_or_have_no_service_count_nothing() {
    let mut graph = default_graph();
    let internal = Span {
        kind: 1,
        ..client("web", 1)
    };
    give(&mut graph, &[internal, client("", 2), server("", 0)], at(2));
    assert!(graph.finish(at(3)).is_empty());
}

#[test]
fn what_nobody_wants_is_not_computed() {
    let pair = [client("web", 1), server("cart", 1)];
    let mut idle = graph("{}", SignalSet::of(&[Signal::Traces, Signal::Logs]));
    give(&mut idle, &pair, at(2));
    assert_eq!(idle.halves.len(), 0);
    assert!(idle.finish(at(9)).is_empty());
    for signal in [
        Signal::Nodes,
        Signal::Edges,
        Signal::EdgeStats,
        Signal::Metrics,
    ] {
        let mut graph = graph("{}", SignalSet::of(&[signal]));
        give(&mut graph, &pair, at(2));
        let made: Vec<_> = graph.finish(at(9)).iter().map(|b| b.signal()).collect();
        assert_eq!(made, [signal]);
    }
}

#[tokio::test]
async fn the_sender_is_answered_once_the_spans_are_absorbed() {
    let (delivery, receipt) = pipeline::Delivery::new(None);
    let mut graph = default_graph();
    let spans = batch(&[client("web", 1)]).with_delivery(delivery);
    drop(graph.process(spans, at(2)).unwrap());
    assert_eq!(receipt.await, pipeline::Outcome::Delivered);
    let made = graph.finish(at(3));
    assert!(made.iter().all(|batch| !batch.delivery().is_awaited()));
}
