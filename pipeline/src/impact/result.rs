//! The result of a walk.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::Hash;

use super::rules::ImpactRole;

/// The nodes that depend on the changed node. The changed node is not included.
#[derive(Debug)]
pub struct Impact<N> {
    visits: Vec<Visit<N>>,
    kinds: Vec<String>,
    /// For each node, the index of its best visit.
    best: Vec<usize>,
    truncated: bool,
}

/// A node that depends on the changed node.
#[derive(Clone, Debug, PartialEq)]
pub struct ImpactedNode<'a, N> {
    pub node: &'a N,
    pub kind: &'a str,
    /// [`DECAY`](super::DECAY) for each hop, times the confidences of the edges.
    pub score: f64,
    pub hops: u32,
    /// The nodes of the path, from the start to this node.
    pub path: Vec<&'a N>,
    /// The kinds of the edges between these nodes.
    pub edge_kinds: Vec<&'static str>,
}

/// A node in a role, with the path on which the walk reached it.
#[derive(Debug)]
pub(super) struct Visit<N> {
    pub(super) node: N,
    /// The kind of the node, as an index into [`Impact::kinds`].
    pub(super) kind: u32,
    pub(super) role: ImpactRole,
    pub(super) hops: u32,
    pub(super) score: f64,
    /// The index of the previous visit, and the kind of the edge; `None` at the start.
    pub(super) from: Option<(usize, &'static str)>,
}

impl<N: Clone + Eq + Hash + Ord> Impact<N> {
    pub(super) fn of(visits: Vec<Visit<N>>, kinds: Vec<String>, truncated: bool) -> Impact<N> {
        let mut best: HashMap<&N, usize> = HashMap::with_capacity(visits.len());
        for (index, visit) in visits.iter().enumerate().skip(1) {
            let best_index = best.entry(&visit.node).or_insert(index);
            if order(visit, &visits[*best_index]) == Ordering::Less {
                *best_index = index;
            }
        }
        let best = best.into_values().collect();
        Impact {
            visits,
            kinds,
            best,
            truncated,
        }
    }

    /// The number of nodes.
    pub fn count(&self) -> usize {
        self.best.len()
    }

    /// The number of hops to the farthest node.
    pub fn depth(&self) -> u32 {
        let hops = self.best.iter().map(|visit| self.visits[*visit].hops);
        hops.max().unwrap_or_default()
    }

    /// Whether the walk may have missed nodes.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Up to `limit` nodes with the highest scores, best first. Nodes with equal scores are ordered by hops, then by
    /// role, then by node.
    pub fn top(&self, limit: usize) -> Vec<ImpactedNode<'_, N>> {
        let mut best = self.best.clone();
        if limit < best.len() {
            best.select_nth_unstable_by(limit, |one, other| self.order(*one, *other));
            best.truncate(limit);
        }
        best.sort_by(|one, other| self.order(*one, *other));
        best.into_iter()
            .map(|visit| self.impacted_node(visit))
            .collect()
    }

    fn order(&self, one: usize, other: usize) -> Ordering {
        let (one, other) = (&self.visits[one], &self.visits[other]);
        order(one, other).then_with(|| one.node.cmp(&other.node))
    }

    fn impacted_node(&self, index: usize) -> ImpactedNode<'_, N> {
        let visit = &self.visits[index];
        let (mut path, mut edge_kinds) = (vec![&visit.node], Vec::new());
        let mut last = visit;
        while let Some((from, edge_kind)) = last.from {
            last = &self.visits[from];
            path.push(&last.node);
            edge_kinds.push(edge_kind);
        }
        path.reverse();
        edge_kinds.reverse();
        ImpactedNode {
            node: &visit.node,
            kind: &self.kinds[visit.kind as usize],
            score: visit.score,
            hops: visit.hops,
            path,
            edge_kinds,
        }
    }
}

/// Orders visits by score, the highest first, then by hops, then by role.
fn order<N>(one: &Visit<N>, other: &Visit<N>) -> Ordering {
    let by_score = other.score.total_cmp(&one.score);
    by_score.then_with(|| (one.hops, one.role).cmp(&(other.hops, other.role)))
}
