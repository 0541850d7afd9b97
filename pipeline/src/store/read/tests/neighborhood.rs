//! Tests of the neighborhood of a node.

use crate::graph_store::{AsOf, Directions, GraphStore, Neighborhood, NeighborhoodQuery};

use super::batches::{ScanMember, alias_snapshot, edge_snapshot, scan};
use super::queries::{small_vpc, uids};
use super::{StoreFixture, at};

async fn neighborhood_of(
    fixture: &StoreFixture,
    start: &str,
    query: &NeighborhoodQuery<'_>,
    at: AsOf,
) -> Option<Neighborhood> {
    let found = fixture.store().neighborhood(start, query, at).await;
    found.unwrap()
}

fn both(depth: usize, limit: usize) -> NeighborhoodQuery<'static> {
    NeighborhoodQuery {
        depth,
        directions: Directions::Both,
        kinds: &[],
        limit,
    }
}

/// Returns `uid distance previous-uid` of each node.
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
async fn nodes_are_reached_by_a_shortest_path_near_ones_first() {
    let fixture = small_vpc().await;
    let found = neighborhood_of(&fixture, "subnet", &both(3, 10), AsOf::Now).await;
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
    let found = neighborhood_of(&fixture, "subnet", &walk, AsOf::Now)
        .await
        .unwrap();
    assert_eq!(nodes(&found), ["subnet 0 -", "i-1 1 subnet"]);
}

#[tokio::test]
async fn unknown_edge_kind_leads_nowhere() {
    let fixture = small_vpc().await;
    let kinds = uids(&["ROUTES_TO"]);
    let walk = NeighborhoodQuery {
        kinds: &kinds,
        ..both(3, 10)
    };
    let found = neighborhood_of(&fixture, "sg", &walk, AsOf::Now)
        .await
        .unwrap();
    assert_eq!(
        (nodes(&found), found.truncated),
        (vec!["sg 0 -".to_owned()], false)
    );
}

#[tokio::test]
async fn nodes_beyond_the_limit_are_left_out_and_reported_as_truncated() {
    let fixture = small_vpc().await;
    let found = neighborhood_of(&fixture, "sg", &both(3, 2), AsOf::Now)
        .await
        .unwrap();
    assert_eq!(nodes(&found), ["sg 0 -", "i-1 1 sg", "i-2 1 sg"]);
    assert!(found.truncated, "the subnet");
    let found = neighborhood_of(&fixture, "sg", &both(3, 0), AsOf::Now)
        .await
        .unwrap();
    assert_eq!((nodes(&found).len(), found.truncated), (1, true));
}

#[tokio::test]
async fn edges_between_the_nodes_of_a_full_result_are_complete() {
    let fixture = small_vpc().await;
    // The walk is full before it follows the edges of the instances.
    fixture
        .write(edge_snapshot(
            "i-1",
            "aws",
            20,
            &[("SECURED_BY", "sg"), ("PEER", "i-2")],
        ))
        .await;
    let found = neighborhood_of(&fixture, "sg", &both(2, 2), AsOf::Now)
        .await
        .unwrap();
    assert_eq!(
        edges(&found),
        ["i-1 PEER i-2", "i-1 SECURED_BY sg", "i-2 SECURED_BY sg"]
    );
}

#[tokio::test]
async fn hub_fills_the_result_with_its_first_edges() {
    let fixture = StoreFixture::new().await;
    for user in 0..40 {
        fixture
            .write(edge_snapshot(
                &format!("i-{user}"),
                "aws",
                10,
                &[("SECURED_BY", "sg")],
            ))
            .await;
    }
    let found = neighborhood_of(&fixture, "sg", &both(2, 5), AsOf::Now)
        .await
        .unwrap();
    assert_eq!((found.nodes.len(), found.edges.len()), (6, 5));
    assert!(found.truncated);
    let found = neighborhood_of(&fixture, "sg", &both(2, 40), AsOf::Now)
        .await
        .unwrap();
    assert_eq!((found.nodes.len(), found.truncated), (41, false));
}

#[tokio::test]
async fn walk_as_of_a_past_time_uses_the_edges_of_that_time() {
    let fixture = small_vpc().await;
    let left = ["i-1", "i-2"].map(|uid| ScanMember { uid, state: 7 });
    fixture.write(scan("s", 20, &left)).await;
    fixture
        .write(edge_snapshot("i-1", "aws", 20, &[("PART_OF", "subnet")]))
        .await;
    let found = neighborhood_of(&fixture, "i-1", &both(2, 10), at(15))
        .await
        .unwrap();
    assert_eq!(
        nodes(&found),
        ["i-1 0 -", "sg 1 i-1", "subnet 1 i-1", "i-2 2 sg"]
    );
    let found = neighborhood_of(&fixture, "i-1", &both(2, 10), AsOf::Now)
        .await
        .unwrap();
    assert_eq!(nodes(&found), ["i-1 0 -", "subnet 1 i-1"]);
}

#[tokio::test]
async fn walk_begins_at_the_owner_of_a_merged_node() {
    let fixture = small_vpc().await;
    fixture
        .write(alias_snapshot("i-2", 10, &[("same_as", "vm-2")]))
        .await;
    fixture
        .write(edge_snapshot("vm-2", "agent", 10, &[("PART_OF", "host")]))
        .await;
    let found = neighborhood_of(&fixture, "vm-2", &both(1, 10), AsOf::Now)
        .await
        .unwrap();
    assert_eq!(nodes(&found), ["i-2 0 -", "host 1 i-2", "sg 1 i-2"]);
}

#[tokio::test]
async fn unknown_uid_has_no_neighborhood() {
    let fixture = small_vpc().await;
    assert_eq!(
        neighborhood_of(&fixture, "nothing", &both(1, 10), AsOf::Now).await,
        None
    );
}

#[tokio::test]
async fn parallel_edges_do_not_use_up_the_node_limit() {
    let fixture = StoreFixture::new().await;
    let kinds = ["A", "B", "C", "D", "E", "F", "G"];
    // There are more edges between the two nodes than the first attempt of a step follows.
    fixture
        .write(edge_snapshot(
            "a",
            "aws",
            10,
            &kinds.map(|kind| (kind, "b")),
        ))
        .await;
    fixture
        .write(edge_snapshot(
            "c",
            "aws",
            10,
            &kinds.map(|kind| (kind, "b")),
        ))
        .await;
    for start in ["a", "c"] {
        let found = neighborhood_of(&fixture, start, &both(1, 2), AsOf::Now)
            .await
            .unwrap();
        assert_eq!((found.nodes.len(), found.edges.len()), (2, 7), "{start}");
        assert!(!found.truncated);
    }
    let found = neighborhood_of(&fixture, "b", &both(1, 2), AsOf::Now)
        .await
        .unwrap();
    assert_eq!((found.nodes.len(), found.edges.len()), (3, 14));
    assert!(!found.truncated);
}

#[tokio::test]
async fn full_result_has_edges_of_both_directions() {
    let fixture = StoreFixture::new().await;
    for number in 0..9 {
        let callee = format!("callee-{number}");
        fixture
            .write(edge_snapshot("web", &callee, 10, &[("CALLS", &callee)]))
            .await;
    }
    fixture
        .write(edge_snapshot("caller", "aws", 10, &[("CALLS", "web")]))
        .await;
    let found = neighborhood_of(&fixture, "web", &both(1, 4), AsOf::Now)
        .await
        .unwrap();
    let is_caller = |it: &String| it.starts_with("caller ");
    assert!(nodes(&found).iter().any(is_caller), "{:?}", nodes(&found));
}

#[tokio::test]
async fn chain_of_same_as_aliases_leads_to_one_node() {
    for as_of in [AsOf::Now, at(50)] {
        let fixture = StoreFixture::new().await;
        fixture
            .write(alias_snapshot("i-2", 10, &[("same_as", "vm-2")]))
            .await;
        fixture
            .write(alias_snapshot("host-9", 10, &[("same_as", "i-2")]))
            .await;
        fixture
            .write(edge_snapshot("vm-2", "agent", 10, &[("PART_OF", "rack")]))
            .await;
        let found = neighborhood_of(&fixture, "rack", &both(2, 10), as_of)
            .await
            .unwrap();
        assert_eq!(nodes(&found), ["rack 0 -", "host-9 1 rack"], "{as_of:?}");
        // Two nodes that name each other still have a neighborhood.
        fixture
            .write(alias_snapshot("d", 10, &[("same_as", "e")]))
            .await;
        fixture
            .write(alias_snapshot("e", 10, &[("same_as", "d")]))
            .await;
        let found = neighborhood_of(&fixture, "d", &both(1, 10), as_of).await;
        assert_eq!(found.unwrap().nodes.len(), 1, "{as_of:?}");
    }
}
