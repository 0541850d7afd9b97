//! The graph as a store has it when the process starts.

use std::collections::HashMap;

use pipeline::graph_store::{At, Direction, Edge, GraphStore, NodeFilter, StoreError};
use pipeline::impact::EDGE_KINDS;

use super::graph::Graph;

/// Nodes that are read together.
const PAGE: usize = 500;

/// Edges that a page of nodes may have.
const EDGES: usize = 1_000_000;

/// Pages of living nodes with their claims, edges and names.
pub(super) async fn load(graph: &mut Graph, store: &dyn GraphStore) -> Result<(), StoreError> {
    let (everything, kinds) = (NodeFilter::default(), EDGE_KINDS.map(str::to_owned));
    let mut after: Option<String> = None;
    loop {
        let page = store.list(&everything, after.as_deref(), PAGE, At::Now);
        let nodes = page.await?;
        let uids: Vec<String> = nodes.iter().map(|node| node.uid.clone()).collect();
        let claims = store.claims(&uids).await?;
        for (node, claims) in nodes.iter().zip(&claims) {
            graph.restore_node(node, claims);
        }
        let edges = store.edges(&uids, Direction::Out, &kinds, EDGES, At::Now);
        let mut by_start: HashMap<String, Vec<Edge>> = HashMap::new();
        for edge in edges.await? {
            by_start.entry(edge.from.clone()).or_default().push(edge);
        }
        for (uid, edges) in by_start {
            graph.restore_edges(&uid, &edges);
        }
        let names = store.aliases_of(&uids, At::Now).await?;
        for (uid, names) in uids.iter().zip(names) {
            graph.restore_names(uid, &names);
        }
        if nodes.len() < PAGE {
            return Ok(());
        }
        after = uids.into_iter().next_back();
    }
}
