//! The store under test. No other file of the benchmark calls a store.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use exporters::sqlite::{Config, Sqlite};
use pipeline::alias_index::AliasKind;
use pipeline::component::{Exporter, Host, StoreRef, Tasks, UnixNanos};
use pipeline::graph_store::{
    AsOf, Directions, GraphStore, NeighborhoodQuery, NodeFilter, SearchQuery, StoreError, TagFilter,
};
use pipeline::impact::EDGE_KINDS;
use pipeline::registry::BuildExporter;
use pipeline::{Batch, SignalSet};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Edges per step and nodes of a walk, as in GraphQL.
const STEP: usize = 5000;
const NEIGHBORS: usize = 100;
/// Items per page of nodes, edges and hits.
const PAGE: usize = 100;
/// Page sizes with which `identity` loads aliases and `impact` loads nodes.
const NAMES_LOADED: usize = 1000;
const NODES_LOADED: usize = 4000;

/// The filter of a page of nodes; a missing field does not restrict.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) kind: Option<&'static str>,
    pub(crate) account: Option<String>,
    pub(crate) region: Option<&'static str>,
    pub(crate) provider: Option<&'static str>,
    pub(crate) text: Option<String>,
    pub(crate) tag: Option<(&'static str, Option<String>)>,
}

/// A read that is measured.
#[derive(Clone, Debug)]
pub(crate) enum StoreQuery {
    Node(String),
    Resolve(String),
    /// Two hops in both directions, with the nodes.
    Neighbors(String),
    /// A page of the edges that lead to a node.
    EdgesInto(String),
    /// All edges that start at a node.
    EdgesFrom(String),
    /// Nodes with a uid greater than `after`, now or as of `past`.
    Page {
        filter: Filter,
        after: String,
        past: Option<UnixNanos>,
    },
    Search(String),
    ResourceTypes,
    /// Calls from the first to the second time, with the nodes of the first edges, as many as the number.
    ServiceMap(UnixNanos, UnixNanos, usize),
}

pub(crate) struct OpenStore {
    exporter: Sqlite,
    graph: Arc<dyn GraphStore>,
    /// Stops the background tasks of the store.
    stop: DropGuard,
}

impl OpenStore {
    pub(crate) async fn open(file: &Path) -> OpenStore {
        let id = || "sqlite".parse().expect("the id is valid");
        let host = Host::new(id(), SignalSet::NONE, Arc::default());
        let config = Config {
            path: file.to_owned(),
            observed_edge_ttl: Duration::from_secs(24 * 60 * 60),
            retention: pipeline::store::Retention::default(),
        };
        let mut exporter = Sqlite::build(config, &host).expect("the settings are valid");
        let stop = CancellationToken::new();
        let mut tasks = Tasks::new(stop.clone());
        exporter.start(&mut tasks).await.expect("the file opens");
        for task in tasks.into_futures() {
            tokio::spawn(task);
        }
        let graph = host.graph_store(&StoreRef(id()));
        OpenStore {
            exporter,
            graph: graph.expect("the exporter provides a store"),
            stop: stop.drop_guard(),
        }
    }

    pub(crate) async fn close(self) {
        drop(self.stop);
        self.exporter.stop().await.expect("the store closes");
    }

    pub(crate) async fn write(&self, batch: &Batch) {
        let written = self.exporter.export(batch).await;
        written.expect("the rows are written");
    }

    /// Returns the number of items in the result.
    pub(crate) async fn run(&self, query: &StoreQuery) -> Result<usize, StoreError> {
        let (graph, now) = (&self.graph, AsOf::Now);
        Ok(match query {
            StoreQuery::Node(uid) => {
                let found = graph.nodes(std::slice::from_ref(uid), now).await?;
                found.iter().flatten().count()
            }
            StoreQuery::Resolve(name) => {
                let found = graph.resolve(std::slice::from_ref(name), now).await?;
                found.iter().flatten().count()
            }
            StoreQuery::Neighbors(uid) => self.neighbors(uid).await?,
            StoreQuery::EdgesInto(uid) => {
                let uids = std::slice::from_ref(uid);
                graph
                    .edges(uids, Directions::In, &[], PAGE, now)
                    .await?
                    .len()
            }
            StoreQuery::EdgesFrom(uid) => {
                let uids = std::slice::from_ref(uid);
                graph
                    .edges(uids, Directions::Out, &[], STEP, now)
                    .await?
                    .len()
            }
            StoreQuery::Page {
                filter,
                after,
                past,
            } => {
                let (filter, at) = (node_filter(filter), past.map_or(now, AsOf::Time));
                graph.list(&filter, Some(after), PAGE, at).await?.len()
            }
            StoreQuery::Search(text) => {
                let search = SearchQuery {
                    text: text.clone(),
                    kinds: Vec::new(),
                };
                graph.search(&search, PAGE, now).await?.hits.len()
            }
            StoreQuery::ResourceTypes => graph.count_kinds(now).await?.len(),
            StoreQuery::ServiceMap(from, to, page) => {
                let edges = graph.edge_stats(*from, *to).await?;
                let ends = edges
                    .iter()
                    .take(*page)
                    .flat_map(|edge| [&edge.from, &edge.to]);
                let uids: HashSet<&String> = ends.collect();
                let uids: Vec<String> = uids.into_iter().cloned().collect();
                graph.nodes(&uids, now).await?;
                edges.len()
            }
        })
    }

    /// The read of GraphQL's `neighbors` with depth 2.
    async fn neighbors(&self, start: &str) -> Result<usize, StoreError> {
        let walk = NeighborhoodQuery {
            depth: 2,
            directions: Directions::Both,
            kinds: &[],
            limit: NEIGHBORS,
        };
        let found = self.graph.neighborhood(start, &walk, AsOf::Now).await?;
        Ok(found.map_or(0, |found| found.nodes.len()))
    }

    /// Reads all names and their claims, as `identity` does at its start. Returns the number of names.
    pub(crate) async fn read_names(&self) -> Result<usize, StoreError> {
        let (mut read, mut after) = (0, None);
        loop {
            let page = self
                .graph
                .aliases(&AliasKind::ALIASES, after.as_deref(), NAMES_LOADED);
            let page = page.await?;
            let mut uids: Vec<String> =
                page.aliases.iter().map(|alias| alias.uid.clone()).collect();
            uids.dedup();
            self.graph.claims(&uids).await?;
            read += page.aliases.len();
            after = page.last;
            if after.is_none() {
                return Ok(read);
            }
        }
    }

    /// Reads all nodes with their claims and edges, as `impact` does at its start. Returns the number of nodes.
    pub(crate) async fn read_graph(&self) -> Result<usize, StoreError> {
        let kinds = EDGE_KINDS.map(str::to_owned);
        let (mut read, mut after) = (0, None);
        loop {
            let page = self.graph.outlines(&kinds, after.as_deref(), NODES_LOADED);
            let page = page.await?;
            read += page.nodes.len();
            after = page.last;
            if after.is_none() {
                return Ok(read);
            }
        }
    }
}

fn node_filter(filter: &Filter) -> NodeFilter {
    let tag = filter.tag.clone().map(|(key, value)| TagFilter {
        key: key.to_owned(),
        value,
    });
    NodeFilter {
        kinds: filter.kind.map(str::to_owned).into_iter().collect(),
        text: filter.text.clone(),
        provider: filter.provider.map(str::to_owned),
        account: filter.account.clone(),
        region: filter.region.map(str::to_owned),
        tags: tag.into_iter().collect(),
        include_ended: false,
    }
}
