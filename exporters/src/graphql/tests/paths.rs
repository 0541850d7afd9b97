//! Which of several ways between two nodes is found.

use pipeline::component::UnixNanos;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::nodes;
use pipeline::{Batch, Delivery, Signal};
use serde_json::{Value as Json, json};

use super::walking::edge;
use super::{MINUTE, Shop};

fn node(uid: &str, kind: &str) -> Batch {
    let mut rows = Rows::new(Signal::Nodes);
    let cells = [
        (nodes::OP, Cell::Text("observed")),
        (nodes::GROUP, Cell::Text("actual")),
        (nodes::KIND, Cell::Text(kind)),
    ];
    rows.push(Some(UnixNanos(MINUTE)), Some(uid), "aws", &cells);
    rows.finish(Delivery::nobody())
}

/// A subnet that holds `a` and `b`.
async fn subnet_of(shop: &Shop, a: &str, b: &str) {
    shop.tell(node("subnet", "AWS::EC2::Subnet")).await;
    shop.tell(edge(a, "PART_OF", "subnet", 1)).await;
    shop.tell(edge(b, "PART_OF", "subnet", 1)).await;
}

/// Calls from each to the next.
async fn calls(shop: &Shop, uids: &[&str]) {
    for pair in uids.windows(2) {
        shop.tell(edge(pair[0], "CALLS", pair[1], 1)).await;
    }
}

/// The uids on the way, and the kinds of its edges.
async fn path(shop: &Shop, arguments: &str) -> (Vec<String>, Vec<String>) {
    let fields = "{ truncated nodes { uid } edges { kind } }";
    let answer = shop.ask(&format!("{{ path({arguments}) {fields} }}")).await;
    let path = &answer["path"];
    assert_eq!(path["truncated"], json!(false));
    let texts = |list: &str, field: &str| {
        let items = path[list].as_array().unwrap().iter();
        let texts = items.map(|item: &Json| item[field].as_str().unwrap().to_owned());
        texts.collect()
    };
    (texts("nodes", "uid"), texts("edges", "kind"))
}

#[tokio::test]
async fn a_path_goes_round_a_container_by_a_longer_way() {
    let shop = Shop::new().await;
    subnet_of(&shop, "a", "d").await;
    calls(&shop, &["a", "b", "c", "d"]).await;
    let (uids, kinds) = path(&shop, r#"from: "a", to: "d""#).await;
    assert_eq!(uids, ["a", "b", "c", "d"]);
    assert_eq!(kinds, ["CALLS"; 3]);
    let (back, _) = path(&shop, r#"from: "d", to: "a""#).await;
    assert_eq!(back, ["d", "c", "b", "a"]);
}

#[tokio::test]
async fn a_path_leads_through_a_container_where_there_is_no_other_way() {
    let shop = Shop::new().await;
    subnet_of(&shop, "a", "b").await;
    calls(&shop, &["caller", "a"]).await;
    shop.tell(edge("b", "SECURED_BY", "group", 1)).await;
    let (uids, kinds) = path(&shop, r#"from: "caller", to: "group""#).await;
    assert_eq!(uids, ["caller", "a", "subnet", "b", "group"]);
    assert_eq!(kinds, ["CALLS", "PART_OF", "PART_OF", "SECURED_BY"]);
    // The shorter of two ways through containers.
    shop.tell(node("vpc", "AWS::EC2::VPC")).await;
    shop.tell(edge("caller", "ATTACHED_TO", "vpc", 1)).await;
    shop.tell(edge("group", "PART_OF", "vpc", 1)).await;
    let (uids, _) = path(&shop, r#"from: "caller", to: "group""#).await;
    assert_eq!(uids, ["caller", "vpc", "group"]);
}

#[tokio::test]
async fn a_path_leads_through_a_container_where_the_way_round_it_is_too_long() {
    let shop = Shop::new().await;
    subnet_of(&shop, "a", "d").await;
    calls(&shop, &["a", "b", "c", "d"]).await;
    let (uids, _) = path(&shop, r#"from: "a", to: "d", maxDepth: 2"#).await;
    assert_eq!(uids, ["a", "subnet", "d"]);
}

#[tokio::test]
async fn a_path_may_begin_and_end_at_a_container() {
    let shop = Shop::new().await;
    subnet_of(&shop, "a", "b").await;
    shop.tell(node("vpc", "AWS::EC2::VPC")).await;
    shop.tell(edge("b", "ATTACHED_TO", "vpc", 1)).await;
    let (uids, _) = path(&shop, r#"from: "subnet", to: "vpc""#).await;
    assert_eq!(uids, ["subnet", "b", "vpc"]);
    let (uids, _) = path(&shop, r#"from: "vpc", to: "subnet""#).await;
    assert_eq!(uids, ["vpc", "b", "subnet"]);
}

#[tokio::test]
async fn of_equally_long_paths_that_of_traffic_and_dependency_is_found() {
    let shop = Shop::new().await;
    for group in ["group-1", "group-2"] {
        shop.tell(edge("a", "MEMBER_OF", group, 1)).await;
        shop.tell(edge("z", "MEMBER_OF", group, 1)).await;
    }
    calls(&shop, &["a", "y", "z"]).await;
    let (uids, kinds) = path(&shop, r#"from: "a", to: "z""#).await;
    assert_eq!(uids, ["a", "y", "z"]);
    assert_eq!(kinds, ["CALLS", "CALLS"]);
    // Of the edges between the same two nodes, likewise.
    shop.tell(edge("p", "PART_OF", "q", 1)).await;
    shop.tell(edge("p", "RUNS_ON", "q", 1)).await;
    assert_eq!(path(&shop, r#"from: "p", to: "q""#).await.1, ["RUNS_ON"]);
}

#[tokio::test]
async fn a_long_path_between_many_nodes_of_one_container_is_that_of_their_calls() {
    let shop = Shop::new().await;
    shop.tell(node("vpc", "AWS::EC2::VPC")).await;
    let names: Vec<String> = (0..=10).map(|number| format!("n{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for name in &names {
        shop.tell(edge(name, "PART_OF", "vpc", 1)).await;
    }
    calls(&shop, &names).await;
    let (uids, kinds) = path(&shop, r#"from: "n00", to: "n10", maxDepth: 10"#).await;
    assert_eq!(uids, names);
    assert_eq!(kinds, ["CALLS"; 10]);
}
