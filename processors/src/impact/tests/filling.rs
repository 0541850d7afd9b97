//! The column `impact` in rows of `drift` and `changes`.

use std::sync::Arc;

use pipeline::component::{Host, Processor};
use pipeline::registry::BuildProcessor;
use pipeline::schema::{changes, drift};
use pipeline::{Signal, SignalSet};
use serde_json::{Value as Json, json};

use super::batches;
use super::{affected, apply, at, column_values, drift_impact, impact, shop};
use crate::impact::{Config, Impact};

#[test]
fn drift_gets_its_impact() {
    assert_eq!(
        drift_impact(&mut shop(), "sg", 20),
        json!({
            "count": 4, "depth": 4, "truncated": false,
            "top": [
                {"uid": "i", "kind": "AWS::EC2::Instance", "score": 0.7},
                {"uid": "pod", "kind": "k8s.pod", "score": 0.49},
                {"uid": "cart", "kind": "unknown", "score": 0.343},
                {"uid": "front", "kind": "unknown", "score": 0.2401},
            ]
        })
    );
}

#[test]
fn impact_is_null_for_an_unknown_uid_and_empty_for_a_node_without_dependents() {
    let mut shop = shop();
    let batch = batches::drift(&[None, Some("unknown"), Some("front")]);
    let filled = shop.process(batch, at(20)).unwrap();
    let nothing = json!({"count": 0, "depth": 0, "top": [], "truncated": false});
    assert_eq!(
        column_values(&filled[0], drift::IMPACT),
        [Json::Null, Json::Null, nothing]
    );
}

#[test]
fn failed_and_read_only_changes_get_no_impact() {
    let calls = [
        ("sg", None, Some(false)),
        ("sg", None, None),
        ("sg", Some("AccessDenied"), None),
        ("sg", None, Some(true)),
    ];
    let filled = shop().process(batches::changes(&calls), at(20)).unwrap();
    let impacts = column_values(&filled[0], changes::IMPACT);
    assert_eq!(
        (&impacts[0]["count"], &impacts[1]["count"]),
        (&json!(4), &json!(4))
    );
    assert_eq!(impacts[2..], [Json::Null, Json::Null]);
}

#[test]
fn depth_and_nodes_are_limited_as_configured() {
    let mut limited = impact(&json!({"max_depth": 1, "max_nodes": 2}));
    for uid in ["c", "a", "b"] {
        apply(&mut limited, batches::observed_edge(uid, "CALLS", "db", 10));
        apply(
            &mut limited,
            batches::observed_edge("far", "CALLS", uid, 10),
        );
    }
    let impact = drift_impact(&mut limited, "db", 20);
    assert_eq!(
        (&impact["count"], &impact["depth"], &impact["truncated"]),
        (&json!(2), &json!(1), &json!(true))
    );
    assert_eq!(affected(&mut limited, "db", 20), ["a", "b"]);
}

#[test]
fn top_lists_ten_nodes() {
    let mut many = impact(&json!({}));
    for number in 0..30 {
        let uid = format!("svc-{number:02}");
        apply(&mut many, batches::observed_edge(&uid, "CALLS", "db", 10));
    }
    assert_eq!(drift_impact(&mut many, "db", 20)["count"], 30);
    let top = affected(&mut many, "db", 20);
    assert_eq!((top.len(), top[9].as_str()), (10, "svc-09"));
}

#[test]
fn graph_stays_empty_if_no_component_accepts_drift_or_changes() {
    let wanted = SignalSet::of(&[Signal::Nodes, Signal::Edges]);
    let host = Host::new("impact".parse().unwrap(), wanted, Arc::default());
    let mut idle = Impact::build(Config::default(), &host).unwrap();
    apply(&mut idle, batches::observed_edge("a", "CALLS", "b", 10));
    assert_eq!(idle.graph.len(), 0);
    let passed = idle.process(batches::drift(&[Some("b")]), at(20)).unwrap();
    assert_eq!(column_values(&passed[0], drift::IMPACT), [Json::Null]);
}

#[test]
fn config_rejects_unknown_keys_and_zero_depth() {
    let config = |json: Json| serde_json::from_value::<Config>(json);
    assert_eq!(config(json!({})).unwrap(), Config::default());
    let named = config(json!({"store": "sqlite/prod"})).unwrap();
    assert_eq!(named.store.unwrap().0.to_string(), "sqlite/prod");
    assert!(config(json!({"max_depth": 0})).is_err());
    assert!(config(json!({"depth": 5})).is_err());
}
