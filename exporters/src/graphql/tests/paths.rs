//! Tests of `path`: which of several paths is returned.

use pipeline::component::UnixNanos;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::nodes;
use pipeline::{Batch, Delivery, Signal};
use serde_json::{Value as Json, json};

use super::walks::edge;
use super::{MINUTE, Shop};

fn node(uid: &str, kind: &str) -> Batch {
    let mut rows = Rows::new(Signal::Nodes);
    let cells = [
        (nodes::OP, Cell::Text("observed")),
        (nodes::GROUP, Cell::Text("actual")),
        (nodes::KIND, Cell::Text(kind)),
    ];
    rows.push(Some(UnixNanos(MINUTE)), Some(uid), "aws", &cells);
    rows.finish(Delivery::untracked())
}

/// Writes a subnet that contains `a` and `b`.
async fn subnet_of(shop: &Shop, a: &str, b: &str) {
    shop.write(node("subnet", "AWS::EC2::Subnet")).await;
    shop.write(edge(a, "PART_OF", "subnet", 1)).await;
    shop.write(edge(b, "PART_OF", "subnet", 1)).await;
}

/// Writes calls from each node to the next.
async fn calls(shop: &Shop, uids: &[&str]) {
    for pair in uids.windows(2) {
        shop.write(edge(pair[0], "CALLS", pair[1], 1)).await;
    }
}

/// The uids of the path, and the kinds of its edges.
async fn path(shop: &Shop, arguments: &str) -> (Vec<String>, Vec<String>) {
    let fields = "{ truncated nodes { uid } edges { kind } }";
    let answer = shop
        .query(&format!("{{ path({arguments}) {fields} }}"))
        .await;
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
async fn a_longer_path_that_avoids_a_container_is_preferred() {
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
async fn a_path_uses_a_container_if_there_is_no_other_path() {
    let shop = Shop::new().await;
    subnet_of(&shop, "a", "b").await;
    calls(&shop, &["caller", "a"]).await;
    shop.write(edge("b", "SECURED_BY", "group", 1)).await;
    let (uids, kinds) = path(&shop, r#"from: "caller", to: "group""#).await;
    assert_eq!(uids, ["caller", "a", "subnet", "b", "group"]);
    assert_eq!(kinds, ["CALLS", "PART_OF", "PART_OF", "SECURED_BY"]);
    // Of two paths through containers, the shorter is returned.
    shop.write(node("vpc", "AWS::EC2::VPC")).await;
    shop.write(edge("caller", "ATTACHED_TO", "vpc", 1)).await;
    shop.write(edge("group", "PART_OF", "vpc", 1)).await;
    let (uids, _) = path(&shop, r#"from: "caller", to: "group""#).await;
    assert_eq!(uids, ["caller", "vpc", "group"]);
}

#[tokio::test]
async fn a_path_uses_a_container_if_the_path_around_it_is_too_long() {
    let shop = Shop::new().await;
    subnet_of(&shop, "a", "d").await;
    calls(&shop, &["a", "b", "c", "d"]).await;
    let (uids, _) = path(&shop, r#"from: "a", to: "d", maxDepth: 2"#).await;
    assert_eq!(uids, ["a", "subnet", "d"]);
}

#[tokio::test]
async fn a_path_may_start_and_end_at_a_container() {
    let shop = Shop::new().await;
    subnet_of(&shop, "a", "b").await;
    shop.write(node("vpc", "AWS::EC2::VPC")).await;
    shop.write(edge("b", "ATTACHED_TO", "vpc", 1)).await;
    let (uids, _) = path(&shop, r#"from: "subnet", to: "vpc""#).await;
    assert_eq!(uids, ["subnet", "b", "vpc"]);
    let (uids, _) = path(&shop, r#"from: "vpc", to: "subnet""#).await;
    assert_eq!(uids, ["vpc", "b", "subnet"]);
}

#[tokio::test]
async fn among_paths_of_equal_length_edges_of_traffic_and_dependency_are_preferred() {
    let shop = Shop::new().await;
    for group in ["group-1", "group-2"] {
        shop.write(edge("a", "MEMBER_OF", group, 1)).await;
        shop.write(edge("z", "MEMBER_OF", group, 1)).await;
    }
    calls(&shop, &["a", "y", "z"]).await;
    let (uids, kinds) = path(&shop, r#"from: "a", to: "z""#).await;
    assert_eq!(uids, ["a", "y", "z"]);
    assert_eq!(kinds, ["CALLS", "CALLS"]);
    // The same preference holds for parallel edges between two nodes.
    shop.write(edge("p", "PART_OF", "q", 1)).await;
    shop.write(edge("p", "RUNS_ON", "q", 1)).await;
    assert_eq!(path(&shop, r#"from: "p", to: "q""#).await.1, ["RUNS_ON"]);
}

#[tokio::test]
async fn a_path_of_ten_calls_is_found_between_nodes_of_one_container() {
    let shop = Shop::new().await;
    shop.write(node("vpc", "AWS::EC2::VPC")).await;
    let names: Vec<String> = (0..=10).map(|number| format!("n{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for name in &names {
        shop.write(edge(name, "PART_OF", "vpc", 1)).await;
    }
    calls(&shop, &names).await;
    let (uids, kinds) = path(&shop, r#"from: "n00", to: "n10", maxDepth: 10"#).await;
    assert_eq!(uids, names);
    assert_eq!(kinds, ["CALLS"; 10]);
}
