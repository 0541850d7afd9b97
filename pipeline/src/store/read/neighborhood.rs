//! What is connected with a node: a walk in breadth, step by step.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::rows::{NodeId, ReadRows, RowsError, Word};
use super::edges::{self, Merged};
use super::session::Session;
use crate::graph_store::{Direction, Neighbor, Neighborhood, NeighborhoodQuery};

/// Nodes in the order in which they were reached.
struct Reached {
    order: Vec<NodeId>,
    /// How far each is, and the node before it.
    ways: HashMap<NodeId, (usize, Option<NodeId>)>,
    /// Between nodes that were reached.
    edges: BTreeMap<(NodeId, Word, NodeId), Merged>,
    truncated: bool,
}

impl<R: ReadRows> Session<R> {
    pub(super) async fn neighborhood(
        &mut self,
        start: &str,
        query: &NeighborhoodQuery<'_>,
    ) -> Result<Option<Neighborhood>, RowsError> {
        let found = self.rows.find_nodes(&[start.to_owned()]).await?;
        let Some(id) = found.into_iter().flatten().next() else {
            return Ok(None);
        };
        let start = self.owners(&[id]).await?.canonical(id);
        let mut reached = Reached::from(start);
        let kinds = self.find_words(query.kinds).await?;
        if !kinds.is_empty() || query.kinds.is_empty() {
            self.walk(query, &kinds, &mut reached).await?;
        }
        self.answer(reached).await
    }

    async fn walk(
        &mut self,
        query: &NeighborhoodQuery<'_>,
        kinds: &[Word],
        reached: &mut Reached,
    ) -> Result<(), RowsError> {
        let mut frontier = reached.order.clone();
        for distance in 1..=query.depth {
            if frontier.is_empty() || reached.truncated {
                break;
            }
            let few = query.few_edges();
            let (mut edges, mut is_cut) = self
                .edges_at(&frontier, query.direction, kinds, few)
                .await?;
            if is_cut
                && few < NeighborhoodQuery::EDGES
                && !reached.would_be_full(&edges, query.limit)
            {
                (edges, is_cut) = self
                    .edges_at(&frontier, query.direction, kinds, NeighborhoodQuery::EDGES)
                    .await?;
            }
            reached.truncated = is_cut;
            frontier = reached.step(edges, distance, query.limit);
        }
        if reached.truncated {
            // What was left out of a step may connect the nodes that were reached.
            let (edges, _) = self
                .edges_at(
                    &reached.order,
                    Direction::Out,
                    kinds,
                    NeighborhoodQuery::EDGES,
                )
                .await?;
            edges.into_iter().for_each(|edge| reached.connect(edge));
        }
        Ok(())
    }

    /// None where nothing is known of the start.
    async fn answer(&mut self, reached: Reached) -> Result<Option<Neighborhood>, RowsError> {
        let (mut known, same) = self.nodes_of(&reached.order).await?;
        let mut nodes: Vec<Neighbor> = Vec::with_capacity(reached.order.len());
        // By the nodes that were reached; one that is another name has the place of its owner.
        let mut places: HashMap<NodeId, usize> = HashMap::new();
        let mut owners: HashMap<NodeId, usize> = HashMap::new();
        let mut order = reached.order;
        order.sort_by_key(|id| (reached.ways[id].0, self.uid(*id)));
        for id in &order {
            let (distance, before) = reached.ways[id];
            let from = before.map(|before| places.get(&before).copied());
            if from == Some(None) {
                continue;
            }
            let owner = same.canonical(*id);
            if let Some(node) = known.remove(&owner) {
                owners.insert(owner, nodes.len());
                nodes.push(Neighbor {
                    node,
                    distance,
                    from: from.flatten(),
                });
            }
            places.extend(owners.get(&owner).map(|place| (*id, *place)));
        }
        if nodes.first().is_none_or(|start| start.from.is_some()) {
            return Ok(None);
        }
        let mut followed: Vec<Merged> = reached.edges.into_values().collect();
        followed.retain(|it| places.contains_key(&it.from) && places.contains_key(&it.to));
        let mut edges = self.described(&followed).await?;
        edges::sort(&mut edges);
        Ok(Some(Neighborhood {
            nodes,
            edges,
            truncated: reached.truncated,
        }))
    }
}

impl Reached {
    fn from(start: NodeId) -> Reached {
        Reached {
            order: vec![start],
            ways: HashMap::from([(start, (0, None))]),
            edges: BTreeMap::new(),
            truncated: false,
        }
    }

    /// Whether more nodes than allowed are at these edges.
    fn would_be_full(&self, edges: &[Merged], limit: usize) -> bool {
        let ends = edges.iter().flat_map(|edge| [edge.from, edge.to]);
        let far: HashSet<NodeId> = ends.filter(|id| !self.ways.contains_key(id)).collect();
        self.order.len() - 1 + far.len() > limit
    }

    /// Follows these edges from the nodes that are nearer than `distance`. Returns the nodes that it reaches.
    fn step(&mut self, edges: Vec<Merged>, distance: usize, limit: usize) -> Vec<NodeId> {
        let mut new = Vec::new();
        for edge in edges {
            for (near, far) in [(edge.from, edge.to), (edge.to, edge.from)] {
                let is_nearer = |(of_near, _): &(usize, _)| *of_near < distance;
                if !self.ways.get(&near).is_some_and(is_nearer) || self.ways.contains_key(&far) {
                    continue;
                }
                if self.order.len() > limit {
                    self.truncated = true;
                    continue;
                }
                self.ways.insert(far, (distance, Some(near)));
                self.order.push(far);
                new.push(far);
            }
            self.connect(edge);
        }
        new
    }

    /// Keeps an edge between nodes that were reached.
    fn connect(&mut self, edge: Merged) {
        if self.ways.contains_key(&edge.from) && self.ways.contains_key(&edge.to) {
            self.edges.insert((edge.from, edge.kind, edge.to), edge);
        }
    }
}
