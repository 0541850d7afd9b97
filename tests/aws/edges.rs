//! A scan reports every edge of the account, and no other edge.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::support::{AccountNames, Moto};

/// `FROM KIND TO` by logical names, one edge per line.
const EDGES: &str = include_str!("edges.txt");

fn rows(moto: &Moto) -> Vec<Json> {
    let printed = moto.scan(&["-o", "json"]);
    printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn edges<'a>(rows: &'a [Json], names: &AccountNames) -> BTreeSet<String> {
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
fn every_edge_of_the_account_is_reported_and_no_other() {
    let moto = Moto::start();
    let names = moto.build_account();
    let rows = rows(&moto);

    let by_uid = names.by_uid();
    let kinds_by_name: BTreeMap<&str, &str> = rows
        .iter()
        .map(|row| {
            let uid = row["uid"].as_str().unwrap();
            (
                by_uid.get(uid).copied().unwrap_or(uid),
                row["kind"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(kinds_by_name, names.scanned());
    assert_eq!(kinds_by_name.len(), rows.len(), "each resource has one row");
    let kinds: BTreeSet<&str> = kinds_by_name.values().copied().collect();
    assert_eq!(kinds.len(), 26, "{kinds:?}");

    let reported = edges(&rows, &names);
    let expected: BTreeSet<String> = EDGES.lines().map(str::to_owned).collect();
    let missing: Vec<_> = expected.difference(&reported).collect();
    let unexpected: Vec<_> = reported.difference(&expected).collect();
    assert!(
        missing.is_empty() && unexpected.is_empty(),
        "missing {missing:#?}, unexpected {unexpected:#?}"
    );
}

#[test]
fn edges_have_properties() {
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
fn secrets_are_not_reported() {
    let moto = Moto::start();
    moto.build_account();
    let printed = moto.scan(&["-o", "json"]);
    for secret in ["hunter2", "aHVudGVyMg=="] {
        assert!(
            !printed.contains(secret),
            "a secret of a function's environment or of user data: {secret}"
        );
    }
    assert!(
        printed.contains("DB_PASSWORD"),
        "the name of the variable is reported"
    );
}
