//! Nodes with their edges, page by page, as a processor reads them when it starts.

use crate::component::UnixNanos;
use crate::graph_store::{GraphStore, NodeOutline, OutlinesPage, StoreError, outlines_by_parts};

use super::Open;
use super::batches::{Seen, alias_set, edge_set, fact, scan, seen_edge};

async fn open() -> Open {
    let open = Open::new().await;
    let seen = ["a", "b", "c", "d"].map(|uid| Seen { uid, state: 7 });
    open.write(scan("s", 10, &seen)).await;
    open.write(scan("s", 20, &seen[..3])).await;
    let edges = [("PART_OF", "b"), ("PART_OF", "d"), ("OWNED_BY", "c")];
    open.write(edge_set("a", "aws", 10, &edges)).await;
    open.write(edge_set("a", "tf", 10, &edges[..1])).await;
    open.write(edge_set("d", "aws", 10, &edges[..1])).await;
    let now = UnixNanos::now();
    open.write(seen_edge("b", "CALLS", "c", now)).await;
    open.write(seen_edge("c", "CALLS", "a", UnixNanos(10)))
        .await;
    open.write(seen_edge("ext://a:1", "CALLS", "b", now)).await;
    open.write(alias_set("a", 20, &[("same_as", "ext://a:1")]))
        .await;
    open.write(fact("e", "telemetry", "observed", "otlp", "e", now.0))
        .await;
    open.write(fact("f", "telemetry", "observed", "otlp", "f", 10))
        .await;
    open.write(fact("g", "desired", "observed", "tf", "g", now.0))
        .await;
    open
}

fn kinds() -> [String; 2] {
    ["PART_OF", "CALLS"].map(str::to_owned)
}

/// All pages, edges in one order, those that lead to an ended node left out.
async fn all<F>(read: impl Fn(Option<String>) -> F) -> Vec<NodeOutline>
where
    F: Future<Output = Result<OutlinesPage, StoreError>>,
{
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = read(after).await.unwrap();
        all.extend(page.nodes);
        after = page.last;
        if after.is_none() {
            break;
        }
    }
    for node in &mut all {
        let key = |edge: &crate::graph_store::Edge| (edge.kind.clone(), edge.to.clone());
        node.edges.sort_by_key(key);
        let ended = std::mem::take(&mut node.ended_ends);
        let has_ended = |uid: &String| ended.iter().any(|(end, _)| end == uid);
        node.edges.retain(|edge| !has_ended(&edge.to));
    }
    all
}

#[tokio::test]
async fn outlines_are_what_the_store_answers_to_questions_for_their_parts() {
    let (open, kinds) = (open().await, kinds());
    let (store, kinds) = (open.store(), &kinds);
    let parts =
        async |after: Option<String>| outlines_by_parts(store, kinds, after.as_deref(), 1000).await;
    let parts = all(parts).await;
    for limit in [1, 2, 3, 1000] {
        let outlines =
            async |after: Option<String>| store.outlines(kinds, after.as_deref(), limit).await;
        assert_eq!(all(outlines).await, parts, "in pages of {limit}");
    }
    let edges = parts.iter().flat_map(|node| {
        let edges = node.edges.iter();
        edges.map(|edge| format!("{} {} {}", edge.from, edge.kind, edge.to))
    });
    let edges: Vec<String> = edges.collect();
    assert_eq!(edges, ["a CALLS b", "a PART_OF b", "b CALLS c"]);
    let uids: Vec<&str> = parts.iter().map(|node| node.uid.as_str()).collect();
    assert_eq!(uids, ["a", "b", "c", "e", "g"]);
}

#[tokio::test]
async fn outlines_of_uids_are_of_the_nodes_that_they_are_and_say_what_has_ended() {
    let (open, kinds) = (open().await, kinds());
    let uids = ["ext://a:1", "d", "unknown"].map(str::to_owned);
    let read = open.store().outlines_of(&kinds, &uids).await.unwrap();
    let ended = vec![("d".to_owned(), UnixNanos(20))];
    assert_eq!(read.ended, ended);
    assert_eq!(read.nodes.len(), 1);
    let node = &read.nodes[0];
    assert_eq!((node.uid.as_str(), &node.ended_ends), ("a", &ended));
    let mut ends: Vec<&str> = node.edges.iter().map(|edge| edge.to.as_str()).collect();
    ends.sort_unstable();
    assert_eq!(ends, ["b", "b", "d"]);
}

#[tokio::test]
async fn names_of_uids_are_what_a_page_has_of_them() {
    let open = open().await;
    let page = open.store().aliases(&["same_as"], None, 10).await.unwrap();
    let uids = ["b", "a", "unknown"].map(str::to_owned);
    let read = async |kind| open.store().aliases_of_uids(&[kind], &uids).await.unwrap();
    assert_eq!(read("same_as").await, page.aliases);
    assert_eq!(read("dns").await, []);
}
