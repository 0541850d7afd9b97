//! Every edge of the account, and no other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::support::{Moto, Names};

/// `FROM KIND TO` by logical names, one a line.
const EDGES: &str = include_str!("edges.txt");

fn rows(moto: &Moto) -> Vec<Json> {
    let told = moto.scan(&["-o", "json"]);
    told.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn edges<'a>(rows: &'a [Json], names: &Names) -> BTreeSet<String> {
    let by_uid = names.by_uid();
    let name = |uid: &'a Json| {
        let uid = uid.as_str().unwrap();
        by_uid.get(uid).copied().unwrap_or(uid).to_owned()
    };
    let edges = rows.iter().flat_map(|row| {
        let relations = row["relations"].as_array().unwrap();
        relations.iter().map(|edge| {
            let kind = edge["kind"].as_str().unwrap();
            format!("{} {kind} {}", name(&row["uid"]), name(&edge["uid"]))
        })
    });
    edges.collect()
}

#[test]
fn every_edge_of_the_account_is_told_and_none_is_false() {
    let moto = Moto::start();
    let names = moto.build_account();
    let rows = rows(&moto);

    let by_uid = names.by_uid();
    let told: BTreeMap<&str, &str> = rows
        .iter()
        .map(|row| {
            let uid = row["uid"].as_str().unwrap();
            (
                by_uid.get(uid).copied().unwrap_or(uid),
                row["kind"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, names.scanned());
    assert_eq!(told.len(), rows.len(), "each once");
    let kinds: BTreeSet<&str> = told.values().copied().collect();
    assert_eq!(kinds.len(), 26, "{kinds:?}");

    let told = edges(&rows, &names);
    let expected: BTreeSet<String> = EDGES.lines().map(str::to_owned).collect();
    let missing: Vec<_> = expected.difference(&told).collect();
    let false_ones: Vec<_> = told.difference(&expected).collect();
    assert!(
        missing.is_empty() && false_ones.is_empty(),
        "missing {missing:#?}, false {false_ones:#?}"
    );
}

#[test]
fn edges_say_what_else_is_known_of_them() {
    let moto = Moto::start();
    let names = moto.build_account();
    let rows = rows(&moto);
    let properties = |from: &str, kind: &str, to: &str| {
        let row = rows
            .iter()
            .find(|row| row["uid"] == names.uid(from))
            .unwrap();
        let edges = row["relations"].as_array().unwrap();
        let edge = edges
            .iter()
            .find(|edge| edge["kind"] == kind && edge["uid"] == names.uid(to));
        edge.unwrap_or_else(|| panic!("no {from} {kind} {to}"))["properties"].clone()
    };
    let ports = properties("sg/web", "ALLOWS_TRAFFIC_FROM", "sg/lb");
    assert_eq!(ports["Ports"], serde_json::json!(["tcp/80-90", "tcp/8443"]));
    let destinations = properties("rtb/public", "ROUTES_TO", "igw/main");
    assert_eq!(
        destinations["Destinations"],
        serde_json::json!(["0.0.0.0/0", "::/0"])
    );
    assert_eq!(
        properties("tg/web", "TARGETS", "instance/web-1")["State"],
        "healthy"
    );
    let events = properties("bucket/uploads", "ROUTES_TO", "queue/uploads");
    assert_eq!(events["Events"].as_array().unwrap().len(), 2);
}

#[test]
fn what_may_be_secret_is_not_told() {
    let moto = Moto::start();
    moto.build_account();
    let told = moto.scan(&["-o", "json"]);
    for secret in ["hunter2", "aHVudGVyMg=="] {
        assert!(
            !told.contains(secret),
            "the environment of a function, or user data"
        );
    }
    assert!(told.contains("DB_PASSWORD"), "that it is there is told");
}
