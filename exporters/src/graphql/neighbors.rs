//! What a node is connected with.

use std::collections::{BTreeMap, HashMap, HashSet};

use async_graphql::{Context, Error, Result, SimpleObject};
use pipeline::graph_store::{self, At};

use super::store::{store, unanswered};
use super::types::{Direction, Edge, Node};

/// How many edges away a neighbour may be.
const DEEPEST: i32 = 5;

/// Edges that one step may follow.
const EDGES: usize = 5_000;

/// Edges that a step follows first, for each node that may be returned: of a hub with 100,000 they fill
/// the answer.
const EDGES_A_NODE: usize = 3;

/// A node and what it is connected with.
#[derive(SimpleObject)]
pub(super) struct Neighborhood {
    start: Node,
    /// Near ones first.
    nodes: Vec<Neighbor>,
    /// The edges that were followed between the start and these nodes.
    edges: Vec<Edge>,
    /// Whether there is more than `first` allows.
    truncated: bool,
}

/// A node at some distance.
#[derive(SimpleObject)]
pub(super) struct Neighbor {
    /// How many edges away.
    distance: i32,
    node: Node,
    /// The uids on a shortest way to it, from the start to the node itself.
    path: Vec<String>,
}

/// How a uid was reached.
struct Reached {
    distance: i32,
    from: Option<String>,
}

impl Neighborhood {
    pub(super) async fn around(
        context: &Context<'_>,
        start: String,
        depth: i32,
        kinds: &[String],
        direction: Direction,
        first: usize,
        at: At,
    ) -> Result<Neighborhood> {
        if !(1..=DEEPEST).contains(&depth) {
            return Err(Error::new(format!(
                "depth may be 1 to {DEEPEST}, not {depth}"
            )));
        }
        let mut reached: HashMap<String, Reached> = HashMap::new();
        let origin = Reached {
            distance: 0,
            from: None,
        };
        reached.insert(start.clone(), origin);
        let mut order: Vec<String> = Vec::new();
        let mut edges: BTreeMap<(String, String, String), graph_store::Edge> = BTreeMap::new();
        let mut frontier = vec![start.clone()];
        let mut truncated = false;
        for distance in 1..=depth {
            if frontier.is_empty() || truncated {
                break;
            }
            let step = Step {
                from: &frontier,
                direction,
                kinds,
                at,
            };
            let few = (first * EDGES_A_NODE).min(EDGES);
            let mut found = step.edges(context, few).await?;
            let far = found.iter().flat_map(|edge| [&edge.from, &edge.to]);
            let far: HashSet<&String> = far.filter(|uid| !reached.contains_key(*uid)).collect();
            let is_full = order.len() + far.len() > first;
            let mut is_cut = found.len() == few;
            if is_cut && few < EDGES && !is_full {
                found = step.edges(context, EDGES).await?;
                is_cut = found.len() == EDGES;
            }
            truncated = is_cut;
            let mut next = Vec::new();
            for edge in found {
                for (near, far) in [(&edge.from, &edge.to), (&edge.to, &edge.from)] {
                    let follows = reached
                        .get(near)
                        .is_some_and(|near| near.distance < distance);
                    if !follows || reached.contains_key(far) {
                        continue;
                    }
                    if order.len() == first {
                        truncated = true;
                        continue;
                    }
                    let from = Some(near.clone());
                    reached.insert(far.clone(), Reached { distance, from });
                    order.push(far.clone());
                    next.push(far.clone());
                }
                if reached.contains_key(&edge.from) && reached.contains_key(&edge.to) {
                    let key = (edge.from.clone(), edge.kind.clone(), edge.to.clone());
                    edges.insert(key, edge);
                }
            }
            frontier = next;
        }
        let uids: Vec<String> = [start.clone()].into_iter().chain(order).collect();
        if truncated {
            // What was left out of a step may connect the nodes that were reached.
            let step = Step {
                from: &uids,
                direction: Direction::Out,
                kinds,
                at,
            };
            for edge in step.edges(context, EDGES).await? {
                if reached.contains_key(&edge.from) && reached.contains_key(&edge.to) {
                    let key = (edge.from.clone(), edge.kind.clone(), edge.to.clone());
                    edges.insert(key, edge);
                }
            }
        }
        let nodes = store(context).nodes(&uids, at).await.map_err(unanswered)?;
        let mut nodes = uids
            .iter()
            .zip(nodes)
            .filter_map(|(uid, node)| Some((uid, node?)));
        let Some((_, node)) = nodes.next().filter(|(uid, _)| **uid == start) else {
            return Err(Error::new(format!("nothing is known of {start}")));
        };
        let neighbors = nodes.map(|(uid, node)| Neighbor {
            distance: reached[uid].distance,
            node: Node { node, at },
            path: path(&reached, uid),
        });
        Ok(Neighborhood {
            start: Node { node, at },
            nodes: neighbors.collect(),
            edges: edges.into_values().map(|edge| Edge { edge, at }).collect(),
            truncated,
        })
    }
}

/// Edges that are followed from the nodes that were reached last.
struct Step<'s> {
    from: &'s [String],
    direction: Direction,
    kinds: &'s [String],
    at: At,
}

impl Step<'_> {
    async fn edges(&self, context: &Context<'_>, limit: usize) -> Result<Vec<graph_store::Edge>> {
        let direction = self.direction.into();
        let edges = store(context).edges(self.from, direction, self.kinds, limit, self.at);
        edges.await.map_err(unanswered)
    }
}

fn path(reached: &HashMap<String, Reached>, uid: &str) -> Vec<String> {
    let mut path = vec![uid.to_owned()];
    let mut last = uid;
    while let Some(from) = reached
        .get(last)
        .and_then(|reached| reached.from.as_deref())
    {
        path.push(from.to_owned());
        last = from;
    }
    path.reverse();
    path
}
