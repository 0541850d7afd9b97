//! The graph as a store has it when the process starts, and what changes later.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use pipeline::graph_store::{
    GraphStore, KnownAlias, OtherName, Outlines, OutlinesPage, StoreError,
};
use pipeline::impact::EDGE_KINDS;
use pipeline::schema::aliases::kind::SAME_AS;

use super::graph::Graph;
use crate::following::{Page, Reads};
use crate::loading::Attempts;

/// Nodes that are read together.
const PAGE: usize = 4000;
/// The same while batches pass: they wait until a page is taken in.
const PAGE_AGAIN: usize = 500;

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
        graph.restore_edges(node);
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

/// Reads nodes for a graph that follows the store.
#[derive(Debug)]
pub(super) struct ReadNodes(pub(super) Arc<dyn GraphStore>);

/// Nodes as they are stored, and the names by which they are joined.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    outlines: Outlines,
    names: Vec<KnownAlias>,
}

#[async_trait]
impl Reads for ReadNodes {
    type Part = Nodes;

    async fn of(&self, uids: &[String]) -> Result<Nodes, StoreError> {
        let kinds = EDGE_KINDS.map(str::to_owned);
        self.named(self.0.outlines_of(&kinds, uids).await?).await
    }

    async fn page(&self, after: Option<&str>) -> Result<Page<Nodes>, StoreError> {
        let kinds = EDGE_KINDS.map(str::to_owned);
        let OutlinesPage { nodes, last } = self.0.outlines(&kinds, after, PAGE_AGAIN).await?;
        let uids = nodes.iter().map(|node| node.uid.clone()).collect();
        let outlines = Outlines {
            nodes,
            ..Outlines::default()
        };
        let part = self.named(outlines).await?;
        Ok(Page { uids, part, last })
    }
}

impl Nodes {
    pub(super) fn uids(&self) -> impl Iterator<Item = &str> {
        self.outlines.nodes.iter().map(|node| node.uid.as_str())
    }
}

impl ReadNodes {
    async fn named(&self, outlines: Outlines) -> Result<Nodes, StoreError> {
        let uids = outlines.nodes.iter().map(|node| node.uid.clone());
        let uids: Vec<String> = uids.collect();
        let names = self.0.aliases_of_uids(&[SAME_AS], &uids).await?;
        Ok(Nodes { outlines, names })
    }
}

/// Puts what was read of these uids, and of those that they are other names of, in the place of what is
/// held.
pub(super) fn replace(graph: &mut Graph, uids: &[String], read: &Nodes) {
    let Nodes { outlines, names } = read;
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
