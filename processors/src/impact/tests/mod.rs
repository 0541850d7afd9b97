//! Tests of the column `impact` and of the graph in memory.

mod batches;
mod filling;
mod holding;
mod loading;
mod merging;

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

/// The time that many seconds after a fixed start.
fn at(seconds: u64) -> UnixNanos {
    UnixNanos((1_700_000_000 + seconds) * SECOND)
}

fn impact(config: &Json) -> Impact {
    let host = Host::new("impact".parse().unwrap(), SignalSet::ALL, Arc::default());
    let config: Config = serde_json::from_value(config.clone()).unwrap();
    Impact::build(config, &host).unwrap()
}

/// Processes a batch that passes unchanged.
fn apply(impact: &mut Impact, batch: Batch) {
    let rows = batch.num_rows();
    // The clock shows a time after all rows, since the graph does not apply reports of the future.
    let passed = impact.process(batch, at(1_000_000)).unwrap();
    assert_eq!(
        (passed.len(), passed[0].num_rows()),
        (1, rows),
        "the batch passes"
    );
}

/// The JSON value of a column in each row.
fn column_values(batch: &Batch, column: &str) -> Vec<Json> {
    let values = batch.bytes(column);
    let value = |row: usize| match values.is_valid(row) {
        true => Json::Object(map_to_json(Map::new(values.value(row)))),
        false => Json::Null,
    };
    (0..batch.num_rows()).map(value).collect()
}

/// The impact of a drift of a uid, computed at that second.
fn drift_impact(impact: &mut Impact, uid: &str, seconds: u64) -> Json {
    let batch = batches::drift(&[Some(uid)]);
    let filled = impact.process(batch, at(seconds)).unwrap();
    column_values(&filled[0], drift::IMPACT).remove(0)
}

/// The uids in the list `top` of the impact of a drift of a uid.
fn affected(impact: &mut Impact, uid: &str, seconds: u64) -> Vec<String> {
    let impact = drift_impact(impact, uid, seconds);
    let top = impact["top"].as_array().cloned().unwrap_or_default();
    let uids = top
        .iter()
        .map(|node| node["uid"].as_str().unwrap().to_owned());
    uids.collect()
}

/// The service `front` calls the service `cart`. `cart` runs on the pod `pod`, which runs on the instance `i`. The
/// security group `sg` secures `i`.
fn shop() -> Impact {
    let mut impact = impact(&json!({}));
    let members = [
        ("sg", "AWS::EC2::SecurityGroup"),
        ("i", "AWS::EC2::Instance"),
        ("pod", "k8s.pod"),
    ];
    apply(&mut impact, batches::scan("s", 10, &members));
    for (uid, edges) in [
        ("sg", &[("PART_OF", "vpc")][..]),
        ("i", &[("SECURED_BY", "sg"), ("PART_OF", "subnet")]),
        ("pod", &[("RUNS_ON", "i")]),
    ] {
        apply(&mut impact, batches::edge_snapshot(uid, 10, edges));
    }
    apply(
        &mut impact,
        batches::observed_edge("cart", "RUNS_ON", "pod", 10),
    );
    apply(
        &mut impact,
        batches::observed_edge("front", "CALLS", "cart", 10),
    );
    impact
}
