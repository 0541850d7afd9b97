//! What depends on a node.

use std::collections::{HashMap, HashSet};

use async_graphql::{Context, Error, Result, SimpleObject};
use pipeline::graph_store::{At, Direction, GraphStore, StoreError};
use pipeline::impact::{self, Limits, Questions, Step, Walk, Way};

use super::store::{store, unanswered};
use super::types::Node;

/// How many edges away what is touched may be.
const DEEPEST: i32 = 10;

/// Nodes that are reached at most.
const NODES: usize = 10_000;

/// Edges of one level, in one direction, that are read at most.
const EDGES: usize = 20_000;

/// What depends on a node.
#[derive(SimpleObject)]
pub(super) struct Impact {
    start: Node,
    /// How many nodes depend on it.
    count: u64,
    /// How many edges away the farthest of them is.
    depth: u32,
    /// The highest scores first.
    nodes: Vec<Impacted>,
    /// Whether more depends on it than was looked at: then `count` is too low.
    truncated: bool,
}

/// A node that depends on another.
#[derive(SimpleObject)]
pub(super) struct Impacted {
    node: Node,
    /// 0.7 for each edge on the way, times how sure these are.
    score: f64,
    /// How many edges away.
    distance: u32,
    /// The uids on the best way to it, from the start to the node itself.
    path: Vec<String>,
    /// The kinds of the edges between them.
    edge_kinds: Vec<&'static str>,
}

impl Impact {
    pub(super) async fn of(
        context: &Context<'_>,
        start: String,
        depth: i32,
        first: usize,
        at: At,
    ) -> Result<Impact> {
        if !(1..=DEEPEST).contains(&depth) {
            return Err(Error::new(format!(
                "depth may be 1 to {DEEPEST}, not {depth}"
            )));
        }
        let limits = Limits {
            depth: depth.unsigned_abs(),
            nodes: NODES,
        };
        let store = store(context);
        let found = walk(store, start.clone(), limits, at).await;
        let found = found.map_err(unanswered)?;
        let top = found.top(first);
        let uids = [&start].into_iter().chain(top.iter().map(|it| it.node));
        let uids: Vec<String> = uids.cloned().collect();
        let nodes = store.nodes(&uids, at).await.map_err(unanswered)?;
        let mut nodes = nodes.into_iter();
        let Some(start) = nodes.next().flatten() else {
            return Err(Error::new(format!("nothing is known of {start}")));
        };
        let impacted = top.iter().zip(nodes).filter_map(|(reached, node)| {
            Some(Impacted {
                node: Node { node: node?, at },
                score: reached.score,
                distance: reached.hops,
                path: reached.path.iter().map(|uid| (*uid).clone()).collect(),
                edge_kinds: reached.edges.clone(),
            })
        });
        Ok(Impact {
            start: Node { node: start, at },
            count: found.count() as u64,
            depth: found.depth(),
            nodes: impacted.collect(),
            truncated: found.is_truncated(),
        })
    }
}

/// One read of edges for each level and direction, and one of the kinds at their other ends.
async fn walk(
    store: &dyn GraphStore,
    start: String,
    limits: Limits,
    at: At,
) -> Result<impact::Impact<String>, StoreError> {
    let mut kinds = HashMap::new();
    learn(store, &mut kinds, HashSet::from([&start]), at).await?;
    let mut walk = Walk::new(start.clone(), &kinds[&start], limits);
    loop {
        for Questions { way, nodes, edges } in walk.questions() {
            let direction = match way {
                Way::In => Direction::In,
                Way::Out => Direction::Out,
            };
            let edges: Vec<String> = edges.into_iter().map(str::to_owned).collect();
            let found = store.edges(&nodes, direction, &edges, EDGES, at).await?;
            if found.len() == EDGES {
                walk.truncate();
            }
            let ends = found.iter().flat_map(|edge| [&edge.from, &edge.to]);
            learn(store, &mut kinds, ends.collect(), at).await?;
            for edge in &found {
                let (near, far) = match way {
                    Way::In => (&edge.to, &edge.from),
                    Way::Out => (&edge.from, &edge.to),
                };
                walk.follow(&Step {
                    near,
                    edge: &edge.kind,
                    way,
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

/// Adds the kinds of those that are not known yet.
async fn learn(
    store: &dyn GraphStore,
    kinds: &mut HashMap<String, String>,
    uids: HashSet<&String>,
    at: At,
) -> Result<(), StoreError> {
    let new = uids.into_iter().filter(|uid| !kinds.contains_key(*uid));
    let new: Vec<String> = new.cloned().collect();
    if !new.is_empty() {
        let found = store.kinds_of(&new, at).await?;
        kinds.extend(new.into_iter().zip(found));
    }
    Ok(())
}
