//! Resolves `impact`: which nodes depend on a node.

use std::collections::{HashMap, HashSet};

use async_graphql::{Context, Error, Result, SimpleObject};
use pipeline::graph_store::{AsOf, Direction, GraphStore, StoreError};
use pipeline::impact::{self, EdgeQuery, ImpactWalk, WalkEdge, WalkLimits};

use super::store::{store, store_error};
use super::types::Node;

/// The largest distance, in edges.
const MAX_DEPTH: i32 = 10;

/// The maximum number of nodes that a walk reaches.
const MAX_NODES: usize = 10_000;

/// The maximum number of edges that are read for one level in one direction.
const MAX_EDGES: usize = 20_000;

/// The nodes that depend on a node, directly or through other nodes.
#[derive(SimpleObject)]
pub(super) struct Impact {
    start: Node,
    /// The number of nodes that depend on `start`, including those that are not in `nodes`.
    count: u64,
    /// The distance of the farthest dependent node, in edges.
    depth: u32,
    /// The dependent nodes with the highest scores, best first.
    nodes: Vec<Impacted>,
    /// True if the walk reached a limit: then `count` may be too low.
    truncated: bool,
}

/// A node that depends on the start.
#[derive(SimpleObject)]
pub(super) struct Impacted {
    node: Node,
    /// The product over all edges of the path: 0.7 times the confidence of the edge.
    score: f64,
    /// The number of edges between the start and this node.
    distance: u32,
    /// The uids of the best path, from the start to this node.
    path: Vec<String>,
    /// The kinds of the edges along `path`.
    edge_kinds: Vec<&'static str>,
}

impl Impact {
    /// Computes the impact of `start`, and reads the `first` nodes with the highest scores.
    pub(super) async fn of(
        context: &Context<'_>,
        start: String,
        depth: i32,
        first: usize,
        at: AsOf,
    ) -> Result<Impact> {
        if !(1..=MAX_DEPTH).contains(&depth) {
            return Err(Error::new(format!(
                "depth must be between 1 and {MAX_DEPTH}, not {depth}"
            )));
        }
        let limits = WalkLimits {
            depth: depth.unsigned_abs(),
            nodes: MAX_NODES,
        };
        let store = store(context);
        let result = walk(store, start.clone(), limits, at).await;
        let result = result.map_err(store_error)?;
        let top = result.top(first);
        let uids = [&start]
            .into_iter()
            .chain(top.iter().map(|reached| reached.node));
        let uids: Vec<String> = uids.cloned().collect();
        let nodes = store.nodes(&uids, at).await.map_err(store_error)?;
        let mut nodes = nodes.into_iter();
        let Some(start) = nodes.next().flatten() else {
            return Err(Error::new(format!("node {start} not found")));
        };
        let impacted = top.iter().zip(nodes).filter_map(|(reached, node)| {
            Some(Impacted {
                node: Node { node: node?, at },
                score: reached.score,
                distance: reached.hops,
                path: reached.path.iter().map(|uid| (*uid).clone()).collect(),
                edge_kinds: reached.edge_kinds.clone(),
            })
        });
        Ok(Impact {
            start: Node { node: start, at },
            count: result.count() as u64,
            depth: result.depth(),
            nodes: impacted.collect(),
            truncated: result.is_truncated(),
        })
    }
}

/// Runs the walk over the store. For each level and direction, it reads the edges, and then the kinds of their ends.
async fn walk(
    store: &dyn GraphStore,
    start: String,
    limits: WalkLimits,
    at: AsOf,
) -> Result<impact::Impact<String>, StoreError> {
    let mut kinds = HashMap::new();
    load_kinds(store, &mut kinds, HashSet::from([&start]), at).await?;
    let mut walk = ImpactWalk::new(start.clone(), &kinds[&start], limits);
    loop {
        for EdgeQuery {
            direction,
            nodes,
            edge_kinds,
        } in walk.edge_queries()
        {
            let edge_kinds: Vec<String> = edge_kinds.into_iter().map(str::to_owned).collect();
            let edges = store
                .edges(&nodes, direction.into(), &edge_kinds, MAX_EDGES, at)
                .await?;
            if edges.len() == MAX_EDGES {
                walk.truncate();
            }
            let ends = edges.iter().flat_map(|edge| [&edge.from, &edge.to]);
            load_kinds(store, &mut kinds, ends.collect(), at).await?;
            for edge in &edges {
                let (near, far) = match direction {
                    Direction::In => (&edge.to, &edge.from),
                    Direction::Out => (&edge.from, &edge.to),
                };
                walk.follow(&WalkEdge {
                    near,
                    edge_kind: &edge.kind,
                    direction,
                    far,
                    far_kind: &kinds[far],
                    confidence: edge.confidence,
                });
            }
        }
        if !walk.advance() {
            return Ok(walk.finish());
        }
    }
}

/// Reads the kinds of the nodes that are not in `kinds` yet.
async fn load_kinds(
    store: &dyn GraphStore,
    kinds: &mut HashMap<String, String>,
    uids: HashSet<&String>,
    at: AsOf,
) -> Result<(), StoreError> {
    let missing = uids.into_iter().filter(|uid| !kinds.contains_key(*uid));
    let missing: Vec<String> = missing.cloned().collect();
    if !missing.is_empty() {
        let loaded = store.kinds_of(&missing, at).await?;
        kinds.extend(missing.into_iter().zip(loaded));
    }
    Ok(())
}
