//! Tests of `impact`, `neighbors` and `path`.

use pipeline::component::UnixNanos;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{aliases, edges};
use pipeline::{Batch, Delivery, Signal};
use serde_json::{Value as Json, json};

use super::{MINUTE, Shop};

/// An alias of the kind `same_as`, observed at `minute`.
fn same_as(uid: &str, other: &str, minute: u64) -> Batch {
    let mut rows = Rows::new(Signal::Aliases);
    let cells = [
        (aliases::MODE, Cell::Text("observed")),
        (aliases::KIND, Cell::Text("same_as")),
        (aliases::VALUE, Cell::Text(other)),
    ];
    rows.push(Some(UnixNanos(minute * MINUTE)), Some(uid), "aws", &cells);
    rows.finish(Delivery::untracked())
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
    rows.finish(Delivery::untracked())
}

fn uids(nodes: &Json) -> Vec<&str> {
    let nodes = nodes.as_array().unwrap().iter();
    nodes
        .map(|item| item["node"]["uid"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn impact_returns_dependent_nodes_with_scores_and_paths() {
    let shop = Shop::new().await;
    let query = r#"{ impact(uid: "sg-1") { start { uid } count depth truncated
        nodes { score distance path edgeKinds node { uid kind } } } }"#;
    let impact = shop.query(query).await["impact"].clone();
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
    let near = shop.query(near).await["impact"].clone();
    assert_eq!(near["count"], 2, "count includes nodes beyond `first`");
    assert_eq!(uids(&near["nodes"]), ["arn:i-1"]);
    let front = shop.query(r#"{ impact(uid: "svc:////front") { count } }"#);
    assert_eq!(front.await["impact"]["count"], 0, "front has no callers");
}

#[tokio::test]
async fn impact_as_of_a_time_uses_the_graph_of_that_time() {
    let shop = Shop::new().await;
    shop.write(edge("svc:////late", "CALLS", "svc:////front", 9))
        .await;
    let query = r#"{
        now: impact(uid: "sg-1") { count }
        then: impact(uid: "sg-1", asOf: "1970-01-01T00:08:00Z") { count }
    }"#;
    let answer = shop.query(query).await;
    assert_eq!(answer["now"]["count"], 5);
    assert_eq!(answer["then"]["count"], 4);
}

#[tokio::test]
async fn a_same_as_alias_joins_a_node_of_telemetry_with_its_cloud_resource() {
    let shop = Shop::new().await;
    shop.write(edge("svc:////mail", "CALLS", "ext://db:5432", 1))
        .await;
    shop.write(same_as("arn:i-2", "ext://db:5432", 3)).await;
    let impact = r#"{ impact(uid: "sg-1") { nodes { node { uid } path } } }"#;
    let impact = shop.query(impact).await["impact"].clone();
    let mail = impact["nodes"].as_array().unwrap().iter();
    let mut mail = mail.filter(|item| item["node"]["uid"] == "svc:////mail");
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
    let around = shop.query(&query("")).await["neighbors"].clone();
    assert_eq!(uids(&around["nodes"]), ["arn:i-2", "arn:sg"]);
    assert_eq!(
        around["edges"][1],
        json!({"from": "svc:////mail", "kind": "CALLS", "to": "arn:i-2"})
    );
    let before = shop
        .query(&query(r#", asOf: "1970-01-01T00:02:00Z""#))
        .await;
    assert_eq!(uids(&before["neighbors"]["nodes"]), ["ext://db:5432"]);
}

#[tokio::test]
async fn a_path_is_shortest_and_its_edges_keep_their_direction() {
    let shop = Shop::new().await;
    let fields = "{ length truncated nodes { uid } edges { from kind to } }";
    let run = async |arguments: &str| {
        let answer = shop
            .query(&format!("{{ path({arguments}) {fields} }}"))
            .await;
        answer["path"].clone()
    };
    let path = run(r#"from: "svc:////front", to: "arn:i-2""#).await;
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
    let back = run(r#"from: "arn:i-2", to: "svc:////front""#).await;
    assert_eq!(back["length"], 4);
    let none = json!({"length": null, "truncated": false, "nodes": [], "edges": []});
    let short = run(r#"from: "svc:////front", to: "arn:i-2", maxDepth: 3"#).await;
    assert_eq!(short, none);
    let calls = run(r#"from: "svc:////front", to: "arn:i-2", kinds: ["CALLS"]"#).await;
    assert_eq!(calls, none);
    let same = run(r#"from: "sg-1", to: "arn:sg""#).await;
    assert_eq!(
        (&same["length"], &same["nodes"]),
        (&json!(0), &json!([{"uid": "arn:sg"}]))
    );
}
