//! Tests the limits of pending spans, interned names, edges and edge stats.

use pipeline::component::{Processor, UnixNanos};
use pipeline::{Signal, SignalSet};
use serde_json::json;

use super::support::{
    MINUTE, START, TestSpan, at, client, connections, default_graph, find_batch, graph,
    process_spans, server, stats_rows,
};
use crate::service_graph::{FIRST_SWEEP_AT, FLUSH_ROWS};

#[test]
fn at_max_items_new_spans_are_dropped_with_a_warning() {
    let mut graph = graph(r#"{"store": {"max_items": 2}}"#, SignalSet::ALL);
    let clients: Vec<TestSpan> = (1..=5).map(|id| client("web", id)).collect();
    process_spans(&mut graph, &clients, at(2));
    assert_eq!(graph.pending.len(), 2);
    // The first warning reports the three dropped spans. The next warning reports the spans dropped after it.
    assert_eq!(graph.dropped, 0);
    process_spans(&mut graph, &[client("web", 6)], at(3));
    assert_eq!(graph.dropped, 1);
    // Partners of pending spans are still counted.
    process_spans(&mut graph, &[server("cart", 1), server("cart", 2)], at(3));
    assert_eq!(stats_rows(&graph.tick(at(3)))[0].calls, 2);
    assert_eq!(graph.pending.len(), 0);
    // The throttle suppresses a second warning in the same ten seconds; `finish` writes it.
    graph.finish(at(13));
    assert_eq!(graph.dropped, 0);
}

#[test]
fn at_max_items_expired_spans_are_removed_first() {
    let mut graph = graph(r#"{"store": {"max_items": 1}}"#, SignalSet::ALL);
    process_spans(&mut graph, &[client("web", 1)], at(2));
    process_spans(&mut graph, &[client("web", 2)], at(5));
    assert_eq!(graph.dropped, 0);
    assert_eq!(
        connections(&graph.tick(at(5)))[0].0,
        "web -> ext://unknown:"
    );
}

#[test]
fn unused_names_are_removed() {
    let mut graph = graph("{}", SignalSet::of(&[Signal::Metrics]));
    let names = 3 * FIRST_SWEEP_AT as u64;
    for first in (0..names).step_by(1000) {
        let name = |index: u64| {
            let host = json!({"server.address": format!("host-{index}")});
            client("web", 1).with(host)
        };
        // All spans have the same id, so only the last one is pending.
        let spans: Vec<TestSpan> = (first..first + 1000).map(name).collect();
        process_spans(&mut graph, &spans, at(2));
    }
    assert!(
        graph.parties.len() < 2 * FIRST_SWEEP_AT,
        "{}",
        graph.parties.len()
    );
    let output = graph.finish(at(9));
    assert!(find_batch(&output, Signal::Metrics).is_some());
}

#[test]
fn evicted_edges_and_minutes_lose_no_calls() {
    let mut graph = graph("{}", SignalSet::of(&[Signal::EdgeStats]));
    let mut emitted = Vec::new();
    let calls = 80_000u64;
    for first in (0..calls).step_by(1000) {
        let call = |index: u64| {
            let database = json!({"db.name": format!("db-{index}")});
            let start = START + index % 3 * MINUTE;
            client("web", 1).with(database).between(start, start)
        };
        let spans: Vec<TestSpan> = (first..first + 1000).map(call).collect();
        emitted.extend(process_spans(&mut graph, &spans, UnixNanos(START + first)));
    }
    assert!(!emitted.is_empty(), "many rows are emitted before the tick");
    assert!(graph.counts.pending_rows() < FLUSH_ROWS);
    emitted.extend(graph.finish(at(9)));
    let all = stats_rows(&emitted);
    assert_eq!(all.iter().map(|row| row.calls).sum::<u64>(), calls);
}

#[test]
fn a_repeated_span_is_pending_once() {
    let mut graph = default_graph();
    process_spans(&mut graph, &[client("web", 1)], at(2));
    process_spans(&mut graph, &[client("web", 1), server("cart", 1)], at(3));
    let output = graph.finish(at(4));
    assert_eq!(stats_rows(&output).len(), 1);
    assert_eq!(stats_rows(&output)[0].calls, 1);
}
