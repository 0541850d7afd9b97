//! What rows of `drift` and `changes` are given.

use std::sync::Arc;

use pipeline::component::{Host, Processor};
use pipeline::registry::BuildProcessor;
use pipeline::schema::{changes, drift};
use pipeline::{Signal, SignalSet};
use serde_json::{Value as Json, json};

use super::super::{Config, Impact};
use super::telling;
use super::{at, impact, of_drift, shop, tell, told, touched};

#[test]
fn a_drift_says_what_it_touches() {
    assert_eq!(
        of_drift(&mut shop(), "sg", 20),
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
fn what_is_not_known_has_no_impact_and_what_touches_nothing_has_none() {
    let mut shop = shop();
    let batch = telling::drift(&[None, Some("nobody"), Some("front")]);
    let filled = shop.process(batch, at(20)).unwrap();
    let nothing = json!({"count": 0, "depth": 0, "top": [], "truncated": false});
    assert_eq!(
        told(&filled[0], drift::IMPACT),
        [Json::Null, Json::Null, nothing]
    );
}

#[test]
fn a_change_says_what_it_touches_unless_it_changed_nothing() {
    let calls = [
        ("sg", None, Some(false)),
        ("sg", None, None),
        ("sg", Some("AccessDenied"), None),
        ("sg", None, Some(true)),
    ];
    let filled = shop().process(telling::changes(&calls), at(20)).unwrap();
    let told = told(&filled[0], changes::IMPACT);
    assert_eq!(
        (&told[0]["count"], &told[1]["count"]),
        (&json!(4), &json!(4))
    );
    assert_eq!(told[2..], [Json::Null, Json::Null]);
}

#[test]
fn depth_and_nodes_are_limited_as_configured() {
    let mut limited = impact(&json!({"max_depth": 1, "max_nodes": 2}));
    for uid in ["c", "a", "b"] {
        tell(&mut limited, telling::seen(uid, "CALLS", "db", 10));
        tell(&mut limited, telling::seen("far", "CALLS", uid, 10));
    }
    let told = of_drift(&mut limited, "db", 20);
    assert_eq!(
        (&told["count"], &told["depth"], &told["truncated"]),
        (&json!(2), &json!(1), &json!(true))
    );
    assert_eq!(touched(&mut limited, "db", 20), ["a", "b"]);
}

#[test]
fn ten_of_many_are_told_by_name() {
    let mut many = impact(&json!({}));
    for number in 0..30 {
        let uid = format!("svc-{number:02}");
        tell(&mut many, telling::seen(&uid, "CALLS", "db", 10));
    }
    assert_eq!(of_drift(&mut many, "db", 20)["count"], 30);
    let top = touched(&mut many, "db", 20);
    assert_eq!((top.len(), top[9].as_str()), (10, "svc-09"));
}

#[test]
fn where_nobody_takes_drift_or_changes_nothing_is_held() {
    let wanted = SignalSet::of(&[Signal::Nodes, Signal::Edges]);
    let host = Host::new("impact".parse().unwrap(), wanted, Arc::default());
    let mut idle = Impact::build(Config::default(), &host).unwrap();
    tell(&mut idle, telling::seen("a", "CALLS", "b", 10));
    assert_eq!(idle.graph.len(), 0);
    let passed = idle.process(telling::drift(&[Some("b")]), at(20)).unwrap();
    assert_eq!(told(&passed[0], drift::IMPACT), [Json::Null]);
}

#[test]
fn a_configuration_names_its_store_and_has_no_other_keys() {
    let config = |json: Json| serde_json::from_value::<Config>(json);
    assert_eq!(config(json!({})).unwrap(), Config::default());
    let named = config(json!({"store": "sqlite/prod"})).unwrap();
    assert_eq!(named.store.unwrap().0.to_string(), "sqlite/prod");
    assert!(config(json!({"max_depth": 0})).is_err());
    assert!(config(json!({"depth": 5})).is_err());
}
