//! What rows are given, and what the graph in memory knows.

mod filling;
mod holding;
mod loading;
mod merging;
mod telling;

use std::sync::Arc;

use arrow_array::Array;
use pipeline::attributes::{Map, map_to_json};
use pipeline::component::{Host, Processor, UnixNanos};
use pipeline::registry::BuildProcessor;
use pipeline::schema::drift;
use pipeline::{Batch, SignalSet};
use serde_json::{Value as Json, json};

use super::{Config, Impact};

const SECOND: u64 = 1_000_000_000;

/// Seconds after something.
fn at(seconds: u64) -> UnixNanos {
    UnixNanos((1_700_000_000 + seconds) * SECOND)
}

fn impact(config: &Json) -> Impact {
    let host = Host::new("impact".parse().unwrap(), SignalSet::ALL, Arc::default());
    let config: Config = serde_json::from_value(config.clone()).unwrap();
    Impact::build(config, &host).unwrap()
}

fn tell(impact: &mut Impact, batch: Batch) {
    let rows = batch.num_rows();
    // Later than all rows: what is from the future is left out.
    let passed = impact.process(batch, at(1_000_000)).unwrap();
    assert_eq!((passed.len(), passed[0].num_rows()), (1, rows), "it passes");
}

/// What a column says in each row.
fn told(batch: &Batch, column: &str) -> Vec<Json> {
    let values = batch.bytes(column);
    let value = |row: usize| match values.is_valid(row) {
        true => Json::Object(map_to_json(Map::new(values.value(row)))),
        false => Json::Null,
    };
    (0..batch.num_rows()).map(value).collect()
}

/// The impact that a drift of a uid is given at that second.
fn of_drift(impact: &mut Impact, uid: &str, seconds: u64) -> Json {
    let batch = telling::drift(&[Some(uid)]);
    let filled = impact.process(batch, at(seconds)).unwrap();
    told(&filled[0], drift::IMPACT).remove(0)
}

/// Whom a drift of a uid touches.
fn touched(impact: &mut Impact, uid: &str, seconds: u64) -> Vec<String> {
    let told = of_drift(impact, uid, seconds);
    let top = told["top"].as_array().cloned().unwrap_or_default();
    let uids = top.iter().map(|it| it["uid"].as_str().unwrap().to_owned());
    uids.collect()
}

/// A security group that secures an instance, whose pod has a service that another one calls.
fn shop() -> Impact {
    let mut impact = impact(&json!({}));
    let seen = [
        ("sg", "AWS::EC2::SecurityGroup"),
        ("i", "AWS::EC2::Instance"),
        ("pod", "k8s.pod"),
    ];
    tell(&mut impact, telling::scan("s", 10, &seen));
    for (uid, edges) in [
        ("sg", &[("PART_OF", "vpc")][..]),
        ("i", &[("SECURED_BY", "sg"), ("PART_OF", "subnet")]),
        ("pod", &[("RUNS_ON", "i")]),
    ] {
        tell(&mut impact, telling::edge_set(uid, 10, edges));
    }
    tell(&mut impact, telling::seen("cart", "RUNS_ON", "pod", 10));
    tell(&mut impact, telling::seen("front", "CALLS", "cart", 10));
    impact
}
