//! The rows that `graph` emits for resources.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt64Type};
use pipeline::alias_index::{AliasKind, ValidInterval};
use pipeline::attributes::map_from_json;
use pipeline::component::{Host, Processor, UnixNanos};
use pipeline::registry::BuildProcessor;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{aliases, edges, nodes, resources};
use pipeline::{Batch, Delivery, Outcome, Signal, SignalSet};
use serde_json::json;

use super::{Config, Graph};

fn graph(wanted: SignalSet) -> Graph {
    let host = Host::new("graph".parse().unwrap(), wanted, Arc::default());
    Graph::build(Config {}, &host).unwrap()
}

fn resource(cells: &[(&str, Cell<'_>)], uid: Option<&str>) -> Rows {
    let mut rows = Rows::new(Signal::Resources);
    rows.push(Some(UnixNanos(5)), uid, "aws", cells);
    rows
}

/// The first batch of a signal.
fn find_batch(batches: &[Batch], signal: Signal) -> &Batch {
    batches
        .iter()
        .find(|batch| batch.signal() == signal)
        .unwrap()
}

fn texts_of(batch: &Batch, column: &str) -> Vec<String> {
    let words = batch.words(column);
    words
        .into_iter()
        .map(|word| word.unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn an_observed_instance_is_converted_to_facts_edges_and_aliases() {
    let configuration = map_from_json(json!({"InstanceType": "m7g.large"}).as_object().unwrap());
    let healthy = map_from_json(json!({"State": "healthy"}).as_object().unwrap());
    let relations = [
        [
            Cell::Text("SECURED_BY"),
            Cell::Text("sg"),
            Cell::Float(0.5),
            Cell::Bytes(&healthy),
        ],
        [
            Cell::Text("PART_OF"),
            Cell::Text("subnet"),
            Cell::Float(1.0),
            Cell::Null,
        ],
    ];
    let names = [
        Cell::Text("ip"),
        Cell::Text("10.0.0.7"),
        Cell::Text("vpc-1"),
    ];
    let cells = [
        (resources::OP, Cell::Text("observed")),
        (resources::GROUP, Cell::Text("actual")),
        (resources::SCOPE, Cell::Text("1/eu-west-1/instance")),
        (resources::KIND, Cell::Text("AWS::EC2::Instance")),
        (resources::RELATIONS, Cell::Items(relations.as_flattened())),
        (resources::ALIASES, Cell::Items(&names)),
        (resources::CONFIGURATION, Cell::Bytes(&configuration)),
        (resources::STATE, Cell::UInt(77)),
        (resources::SCAN_ID, Cell::Text("s")),
    ];
    let batch = resource(&cells, Some("i")).finish(Delivery::untracked());
    let output = graph(SignalSet::ALL).process(batch, UnixNanos(9)).unwrap();

    let facts = find_batch(&output, Signal::Nodes);
    assert_eq!(texts_of(facts, nodes::GROUP), ["lifecycle", "actual"]);
    assert_eq!(facts.bytes(nodes::VALUE).value(1), configuration);
    let scope = "1/eu-west-1/instance";
    assert_eq!(facts.text(nodes::SCOPE).value(0), scope);
    assert_eq!(facts.text(nodes::SCAN_ID).value(1), "s");
    assert_eq!(
        find_batch(&output, Signal::Edges)
            .text(edges::SCOPE)
            .value(0),
        scope
    );
    let names = find_batch(&output, Signal::Aliases);
    assert_eq!(names.text(aliases::SCOPE).value(0), scope);
    let edge_rows = find_batch(&output, Signal::Edges);
    assert_eq!(texts_of(edge_rows, edges::KIND), ["SECURED_BY", "PART_OF"]);
    assert_eq!(edge_rows.text(edges::TO).value(1), "subnet");
    assert_eq!(texts_of(edge_rows, edges::MODE), ["snapshot", "snapshot"]);
    assert_eq!(
        edge_rows.numbers::<Float64Type>(edges::CONFIDENCE).values(),
        &[0.5, 1.0]
    );
    assert_eq!(edge_rows.bytes(edges::PROPERTIES).value(0), healthy);
    assert!(edge_rows.bytes(edges::PROPERTIES).is_null(1));
    let names = find_batch(&output, Signal::Aliases);
    assert_eq!(names.text(aliases::VALUE).value(0), "10.0.0.7");
    assert_eq!(names.text(aliases::WITHIN).value(0), "vpc-1");
    for (batch, column) in [
        (facts, nodes::STATE),
        (edge_rows, edges::STATE),
        (names, aliases::STATE),
    ] {
        assert_eq!(batch.numbers::<UInt64Type>(column).value(0), 77);
    }
    assert_eq!(
        find_batch(&output, Signal::Resources).num_rows(),
        1,
        "resources pass unchanged"
    );
}

#[test]
fn an_empty_list_becomes_an_empty_snapshot_and_a_missing_list_becomes_no_rows() {
    let cells = [
        (resources::OP, Cell::Text("observed")),
        (resources::GROUP, Cell::Text("actual")),
        (resources::RELATIONS, Cell::Items(&[])),
    ];
    let output = graph(SignalSet::ALL)
        .process(
            resource(&cells, Some("vpc")).finish(Delivery::untracked()),
            UnixNanos(9),
        )
        .unwrap();
    let edge_rows = find_batch(&output, Signal::Edges);
    assert_eq!(edge_rows.num_rows(), 1);
    assert!(edge_rows.text(edges::TO).is_null(0));
    assert!(
        output.iter().all(|batch| batch.signal() != Signal::Aliases),
        "the row has no list of aliases"
    );
}

#[test]
fn desired_state_makes_no_lifecycle_fact() {
    let cells = [
        (resources::OP, Cell::Text("observed")),
        (resources::GROUP, Cell::Text("desired")),
    ];
    let output = graph(SignalSet::ALL)
        .process(
            resource(&cells, Some("sg")).finish(Delivery::untracked()),
            UnixNanos(9),
        )
        .unwrap();
    assert_eq!(
        texts_of(find_batch(&output, Signal::Nodes), nodes::GROUP),
        ["desired"]
    );
}

#[test]
fn deletions_and_scan_completions_are_converted_to_rows_of_nodes() {
    let mut rows = resource(
        &[
            (resources::OP, Cell::Text("deleted")),
            (resources::GROUP, Cell::Text("actual")),
        ],
        Some("i"),
    );
    let complete = [
        (resources::OP, Cell::Text("scope_complete")),
        (resources::SCOPE, Cell::Text("s")),
        (resources::MEMBERS, Cell::UInts(&[3, 7])),
        (resources::MEMBER_STATES, Cell::UInts(&[30, 0])),
    ];
    rows.push(Some(UnixNanos(4)), None, "aws", &complete);
    let output = graph(SignalSet::ALL)
        .process(rows.finish(Delivery::untracked()), UnixNanos(9))
        .unwrap();
    let facts = find_batch(&output, Signal::Nodes);
    assert_eq!(texts_of(facts, nodes::OP), ["deleted", "scope_complete"]);
    assert!(facts.column(nodes::VALUE).is_null(0));
    for (column, numbers) in [(nodes::MEMBERS, [3, 7]), (nodes::MEMBER_STATES, [30, 0])] {
        let list = facts.column(column).as_list::<i32>().value(1);
        assert_eq!(list.as_primitive::<UInt64Type>().values(), &numbers);
    }
}

#[test]
fn signals_that_no_component_accepts_are_not_emitted() {
    let cells = [
        (resources::OP, Cell::Text("observed")),
        (resources::GROUP, Cell::Text("actual")),
    ];
    let output = graph(SignalSet::NONE)
        .process(
            resource(&cells, Some("i")).finish(Delivery::untracked()),
            UnixNanos(9),
        )
        .unwrap();
    assert_eq!(output.len(), 1);
}

#[test]
fn the_alias_index_has_the_names_of_a_resource_until_it_is_deleted() {
    let shared = Arc::default();
    let host = Host::new("graph".parse().unwrap(), SignalSet::NONE, shared);
    let mut graph = Graph::build(Config {}, &host).unwrap();
    let index = host.alias_index();
    assert!(index.has_source());
    index.enable();
    let names = [Cell::Text("dns"), Cell::Text("db.example"), Cell::Null];
    let targets = [
        [
            Cell::Text("PART_OF"),
            Cell::Text("zone"),
            Cell::Float(1.0),
            Cell::Null,
        ],
        [
            Cell::Text("DNS_POINTS_TO"),
            Cell::Text("ext://real.example:"),
            Cell::Float(1.0),
            Cell::Null,
        ],
    ];
    let cells = [
        (resources::OP, Cell::Text("observed")),
        (resources::GROUP, Cell::Text("actual")),
        (resources::STATE, Cell::UInt(7)),
        (resources::ALIASES, Cell::Items(&names)),
        (resources::RELATIONS, Cell::Items(targets.as_flattened())),
    ];
    let mut rows = resource(&cells, Some("record"));
    // The end of the desired state does not end the names; the end of the actual state does.
    for (group, time) in [("desired", 7), ("actual", 8)] {
        let deleted = [
            (resources::OP, Cell::Text("deleted")),
            (resources::GROUP, Cell::Text(group)),
        ];
        rows.push(Some(UnixNanos(time)), Some("record"), "aws", &deleted);
    }
    let batch = rows.finish(Delivery::untracked());
    graph.process(batch, UnixNanos(9)).unwrap();

    let view = index.view();
    let owners = |time| {
        let mut valid = ValidInterval::at(UnixNanos(time));
        view.owners(AliasKind::Host, "db.example", &mut valid)
    };
    let expected = [vec![], vec![("record", "")], vec![("record", "")], vec![]];
    assert_eq!([4, 5, 7, 8].map(owners), expected);
    let mut valid = ValidInterval::at(UnixNanos(5));
    let targets = view.names("record", AliasKind::Target, &mut valid);
    let targets: Vec<&str> = targets.iter().map(|name| &*name.value).collect();
    assert_eq!(targets, ["ext://real.example:"]);
}

#[tokio::test]
async fn the_sender_waits_for_emitted_rows() {
    let (delivery, mut receipt) = Delivery::new(None);
    let cells = [
        (resources::OP, Cell::Text("observed")),
        (resources::GROUP, Cell::Text("actual")),
    ];
    let mut output = graph(SignalSet::ALL)
        .process(resource(&cells, Some("i")).finish(delivery), UnixNanos(9))
        .unwrap();
    output.retain(|batch| batch.signal() == Signal::Nodes);
    assert!(futures::poll!(&mut receipt).is_pending());
    drop(output);
    assert_eq!(receipt.await, Outcome::Delivered);
}
