//! Tests of the processor as a whole.

use std::time::Duration;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use pipeline::attributes::{Map, map_from_json, map_to_json};
use pipeline::component::{Host, Processor, UnixNanos};
use pipeline::config::YamlNode;
use pipeline::registry::{BuildProcessor, ComponentMeta};
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{drift, metrics, opening, otlp_context, traces};
use pipeline::{Batch, Delivery, Outcome, Receipt, Signal, SignalSet};
use serde_json::{Value as Json, json};

use super::{Config, Sql};

mod batches;
mod files;
mod windows;

const SECOND: u64 = 1_000_000_000;

fn built(yaml: &str) -> Sql {
    let node = YamlNode::from_yaml(yaml).unwrap();
    let config: Config = node.decode().unwrap();
    let problems = Sql::problems(&config, &node);
    assert!(problems.is_empty(), "{problems:?}");
    let host = Host::new(
        "sql/x".parse().unwrap(),
        SignalSet::ALL,
        std::sync::Arc::default(),
    );
    Sql::build(config, &host).unwrap()
}

/// Spans by second, name and attributes, and the receipt of their sender.
fn spans(rows: &[(u64, &str, Json)]) -> (Batch, Receipt) {
    let mut built = Rows::new(Signal::Traces);
    let resource = map_from_json(json!({"service.name": "shop"}).as_object().unwrap());
    for (second, name, attributes) in rows {
        let attributes = map_from_json(attributes.as_object().unwrap());
        let cells = [
            (traces::NAME, Cell::Text(name)),
            (traces::ATTRIBUTES, Cell::Bytes(&attributes)),
            (traces::START_TIME_UNIX_NANO, Cell::UInt(second * SECOND)),
            (otlp_context::SERVICE_NAME, Cell::Text("shop")),
            (otlp_context::RESOURCE_ATTRIBUTES, Cell::Bytes(&resource)),
        ];
        built.push(Some(at(*second)), Some("svc:////shop"), "test", &cells);
    }
    let (delivery, receipt) = Delivery::new(None);
    (built.finish(delivery), receipt)
}

fn drifts(second: u64) -> Batch {
    let mut built = Rows::new(Signal::Drift);
    let cells = [(drift::KIND, Cell::Text("changed"))];
    built.push(Some(at(second)), Some("svc:////shop"), "test", &cells);
    built.finish(Delivery::untracked())
}

fn at(second: u64) -> UnixNanos {
    UnixNanos(second * SECOND)
}

fn names(batch: &Batch) -> Vec<&str> {
    batch.text("name").iter().flatten().collect()
}

fn batches_of(batches: &[Batch], signal: Signal) -> Vec<&Batch> {
    batches
        .iter()
        .filter(|batch| batch.signal() == signal)
        .collect()
}
