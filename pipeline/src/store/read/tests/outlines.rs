//! Tests of outlines, as a processor reads them at its start.

use crate::component::UnixNanos;
use crate::graph_store::{GraphStore, NodeOutline, OutlinesPage, StoreError, outlines_by_parts};

use super::StoreFixture;
use super::batches::{ScanMember, alias_snapshot, edge_snapshot, fact, observed_edge, scan};

async fn fixture() -> StoreFixture {
    let fixture = StoreFixture::new().await;
    let seen = ["a", "b", "c", "d"].map(|uid| ScanMember { uid, state: 7 });
    fixture.write(scan("s", 10, &seen)).await;
    fixture.write(scan("s", 20, &seen[..3])).await;
    let edges = [("PART_OF", "b"), ("PART_OF", "d"), ("OWNED_BY", "c")];
    fixture.write(edge_snapshot("a", "aws", 10, &edges)).await;
    fixture
        .write(edge_snapshot("a", "tf", 10, &edges[..1]))
        .await;
    fixture
        .write(edge_snapshot("d", "aws", 10, &edges[..1]))
        .await;
    let now = UnixNanos::now();
    fixture.write(observed_edge("b", "CALLS", "c", now)).await;
    fixture
        .write(observed_edge("c", "CALLS", "a", UnixNanos(10)))
        .await;
    fixture
        .write(observed_edge("ext://a:1", "CALLS", "b", now))
        .await;
    fixture
        .write(alias_snapshot("a", 20, &[("same_as", "ext://a:1")]))
        .await;
    fixture
        .write(fact("e", "telemetry", "observed", "otlp", "e", now.0))
        .await;
    fixture
        .write(fact("f", "telemetry", "observed", "otlp", "f", 10))
        .await;
    fixture
        .write(fact("g", "desired", "observed", "tf", "g", now.0))
        .await;
    fixture
}

fn kinds() -> [String; 2] {
    ["PART_OF", "CALLS"].map(str::to_owned)
}

/// Returns all pages, with sorted edges, and without edges to ended nodes.
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
        let ended = std::mem::take(&mut node.ended_targets);
        let has_ended = |uid: &String| ended.iter().any(|(end, _)| end == uid);
        node.edges.retain(|edge| !has_ended(&edge.to));
    }
    all
}

#[tokio::test]
async fn outlines_equal_the_separate_reads_of_their_parts() {
    let (fixture, kinds) = (fixture().await, kinds());
    let (store, kinds) = (fixture.store(), &kinds);
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
async fn outlines_of_uids_resolve_merged_nodes_and_include_ends() {
    let (fixture, kinds) = (fixture().await, kinds());
    let uids = ["ext://a:1", "d", "unknown"].map(str::to_owned);
    let read = fixture.store().outlines_of(&kinds, &uids).await.unwrap();
    let ended = vec![("d".to_owned(), UnixNanos(20))];
    assert_eq!(read.ended, ended);
    assert_eq!(read.nodes.len(), 1);
    let node = &read.nodes[0];
    assert_eq!((node.uid.as_str(), &node.ended_targets), ("a", &ended));
    let mut ends: Vec<&str> = node.edges.iter().map(|edge| edge.to.as_str()).collect();
    ends.sort_unstable();
    assert_eq!(ends, ["b", "b", "d"]);
}

#[tokio::test]
async fn aliases_of_uids_equal_those_of_a_page() {
    let fixture = fixture().await;
    let page = fixture
        .store()
        .aliases(&["same_as"], None, 10)
        .await
        .unwrap();
    let uids = ["b", "a", "unknown"].map(str::to_owned);
    let read = async |kind| {
        fixture
            .store()
            .aliases_of_uids(&[kind], &uids)
            .await
            .unwrap()
    };
    assert_eq!(read("same_as").await, page.aliases);
    assert_eq!(read("dns").await, []);
}
