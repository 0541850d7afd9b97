//! The graph as a store has it when the process starts.

use std::collections::HashMap;

use pipeline::graph_store::{
    At, ClaimInfo, Direction, Edge, GraphStore, Node, NodeFilter, OtherName, StoreError,
};
use pipeline::impact::EDGE_KINDS;

use super::graph::Graph;
use crate::loading::Attempts;

/// Nodes that are read together.
const PAGE: usize = 500;

/// Edges that a page of nodes may have.
const EDGES: usize = 1_000_000;

/// Loads the living nodes with their claims, edges and names, page by page. A page that cannot be read is
/// read again. Dropped before its end, it leaves a graph without the nodes that follow.
pub(super) async fn load(graph: &mut Graph, store: &dyn GraphStore, mut attempts: Attempts<'_>) {
    let mut after: Option<String> = None;
    loop {
        match read_page(store, after.as_deref()).await {
            Ok(page) => {
                attempts.succeeded();
                page.restore(graph);
                after = page.last;
                if after.is_none() {
                    return;
                }
            }
            Err(error) => attempts.failed(&error).await,
        }
    }
}

/// Some nodes, and all that is needed to restore them.
struct Page {
    nodes: Vec<Node>,
    claims: Vec<Vec<ClaimInfo>>,
    edges: HashMap<String, Vec<Edge>>,
    names: Vec<Vec<OtherName>>,
    last: Option<String>,
}

impl Page {
    fn restore(&self, graph: &mut Graph) {
        for (node, claims) in self.nodes.iter().zip(&self.claims) {
            graph.restore_node(node, claims);
        }
        for (uid, edges) in &self.edges {
            graph.restore_edges(uid, edges);
        }
        for (node, names) in self.nodes.iter().zip(&self.names) {
            graph.restore_names(&node.uid, names);
        }
    }
}

async fn read_page(store: &dyn GraphStore, after: Option<&str>) -> Result<Page, StoreError> {
    let (everything, kinds) = (NodeFilter::default(), EDGE_KINDS.map(str::to_owned));
    let nodes = store.list(&everything, after, PAGE, At::Now).await?;
    let uids: Vec<String> = nodes.iter().map(|node| node.uid.clone()).collect();
    let claims = store.claims(&uids).await?;
    let all = store.edges(&uids, Direction::Out, &kinds, EDGES, At::Now);
    let mut edges: HashMap<String, Vec<Edge>> = HashMap::new();
    for edge in all.await? {
        edges.entry(edge.from.clone()).or_default().push(edge);
    }
    let names = store.aliases_of(&uids, At::Now).await?;
    let last = uids.into_iter().next_back();
    Ok(Page {
        last: last.filter(|_| nodes.len() == PAGE),
        nodes,
        claims,
        edges,
        names,
    })
}
