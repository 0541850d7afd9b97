//! The graph as a store has it when the process starts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pipeline::graph_store::{At, Direction, Edge, GraphStore, NodeFilter, StoreError};
use pipeline::impact::EDGE_KINDS;
use pipeline::schema::nodes::group;

use super::graph::Graph;

/// Nodes that are read together.
const PAGE: usize = 500;

/// Edges that a page of nodes may have.
const EDGES: usize = 1_000_000;

/// Pages of living nodes with their edges and names, then whom the scans of each source saw.
pub(super) async fn load(graph: &mut Graph, store: &dyn GraphStore) -> Result<(), StoreError> {
    let (everything, kinds) = (NodeFilter::default(), EDGE_KINDS.map(str::to_owned));
    let mut sources: BTreeSet<String> = BTreeSet::new();
    let mut after: Option<String> = None;
    loop {
        let page = store.list(&everything, after.as_deref(), PAGE, At::Now);
        let nodes = page.await?;
        for node in &nodes {
            graph.restore_node(node);
            let existence = node.facts.get(group::LIFECYCLE);
            sources.extend(existence.map(|fact| fact.source.clone()));
        }
        let uids: Vec<String> = nodes.iter().map(|node| node.uid.clone()).collect();
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
            break;
        }
        after = uids.into_iter().next_back();
    }
    for source in sources {
        load_scopes(graph, store, &source).await?;
    }
    Ok(())
}

async fn load_scopes(
    graph: &mut Graph,
    store: &dyn GraphStore,
    source: &str,
) -> Result<(), StoreError> {
    let mut scopes: BTreeMap<String, Vec<(String, u64)>> = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let page = store.scanned(source, after.as_deref(), PAGE).await?;
        for seen in page.scanned {
            let members = scopes.entry(seen.scope).or_default();
            members.push((seen.uid, seen.state));
        }
        after = page.last;
        if after.is_none() {
            break;
        }
    }
    for (scope, members) in scopes {
        graph.restore_scope(source, &scope, &members);
    }
    Ok(())
}
