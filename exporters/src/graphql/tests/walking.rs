//! What is connected with what, and what depends on what.

use pipeline::component::UnixNanos;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{aliases, edges};
use pipeline::{Batch, Delivery, Signal};
use serde_json::{Value as Json, json};

use super::{MINUTE, Shop};

/// Another name, told at that minute.
fn same_as(uid: &str, other: &str, minute: u64) -> Batch {
    let mut rows = Rows::new(Signal::Aliases);
    let cells = [
        (aliases::MODE, Cell::Text("observed")),
        (aliases::KIND, Cell::Text("same_as")),
        (aliases::VALUE, Cell::Text(other)),
    ];
    rows.push(Some(UnixNanos(minute * MINUTE)), Some(uid), "aws", &cells);
    rows.finish(Delivery::nobody())
}

pub(super) fn edge(from: &str, kind: &str, to: &str, minute: u64) -> Batch {
    let mut rows = Rows::new(Signal::Edges);
    let cells = [
        (edges::MODE, Cell::Text("observed")),
        (edges::KIND, Cell::Text(kind)),
        (edges::TO, Cell::Text(to)),
        (edges::CONFIDENCE, Cell::Float(1.0)),
    ];
    let time = UnixNanos(minute * MINUTE);
    rows.push(Some(time), Some(from), "otlp", &cells);
    rows.finish(Delivery::nobody())
}

fn uids(nodes: &Json) -> Vec<&str> {
    let nodes = nodes.as_array().unwrap().iter();
    nodes
        .map(|it| it["node"]["uid"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn an_impact_tells_what_depends_on_it_with_scores_and_ways() {
    let shop = Shop::new().await;
    let query = r#"{ impact(uid: "sg-1") { start { uid } count depth truncated
        nodes { score distance path edgeKinds node { uid kind } } } }"#;
    let impact = shop.ask(query).await["impact"].clone();
    assert_eq!(
        (&impact["start"]["uid"], &impact["count"], &impact["depth"]),
        (&json!("arn:sg"), &json!(4), &json!(3))
    );
    assert_eq!(impact["truncated"], false);
    assert_eq!(
        uids(&impact["nodes"]),
        ["arn:i-1", "arn:i-2", "svc:////cart", "svc:////front"]
    );
    let last = &impact["nodes"][3];
    let score = last["score"].as_f64().unwrap();
    assert!((score - 0.7 * 0.35 * 0.35).abs() < 1e-9, "{score}");
    assert_eq!(
        last["path"],
        json!(["arn:sg", "arn:i-1", "svc:////cart", "svc:////front"])
    );
    assert_eq!(last["edgeKinds"], json!(["SECURED_BY", "CALLS", "CALLS"]));
    let near = r#"{ impact(uid: "sg-1", depth: 1, first: 1) { count nodes { node { uid } } } }"#;
    let near = shop.ask(near).await["impact"].clone();
    assert_eq!(near["count"], 2, "of which one is told");
    assert_eq!(uids(&near["nodes"]), ["arn:i-1"]);
    let called = shop.ask(r#"{ impact(uid: "svc:////front") { count } }"#);
    assert_eq!(called.await["impact"]["count"], 0, "nobody calls it");
}

#[tokio::test]
async fn an_impact_of_the_past_is_that_of_then() {
    let shop = Shop::new().await;
    shop.tell(edge("svc:////late", "CALLS", "svc:////front", 9))
        .await;
    let query = r#"{
        now: impact(uid: "sg-1") { count }
        then: impact(uid: "sg-1", asOf: "1970-01-01T00:08:00Z") { count }
    }"#;
    let answer = shop.ask(query).await;
    assert_eq!(answer["now"]["count"], 5);
    assert_eq!(answer["then"]["count"], 4);
}

#[tokio::test]
async fn what_telemetry_calls_otherwise_is_joined_with_the_cloud() {
    let shop = Shop::new().await;
    shop.tell(edge("svc:////mail", "CALLS", "ext://db:5432", 1))
        .await;
    shop.tell(same_as("arn:i-2", "ext://db:5432", 3)).await;
    let impact = r#"{ impact(uid: "sg-1") { nodes { node { uid } path } } }"#;
    let impact = shop.ask(impact).await["impact"].clone();
    let mail = impact["nodes"].as_array().unwrap().iter();
    let mut mail = mail.filter(|it| it["node"]["uid"] == "svc:////mail");
    assert_eq!(
        mail.next().unwrap()["path"],
        json!(["arn:sg", "arn:i-2", "svc:////mail"])
    );
    let query = |as_of: &str| {
        format!(
            r#"{{ neighbors(uid: "svc:////mail", depth: 2 {as_of}) {{
                nodes {{ node {{ uid kind }} }} edges {{ from kind to }} }} }}"#
        )
    };
    let around = shop.ask(&query("")).await["neighbors"].clone();
    assert_eq!(uids(&around["nodes"]), ["arn:i-2", "arn:sg"]);
    assert_eq!(
        around["edges"][1],
        json!({"from": "svc:////mail", "kind": "CALLS", "to": "arn:i-2"})
    );
    let before = shop.ask(&query(r#", asOf: "1970-01-01T00:02:00Z""#)).await;
    assert_eq!(uids(&before["neighbors"]["nodes"]), ["ext://db:5432"]);
}

#[tokio::test]
async fn a_path_is_a_shortest_one_and_its_edges_read_as_they_are() {
    let shop = Shop::new().await;
    let fields = "{ length truncated nodes { uid } edges { from kind to } }";
    let ask = async |arguments: &str| {
        let answer = shop.ask(&format!("{{ path({arguments}) {fields} }}")).await;
        answer["path"].clone()
    };
    let path = ask(r#"from: "svc:////front", to: "arn:i-2""#).await;
    assert_eq!(
        (&path["length"], &path["truncated"]),
        (&json!(4), &json!(false))
    );
    let nodes = path["nodes"].as_array().unwrap().iter();
    let nodes: Vec<_> = nodes.map(|node| node["uid"].as_str().unwrap()).collect();
    assert_eq!(
        nodes,
        [
            "svc:////front",
            "svc:////cart",
            "arn:i-1",
            "arn:sg",
            "arn:i-2"
        ]
    );
    assert_eq!(
        path["edges"][3],
        json!({"from": "arn:i-2", "kind": "SECURED_BY", "to": "arn:sg"})
    );
    let back = ask(r#"from: "arn:i-2", to: "svc:////front""#).await;
    assert_eq!(back["length"], 4);
    let none = json!({"length": null, "truncated": false, "nodes": [], "edges": []});
    let short = ask(r#"from: "svc:////front", to: "arn:i-2", maxDepth: 3"#).await;
    assert_eq!(short, none);
    let calls = ask(r#"from: "svc:////front", to: "arn:i-2", kinds: ["CALLS"]"#).await;
    assert_eq!(calls, none);
    let same = ask(r#"from: "sg-1", to: "arn:sg""#).await;
    assert_eq!(
        (&same["length"], &same["nodes"]),
        (&json!(0), &json!([{"uid": "arn:sg"}]))
    );
}
