//! What is connected with a node.

use crate::graph_store::{At, Direction, GraphStore, Neighborhood, NeighborhoodQuery};

use super::asking::{small_vpc, uids};
use super::batches::{Seen, alias_set, edge_set, scan};
use super::{Open, at};

async fn around(
    open: &Open,
    start: &str,
    query: &NeighborhoodQuery<'_>,
    at: At,
) -> Option<Neighborhood> {
    let found = open.store().neighborhood(start, query, at).await;
    found.unwrap()
}

fn both(depth: usize, limit: usize) -> NeighborhoodQuery<'static> {
    NeighborhoodQuery {
        depth,
        direction: Direction::Both,
        kinds: &[],
        limit,
    }
}

/// `uid distance`, with the node before it.
fn nodes(found: &Neighborhood) -> Vec<String> {
    let nodes = found.nodes.iter().map(|it| {
        let from = it.from.map(|from| found.nodes[from].node.uid.as_str());
        format!("{} {} {}", it.node.uid, it.distance, from.unwrap_or("-"))
    });
    nodes.collect()
}

fn edges(found: &Neighborhood) -> Vec<String> {
    let edges = found.edges.iter();
    let edges = edges.map(|edge| format!("{} {} {}", edge.from, edge.kind, edge.to));
    edges.collect()
}

#[tokio::test]
async fn nodes_are_reached_on_a_shortest_way_near_ones_first() {
    let open = small_vpc().await;
    let found = around(&open, "subnet", &both(3, 10), At::Now).await;
    let found = found.unwrap();
    assert_eq!(
        nodes(&found),
        ["subnet 0 -", "i-1 1 subnet", "sg 2 i-1", "i-2 3 sg"]
    );
    assert_eq!(
        edges(&found),
        [
            "i-1 PART_OF subnet",
            "i-1 SECURED_BY sg",
            "i-2 SECURED_BY sg"
        ]
    );
    assert!(!found.truncated);
    let kinds = uids(&["PART_OF"]);
    let walk = NeighborhoodQuery {
        kinds: &kinds,
        ..both(3, 10)
    };
    let found = around(&open, "subnet", &walk, At::Now).await.unwrap();
    assert_eq!(nodes(&found), ["subnet 0 -", "i-1 1 subnet"]);
}

#[tokio::test]
async fn a_kind_that_no_edge_has_leads_nowhere() {
    let open = small_vpc().await;
    let kinds = uids(&["ROUTES_TO"]);
    let walk = NeighborhoodQuery {
        kinds: &kinds,
        ..both(3, 10)
    };
    let found = around(&open, "sg", &walk, At::Now).await.unwrap();
    assert_eq!(
        (nodes(&found), found.truncated),
        (vec!["sg 0 -".to_owned()], false)
    );
}

#[tokio::test]
async fn beyond_the_limit_the_rest_is_left_out_and_that_is_said() {
    let open = small_vpc().await;
    let found = around(&open, "sg", &both(3, 2), At::Now).await.unwrap();
    assert_eq!(nodes(&found), ["sg 0 -", "i-1 1 sg", "i-2 1 sg"]);
    assert!(found.truncated, "the subnet");
    let found = around(&open, "sg", &both(3, 0), At::Now).await.unwrap();
    assert_eq!((nodes(&found).len(), found.truncated), (1, true));
}

#[tokio::test]
async fn edges_between_the_nodes_of_a_full_answer_are_read_as_well() {
    let open = small_vpc().await;
    // The walk is full before it follows the edges of the instances.
    open.write(edge_set(
        "i-1",
        "aws",
        20,
        &[("SECURED_BY", "sg"), ("PEER", "i-2")],
    ))
    .await;
    let found = around(&open, "sg", &both(2, 2), At::Now).await.unwrap();
    assert_eq!(
        edges(&found),
        ["i-1 PEER i-2", "i-1 SECURED_BY sg", "i-2 SECURED_BY sg"]
    );
}

#[tokio::test]
async fn a_hub_fills_the_answer_with_its_first_edges() {
    let open = Open::new().await;
    for user in 0..40 {
        open.write(edge_set(
            &format!("i-{user}"),
            "aws",
            10,
            &[("SECURED_BY", "sg")],
        ))
        .await;
    }
    let found = around(&open, "sg", &both(2, 5), At::Now).await.unwrap();
    assert_eq!((found.nodes.len(), found.edges.len()), (6, 5));
    assert!(found.truncated);
    let found = around(&open, "sg", &both(2, 40), At::Now).await.unwrap();
    assert_eq!((found.nodes.len(), found.truncated), (41, false));
}

#[tokio::test]
async fn a_walk_as_of_a_moment_sees_what_was_there_then() {
    let open = small_vpc().await;
    let left = ["i-1", "i-2"].map(|uid| Seen { uid, state: 7 });
    open.write(scan("s", 20, &left)).await;
    open.write(edge_set("i-1", "aws", 20, &[("PART_OF", "subnet")]))
        .await;
    let found = around(&open, "i-1", &both(2, 10), at(15)).await.unwrap();
    assert_eq!(
        nodes(&found),
        ["i-1 0 -", "sg 1 i-1", "subnet 1 i-1", "i-2 2 sg"]
    );
    let found = around(&open, "i-1", &both(2, 10), At::Now).await.unwrap();
    assert_eq!(nodes(&found), ["i-1 0 -", "subnet 1 i-1"]);
}

#[tokio::test]
async fn a_walk_begins_at_the_node_that_has_the_other_name() {
    let open = small_vpc().await;
    open.write(alias_set("i-2", 10, &[("same_as", "vm-2")]))
        .await;
    open.write(edge_set("vm-2", "agent", 10, &[("PART_OF", "host")]))
        .await;
    let found = around(&open, "vm-2", &both(1, 10), At::Now).await.unwrap();
    assert_eq!(nodes(&found), ["i-2 0 -", "host 1 i-2", "sg 1 i-2"]);
}

#[tokio::test]
async fn of_an_unknown_uid_nothing_is_known() {
    let open = small_vpc().await;
    assert_eq!(around(&open, "nothing", &both(1, 10), At::Now).await, None);
}

#[tokio::test]
async fn edges_are_followed_further_until_there_are_enough_nodes() {
    let open = Open::new().await;
    let kinds = ["A", "B", "C", "D", "E", "F", "G"];
    // More edges between two nodes than a step of so few nodes follows first.
    open.write(edge_set("a", "aws", 10, &kinds.map(|kind| (kind, "b"))))
        .await;
    open.write(edge_set("c", "aws", 10, &kinds.map(|kind| (kind, "b"))))
        .await;
    for start in ["a", "c"] {
        let found = around(&open, start, &both(1, 2), At::Now).await.unwrap();
        assert_eq!((found.nodes.len(), found.edges.len()), (2, 7), "{start}");
        assert!(!found.truncated);
    }
    let found = around(&open, "b", &both(1, 2), At::Now).await.unwrap();
    assert_eq!((found.nodes.len(), found.edges.len()), (3, 14));
    assert!(!found.truncated);
}

#[tokio::test]
async fn a_full_answer_has_edges_of_both_directions() {
    let open = Open::new().await;
    for number in 0..9 {
        let callee = format!("callee-{number}");
        open.write(edge_set("web", &callee, 10, &[("CALLS", &callee)]))
            .await;
    }
    open.write(edge_set("caller", "aws", 10, &[("CALLS", "web")]))
        .await;
    let found = around(&open, "web", &both(1, 4), At::Now).await.unwrap();
    let is_caller = |it: &String| it.starts_with("caller ");
    assert!(nodes(&found).iter().any(is_caller), "{:?}", nodes(&found));
}

#[tokio::test]
async fn names_of_names_are_reached_as_the_node_that_they_name() {
    for moment in [At::Now, at(50)] {
        let open = Open::new().await;
        open.write(alias_set("i-2", 10, &[("same_as", "vm-2")]))
            .await;
        open.write(alias_set("host-9", 10, &[("same_as", "i-2")]))
            .await;
        open.write(edge_set("vm-2", "agent", 10, &[("PART_OF", "rack")]))
            .await;
        let found = around(&open, "rack", &both(2, 10), moment).await.unwrap();
        assert_eq!(nodes(&found), ["rack 0 -", "host-9 1 rack"], "{moment:?}");
        // Two that name each other are still known.
        open.write(alias_set("d", 10, &[("same_as", "e")])).await;
        open.write(alias_set("e", 10, &[("same_as", "d")])).await;
        let found = around(&open, "d", &both(1, 10), moment).await;
        assert_eq!(found.unwrap().nodes.len(), 1, "{moment:?}");
    }
}
