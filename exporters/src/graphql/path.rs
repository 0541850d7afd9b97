//! A shortest way between two nodes.

use std::collections::{HashMap, HashSet};

use async_graphql::{Context, Error, Result, SimpleObject};
use pipeline::graph_store::{self, At, GraphStore, StoreError};

use super::store::{store, unanswered};
use super::types::{Edge, Node};

/// Edges that a way may have.
const LONGEST: i32 = 10;

/// Edges that one step may follow.
const EDGES: usize = 5_000;

/// Nodes that are looked at.
const NODES: usize = 20_000;

/// A way between two nodes.
#[derive(SimpleObject)]
pub(super) struct Route {
    /// How many edges it has; null where there is none.
    length: Option<u32>,
    /// From the one to the other.
    nodes: Vec<Node>,
    /// The edges between them, each as it reads.
    edges: Vec<Edge>,
    /// Whether there was more to look at than is allowed: then there may be a shorter way.
    truncated: bool,
}

/// What is known from one of the two nodes on.
struct Side {
    /// How each uid was reached: from which and by which edge; none at the start.
    reached: HashMap<String, Option<(String, graph_store::Edge)>>,
    /// What was reached last.
    frontier: Vec<String>,
}

impl Route {
    pub(super) async fn between(
        context: &Context<'_>,
        from: String,
        to: String,
        max_depth: i32,
        kinds: &[String],
        at: At,
    ) -> Result<Route> {
        if !(1..=LONGEST).contains(&max_depth) {
            return Err(Error::new(format!(
                "maxDepth may be 1 to {LONGEST}, not {max_depth}"
            )));
        }
        let store = store(context);
        let mut sides = [Side::of(&from), Side::of(&to)];
        let mut truncated = false;
        let mut meeting = (from == to).then(|| from.clone());
        for _ in 0..max_depth {
            let [near, far] = &mut sides;
            let is_stuck = near.frontier.is_empty() || far.frontier.is_empty();
            if meeting.is_some() || is_stuck || near.reached.len() + far.reached.len() > NODES {
                truncated |= meeting.is_none() && !is_stuck;
                break;
            }
            // The side that has fewer nodes to go on from.
            let (grows, other) = match far.frontier.len() < near.frontier.len() {
                true => (far, near),
                false => (near, far),
            };
            let grown = grows.grow(store, kinds, at).await;
            truncated |= grown.map_err(unanswered)?;
            let met = grows.frontier.iter();
            let met = met.filter(|uid| other.reached.contains_key(*uid));
            meeting = met.min().cloned();
        }
        let Some(meeting) = meeting else {
            return Ok(Route {
                length: None,
                nodes: Vec::new(),
                edges: Vec::new(),
                truncated,
            });
        };
        let [near, far] = &sides;
        let (mut uids, mut edges) = near.way_to(&meeting);
        uids.reverse();
        edges.reverse();
        let (rest, more) = far.way_to(&meeting);
        uids.extend(rest.into_iter().skip(1));
        edges.extend(more);
        let nodes = store.nodes(&uids, at).await.map_err(unanswered)?;
        Ok(Route {
            length: u32::try_from(edges.len()).ok(),
            nodes: Node::all(nodes, at),
            edges: edges.into_iter().map(|edge| Edge { edge, at }).collect(),
            truncated,
        })
    }
}

impl Side {
    fn of(start: &str) -> Side {
        Side {
            reached: HashMap::from([(start.to_owned(), None)]),
            frontier: vec![start.to_owned()],
        }
    }

    /// Goes one edge on. Whether there were more edges than are read.
    async fn grow(
        &mut self,
        store: &dyn GraphStore,
        kinds: &[String],
        at: At,
    ) -> Result<bool, StoreError> {
        let last = std::mem::take(&mut self.frontier);
        let both = graph_store::Direction::Both;
        let found = store.edges(&last, both, kinds, EDGES, at).await?;
        let is_cut = found.len() == EDGES;
        let last: HashSet<String> = last.into_iter().collect();
        for edge in found {
            for (near, far) in [(&edge.from, &edge.to), (&edge.to, &edge.from)] {
                if last.contains(near) && !self.reached.contains_key(far) {
                    let by = Some((near.clone(), edge.clone()));
                    self.reached.insert(far.clone(), by);
                    self.frontier.push(far.clone());
                }
            }
        }
        Ok(is_cut)
    }

    /// The uids and edges from a uid back to the start.
    fn way_to(&self, uid: &str) -> (Vec<String>, Vec<graph_store::Edge>) {
        let (mut uids, mut edges) = (vec![uid.to_owned()], Vec::new());
        let mut last = uid;
        while let Some(Some((from, edge))) = self.reached.get(last) {
            uids.push(from.clone());
            edges.push(edge.clone());
            last = from;
        }
        (uids, edges)
    }
}
