//! Tests that the metrics equal those of the Collector's service graph.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, UInt64Type};
use pipeline::attributes::{Map, map_to_json};
use pipeline::component::Processor;
use pipeline::schema::{metrics, otlp_context};
use pipeline::{Batch, Signal, SignalSet};
use serde_json::{Value as Json, json};

use super::support::{START, TestSpan, at, client, find_batch, graph, process_spans, server};

const METRICS: SignalSet = SignalSet::of(&[Signal::Metrics]);
const TOTAL: &str = "traces_service_graph_request_total";
const FAILED: &str = "traces_service_graph_request_failed_total";
const SERVER: &str = "traces_service_graph_request_server";
const CLIENT: &str = "traces_service_graph_request_client";

/// The rows of a metric, with their attributes.
fn rows(batch: &Batch, name: &str) -> Vec<(usize, Json)> {
    let names = batch.text(metrics::NAME);
    let named = (0..batch.num_rows()).filter(|&row| names.value(row) == name);
    let attributes = |row: usize| {
        let bytes = batch.bytes(metrics::ATTRIBUTES).value(row);
        Json::Object(map_to_json(Map::new(bytes)))
    };
    named.map(|row| (row, attributes(row))).collect()
}

fn word(batch: &Batch, column: &str, row: usize) -> String {
    let words = batch.words(column);
    let key = words.keys().value(row) as usize;
    words.values().value(key).to_owned()
}

fn counts(batch: &Batch, row: usize) -> Vec<u64> {
    let lists = batch.column(metrics::BUCKET_COUNTS).as_list::<i32>();
    let list = lists.value(row);
    list.as_primitive::<UInt64Type>().values().to_vec()
}

#[test]
fn sums_and_histograms_have_the_collectors_names_attributes_and_buckets() {
    let mut graph = graph("{}", METRICS);
    let pair = [
        client("web", 1),
        // This duration is equal to a bound, so it is in the lower bucket.
        server("cart", 1).between(START, START + 10_000_000),
    ];
    process_spans(&mut graph, &pair, at(0));
    let failing = TestSpan {
        failed: true,
        ..server("cart", 1)
    };
    process_spans(&mut graph, &[client("web", 1), failing], at(1));
    assert!(
        graph.tick(at(2)).is_empty(),
        "metrics are emitted at their interval"
    );
    let output = graph.tick(at(60));
    let batch = find_batch(&output, Signal::Metrics).unwrap();

    let attributes = |failed: bool| json!({"client": "web", "server": "cart", "connection_type": "", "failed": failed});
    let totals = rows(batch, TOTAL);
    assert_eq!(totals.len(), 2);
    for (row, of_row) in &totals {
        assert!([attributes(true), attributes(false)].contains(of_row));
        assert_eq!(word(batch, metrics::TYPE, *row), "sum");
        assert!(batch.column(metrics::IS_MONOTONIC).as_boolean().value(*row));
        let ints = batch.numbers::<Int64Type>(metrics::VALUE_INT);
        assert_eq!(ints.value(*row), 1);
    }
    assert_eq!(rows(batch, FAILED).len(), 1);
    assert_eq!(rows(batch, FAILED)[0].1, attributes(true));

    let (row, _) = rows(batch, SERVER)
        .into_iter()
        .find(|(_, of_row)| *of_row == attributes(false))
        .unwrap();
    assert_eq!(word(batch, metrics::TYPE, row), "histogram");
    assert_eq!(batch.text(metrics::UNIT).value(row), "s");
    let bounds = batch.column(metrics::EXPLICIT_BOUNDS).as_list::<i32>();
    let bounds = bounds.value(row);
    assert_eq!(
        bounds.as_primitive::<Float64Type>().values(),
        &[
            0.002, 0.004, 0.006, 0.008, 0.01, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.4, 2.0, 5.0, 10.0,
            15.0
        ]
    );
    let mut expected = vec![0; 17];
    expected[4] = 1;
    assert_eq!(counts(batch, row), expected);
    assert_eq!(batch.numbers::<Float64Type>(metrics::SUM).value(row), 0.01);
    assert_eq!(batch.numbers::<UInt64Type>(metrics::COUNT).value(row), 1);
    assert_eq!(rows(batch, CLIENT).len(), 2);

    for row in 0..batch.num_rows() {
        let temporality = batch.numbers::<Int32Type>(metrics::AGGREGATION_TEMPORALITY);
        assert_eq!(temporality.value(row), 2);
        let starts = batch.numbers::<UInt64Type>(metrics::START_TIME_UNIX_NANO);
        assert_eq!(starts.value(row), at(0).0);
        let times = batch.numbers::<UInt64Type>(metrics::TIME_UNIX_NANO);
        assert_eq!(times.value(row), at(60).0);
        let scopes = batch.text(otlp_context::SCOPE_NAME);
        assert_eq!(scopes.value(row), "traces_service_graph");
        assert!(batch.uid().is_null(row));
    }
}

#[test]
fn metrics_are_cumulative_and_removed_after_15_minutes() {
    let mut graph = graph("{}", METRICS);
    let pair = [client("web", 1), server("cart", 1)];
    process_spans(&mut graph, &pair, at(0));
    graph.tick(at(60));
    process_spans(&mut graph, &pair, at(61));
    let output = graph.tick(at(120));
    let batch = find_batch(&output, Signal::Metrics).unwrap();
    let row = rows(batch, TOTAL)[0].0;
    let ints = batch.numbers::<Int64Type>(metrics::VALUE_INT);
    assert_eq!(ints.value(row), 2);
    assert!(!graph.tick(at(900)).is_empty());
    assert!(graph.tick(at(1000)).is_empty());
}

#[test]
fn an_interval_of_zero_emits_metrics_with_every_batch() {
    let mut graph = graph(r#"{"metrics_flush_interval": "0s"}"#, METRICS);
    let output = process_spans(&mut graph, &[client("web", 1), server("cart", 1)], at(0));
    assert_eq!(rows(&output[0], TOTAL).len(), 1);
    assert!(graph.tick(at(2)).is_empty());
}

#[test]
fn dimensions_are_attributes_of_the_resource_or_the_span() {
    let yaml = r#"{"dimensions": ["cloud.region", "http.status", "none"]}"#;
    let mut graph = graph(yaml, METRICS);
    let client = client("web", 1).with(json!({"http.status": 200}));
    process_spans(&mut graph, &[client, server("cart", 1)], at(0));
    let output = graph.finish(at(1));
    let (_, attributes) = &rows(&output[0], TOTAL)[0];
    let expected = json!({
        "client": "web",
        "server": "cart",
        "connection_type": "",
        "failed": false,
        "client_cloud.region": "eu-west-1",
        "client_http.status": "200",
        "server_cloud.region": "eu-west-1",
    });
    assert_eq!(attributes, &expected);
}

#[test]
fn the_extra_label_names_the_side_that_sent_no_span() {
    let mut graph = graph(r#"{"virtual_node_extra_label": true}"#, METRICS);
    let spans = [
        server("web", 0),
        client("web", 1),
        client("web", 2),
        server("cart", 2),
    ];
    process_spans(&mut graph, &spans, at(0));
    let output = graph.finish(at(9));
    let label = |row: &(usize, Json)| {
        let text = |key: &str| row.1[key].as_str().unwrap().to_owned();
        [text("client"), text("server"), text("virtual_node")].join(" ")
    };
    let mut labels: Vec<_> = rows(&output[0], TOTAL).iter().map(label).collect();
    labels.sort();
    assert_eq!(
        labels,
        ["user web client", "web cart ", "web unknown server"]
    );
}

#[test]
fn calls_beyond_the_series_limit_count_in_an_overflow_series() {
    let mut graph = graph("{}", METRICS);
    for first in (0..11_000).step_by(1000) {
        let call = |index| client("web", 1).with(json!({"db.name": format!("db-{index}")}));
        let spans: Vec<TestSpan> = (first..first + 1000).map(call).collect();
        process_spans(&mut graph, &spans, at(0));
    }
    let output = graph.finish(at(9));
    let totals = rows(&output[0], TOTAL);
    assert_eq!(totals.len(), 10_001);
    let overflow = json!({"otel.metric.overflow": true, "failed": false});
    let (row, _) = totals.iter().find(|(_, of)| *of == overflow).unwrap();
    let ints = output[0].numbers::<Int64Type>(metrics::VALUE_INT);
    assert_eq!(ints.value(*row), 1000);
}
