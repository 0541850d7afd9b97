//! Loads the graph from a store at the start, and reads the nodes that other processes change.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use pipeline::graph_store::{
    GraphAlias, GraphStore, KnownAlias, Outlines, OutlinesPage, StoreError,
};
use pipeline::impact::EDGE_KINDS;
use pipeline::schema::aliases::kind::SAME_AS;

use super::graph::ImpactGraph;
use crate::following::{ReadPage, StoreReader};
use crate::loading::ReadAttempts;

/// The number of nodes on a page while the graph is loaded.
const PAGE: usize = 4000;
/// The number of nodes on a page of a full read of the [follower](crate::following). It is smaller, since batches wait
/// while a page is applied.
const REREAD_PAGE: usize = 500;

/// Loads all current nodes with their claims and edges, and then the `same_as` aliases, page by page. Repeats a read
/// that fails. If the future is dropped early, the graph lacks the remaining pages.
pub(super) async fn load(
    graph: &mut ImpactGraph,
    store: &dyn GraphStore,
    mut attempts: ReadAttempts<'_>,
) {
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

/// Adds the nodes of a page to the graph.
fn restore(graph: &mut ImpactGraph, page: &OutlinesPage) {
    for node in &page.nodes {
        graph.restore_node(node);
    }
    for node in page.nodes.iter().filter(|node| !node.edges.is_empty()) {
        graph.restore_edges(node);
    }
}

/// Adds `same_as` aliases to the graph.
fn restore_names(graph: &mut ImpactGraph, aliases: &[KnownAlias]) {
    let mut names: HashMap<&str, Vec<GraphAlias>> = HashMap::new();
    for alias in aliases {
        // An alias must not add a node that the outlines lack.
        if graph.find(&alias.uid).is_some() {
            let of_uid = names.entry(alias.uid.as_str());
            of_uid.or_default().push(GraphAlias {
                kind: alias.kind.clone(),
                value: alias.value.clone(),
                scope: alias.scope.clone(),
                valid_from: (!alias.is_in_snapshot).then_some(alias.since),
                valid_to: alias.until,
            });
        }
    }
    for (uid, names) in names {
        graph.restore_names(uid, &names);
    }
}

/// Reads nodes for the [`Follower`](crate::following::Follower) of the store.
#[derive(Debug)]
pub(super) struct NodeReader(pub(super) Arc<dyn GraphStore>);

/// Nodes that were read from the store, with their `same_as` aliases.
#[derive(Debug, Default)]
pub(super) struct StoredNodes {
    outlines: Outlines,
    names: Vec<KnownAlias>,
}

#[async_trait]
impl StoreReader for NodeReader {
    type Content = StoredNodes;

    async fn read_uids(&self, uids: &[String]) -> Result<StoredNodes, StoreError> {
        let kinds = EDGE_KINDS.map(str::to_owned);
        self.with_names(self.0.outlines_of(&kinds, uids).await?)
            .await
    }

    async fn read_page(&self, after: Option<&str>) -> Result<ReadPage<StoredNodes>, StoreError> {
        let kinds = EDGE_KINDS.map(str::to_owned);
        let OutlinesPage { nodes, last } = self.0.outlines(&kinds, after, REREAD_PAGE).await?;
        let uids = nodes.iter().map(|node| node.uid.clone()).collect();
        let outlines = Outlines {
            nodes,
            ..Outlines::default()
        };
        let content = self.with_names(outlines).await?;
        Ok(ReadPage {
            uids,
            content,
            last,
        })
    }
}

impl StoredNodes {
    pub(super) fn uids(&self) -> impl Iterator<Item = &str> {
        self.outlines.nodes.iter().map(|node| node.uid.as_str())
    }
}

impl NodeReader {
    /// Reads the `same_as` aliases of the nodes. Returns the nodes with these aliases.
    async fn with_names(&self, outlines: Outlines) -> Result<StoredNodes, StoreError> {
        let uids = outlines.nodes.iter().map(|node| node.uid.clone());
        let uids: Vec<String> = uids.collect();
        let names = self.0.aliases_of_uids(&[SAME_AS], &uids).await?;
        Ok(StoredNodes { outlines, names })
    }
}

/// Replaces the nodes with these uids by the stored nodes, and removes those that are not stored. If a uid is merged
/// into another node, also replaces that node.
pub(super) fn replace(graph: &mut ImpactGraph, uids: &[String], stored: &StoredNodes) {
    let StoredNodes { outlines, names } = stored;
    let nodes: HashSet<&str> = outlines
        .nodes
        .iter()
        .map(|node| node.uid.as_str())
        .collect();
    let ended: HashMap<&str, _> = outlines
        .ended
        .iter()
        .map(|(uid, time)| (uid.as_str(), *time))
        .collect();
    for uid in uids.iter().filter(|uid| !nodes.contains(uid.as_str())) {
        graph.remove_node(uid, ended.get(uid.as_str()).copied());
    }
    for node in &outlines.nodes {
        graph.replace_node(node);
    }
    restore_names(graph, names);
}
