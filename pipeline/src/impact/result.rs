//! What a walk has reached.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::Hash;

use super::walk::Visit;

/// What depends on what changed, which is not among it.
#[derive(Debug)]
pub struct Impact<N> {
    visits: Vec<Visit<N>>,
    kinds: Vec<String>,
    /// The best visit of each node.
    best: Vec<usize>,
    truncated: bool,
}

/// A node that depends on what changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Reached<'a, N> {
    pub node: &'a N,
    pub kind: &'a str,
    /// [`DECAY`](super::DECAY) for each hop, times the confidences of the edges.
    pub score: f64,
    pub hops: u32,
    /// The nodes on the way, from the start to this one.
    pub path: Vec<&'a N>,
    /// The kinds of the edges between them.
    pub edges: Vec<&'static str>,
}

impl<N: Clone + Eq + Hash + Ord> Impact<N> {
    pub(super) fn of(visits: Vec<Visit<N>>, kinds: Vec<String>, truncated: bool) -> Impact<N> {
        let mut best: HashMap<&N, usize> = HashMap::with_capacity(visits.len());
        for (index, visit) in visits.iter().enumerate().skip(1) {
            let known = best.entry(&visit.node).or_insert(index);
            if order(visit, &visits[*known]) == Ordering::Less {
                *known = index;
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

    /// How many nodes.
    pub fn count(&self) -> usize {
        self.best.len()
    }

    /// How many hops away the farthest is.
    pub fn depth(&self) -> u32 {
        let hops = self.best.iter().map(|visit| self.visits[*visit].hops);
        hops.max().unwrap_or_default()
    }

    /// Whether there may be more than was reached.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Up to so many with the highest scores, those first; of equal ones the nearer, then by node.
    pub fn top(&self, most: usize) -> Vec<Reached<'_, N>> {
        let mut best = self.best.clone();
        if most < best.len() {
            best.select_nth_unstable_by(most, |one, other| self.order(*one, *other));
            best.truncate(most);
        }
        best.sort_by(|one, other| self.order(*one, *other));
        best.into_iter().map(|visit| self.reached(visit)).collect()
    }

    fn order(&self, one: usize, other: usize) -> Ordering {
        let (one, other) = (&self.visits[one], &self.visits[other]);
        order(one, other).then_with(|| one.node.cmp(&other.node))
    }

    fn reached(&self, index: usize) -> Reached<'_, N> {
        let visit = &self.visits[index];
        let (mut path, mut edges) = (vec![&visit.node], Vec::new());
        let mut last = visit;
        while let Some((from, edge)) = last.from {
            last = &self.visits[from];
            path.push(&last.node);
            edges.push(edge);
        }
        path.reverse();
        edges.reverse();
        Reached {
            node: &visit.node,
            kind: &self.kinds[visit.kind as usize],
            score: visit.score,
            hops: visit.hops,
            path,
            edges,
        }
    }
}

/// The better first: by score, then the nearer.
fn order<N>(one: &Visit<N>, other: &Visit<N>) -> Ordering {
    let by_score = other.score.total_cmp(&one.score);
    by_score.then_with(|| (one.hops, one.standing).cmp(&(other.hops, other.standing)))
}
