//! Reads the neighborhood of a node by a breadth-first walk.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::edges::{self, MergedEdge};
use super::reader::GraphReader;
use crate::graph_store::{Directions, Neighbor, Neighborhood, NeighborhoodQuery};
use crate::store::rows::{NodeId, ReadRows, RowsError, Word};

/// The nodes that the walk has reached.
struct ReachedNodes {
    /// In the order in which they were reached.
    order: Vec<NodeId>,
    /// The distance of each node, and the node before it on the path.
    paths: HashMap<NodeId, (usize, Option<NodeId>)>,
    /// Edges between reached nodes.
    edges: BTreeMap<(NodeId, Word, NodeId), MergedEdge>,
    truncated: bool,
}

impl<R: ReadRows> GraphReader<R> {
    /// Returns the neighborhood of a uid; `None` if nothing is known of it.
    pub(super) async fn neighborhood(
        &mut self,
        start: &str,
        query: &NeighborhoodQuery<'_>,
    ) -> Result<Option<Neighborhood>, RowsError> {
        let found = self.rows.find_nodes(&[start.to_owned()]).await?;
        let Some(id) = found.into_iter().flatten().next() else {
            return Ok(None);
        };
        let start = self.load_owners(&[id]).await?.canonical(id);
        let mut reached = ReachedNodes::from(start);
        let kinds = self.find_words(query.kinds).await?;
        if !kinds.is_empty() || query.kinds.is_empty() {
            self.walk(query, &kinds, &mut reached).await?;
        }
        self.build_neighborhood(reached).await
    }

    /// Walks from the start until the depth or the limit is reached.
    async fn walk(
        &mut self,
        query: &NeighborhoodQuery<'_>,
        kinds: &[Word],
        reached: &mut ReachedNodes,
    ) -> Result<(), RowsError> {
        let mut frontier = reached.order.clone();
        for distance in 1..=query.depth {
            if frontier.is_empty() || reached.truncated {
                break;
            }
            let few = query.few_edges();
            let (mut edges, mut has_more) = self
                .edges_at(&frontier, query.directions, kinds, few)
                .await?;
            if has_more
                && few < NeighborhoodQuery::EDGES
                && !reached.would_be_full(&edges, query.limit)
            {
                (edges, has_more) = self
                    .edges_at(&frontier, query.directions, kinds, NeighborhoodQuery::EDGES)
                    .await?;
            }
            reached.truncated = has_more;
            frontier = reached.step(edges, distance, query.limit);
        }
        if reached.truncated {
            // A truncated step may have left out edges between reached nodes.
            let (edges, _) = self
                .edges_at(
                    &reached.order,
                    Directions::Out,
                    kinds,
                    NeighborhoodQuery::EDGES,
                )
                .await?;
            edges.into_iter().for_each(|edge| reached.connect(edge));
        }
        Ok(())
    }

    /// Builds the result; `None` if nothing is known of the start.
    async fn build_neighborhood(
        &mut self,
        reached: ReachedNodes,
    ) -> Result<Option<Neighborhood>, RowsError> {
        let (mut nodes_by_id, owner_map) = self.nodes_of(&reached.order).await?;
        let mut nodes: Vec<Neighbor> = Vec::with_capacity(reached.order.len());
        // The index in `nodes` of each reached node; a merged node has the index of its owner.
        let mut indexes: HashMap<NodeId, usize> = HashMap::new();
        let mut owner_indexes: HashMap<NodeId, usize> = HashMap::new();
        let mut order = reached.order;
        order.sort_by_key(|id| (reached.paths[id].0, self.uid(*id)));
        for id in &order {
            let (distance, before) = reached.paths[id];
            let from = before.map(|before| indexes.get(&before).copied());
            if from == Some(None) {
                continue;
            }
            let owner = owner_map.canonical(*id);
            if let Some(node) = nodes_by_id.remove(&owner) {
                owner_indexes.insert(owner, nodes.len());
                nodes.push(Neighbor {
                    node,
                    distance,
                    from: from.flatten(),
                });
            }
            indexes.extend(owner_indexes.get(&owner).map(|index| (*id, *index)));
        }
        if nodes.first().is_none_or(|start| start.from.is_some()) {
            return Ok(None);
        }
        let mut followed: Vec<MergedEdge> = reached.edges.into_values().collect();
        followed.retain(|it| indexes.contains_key(&it.from) && indexes.contains_key(&it.to));
        let mut edges = self.convert_edges(&followed).await?;
        edges::sort(&mut edges);
        Ok(Some(Neighborhood {
            nodes,
            edges,
            truncated: reached.truncated,
        }))
    }
}

impl ReachedNodes {
    fn from(start: NodeId) -> ReachedNodes {
        ReachedNodes {
            order: vec![start],
            paths: HashMap::from([(start, (0, None))]),
            edges: BTreeMap::new(),
            truncated: false,
        }
    }

    /// Whether these edges lead to more nodes than the limit allows.
    fn would_be_full(&self, edges: &[MergedEdge], limit: usize) -> bool {
        let ends = edges.iter().flat_map(|edge| [edge.from, edge.to]);
        let far: HashSet<NodeId> = ends.filter(|id| !self.paths.contains_key(id)).collect();
        self.order.len() - 1 + far.len() > limit
    }

    /// Follows edges from the nodes that are nearer than `distance`. Returns the newly reached nodes.
    fn step(&mut self, edges: Vec<MergedEdge>, distance: usize, limit: usize) -> Vec<NodeId> {
        let mut new = Vec::new();
        for edge in edges {
            for (near, far) in [(edge.from, edge.to), (edge.to, edge.from)] {
                let is_nearer = |(of_near, _): &(usize, _)| *of_near < distance;
                if !self.paths.get(&near).is_some_and(is_nearer) || self.paths.contains_key(&far) {
                    continue;
                }
                if self.order.len() > limit {
                    self.truncated = true;
                    continue;
                }
                self.paths.insert(far, (distance, Some(near)));
                self.order.push(far);
                new.push(far);
            }
            self.connect(edge);
        }
        new
    }

    /// Keeps an edge if both of its nodes were reached.
    fn connect(&mut self, edge: MergedEdge) {
        if self.paths.contains_key(&edge.from) && self.paths.contains_key(&edge.to) {
            self.edges.insert((edge.from, edge.kind, edge.to), edge);
        }
    }
}
