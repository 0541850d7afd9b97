//! The graph as a store has it when the process starts.

use std::collections::HashMap;

use pipeline::graph_store::{GraphStore, KnownAlias, OtherName, OutlinesPage};
use pipeline::impact::EDGE_KINDS;
use pipeline::schema::aliases::kind::SAME_AS;

use super::graph::Graph;
use crate::loading::Attempts;

/// Nodes that are read together.
const PAGE: usize = 4000;

/// Loads the living nodes with their claims and edges, then the names by which they are joined, page by
/// page. A page that cannot be read is read again. Dropped before its end, it leaves a graph without what
/// follows.
pub(super) async fn load(graph: &mut Graph, store: &dyn GraphStore, mut attempts: Attempts<'_>) {
    let kinds = EDGE_KINDS.map(str::to_owned);
    let mut after: Option<String> = None;
    loop {
        match store.outlines(&kinds, after.as_deref(), PAGE).await {
            Ok(page) => {
                attempts.succeeded();
                restore(graph, &page);
                after = page.last;
            }
            Err(error) => {
                attempts.failed(&error).await;
                continue;
            }
        }
        if after.is_none() {
            break;
        }
    }
    loop {
        match store.aliases(&[SAME_AS], after.as_deref(), PAGE).await {
            Ok(page) => {
                attempts.succeeded();
                restore_names(graph, &page.aliases);
                after = page.last;
            }
            Err(error) => {
                attempts.failed(&error).await;
                continue;
            }
        }
        if after.is_none() {
            return;
        }
    }
}

fn restore(graph: &mut Graph, page: &OutlinesPage) {
    for node in &page.nodes {
        graph.restore_node(node);
    }
    for node in page.nodes.iter().filter(|node| !node.edges.is_empty()) {
        graph.restore_edges(&node.uid, &node.edges);
    }
}

fn restore_names(graph: &mut Graph, aliases: &[KnownAlias]) {
    let mut names: HashMap<&str, Vec<OtherName>> = HashMap::new();
    for alias in aliases {
        // What is not listed is not held, whatever it is called.
        if graph.find(&alias.uid).is_some() {
            let of = names.entry(alias.uid.as_str());
            of.or_default().push(OtherName {
                kind: alias.kind.clone(),
                value: alias.value.clone(),
                scope: alias.scope.clone(),
                valid_from: (!alias.is_of_set).then_some(alias.since),
                valid_to: alias.until,
            });
        }
    }
    for (uid, names) in names {
        graph.restore_names(uid, &names);
    }
}
