//! The walk, level by level.

use std::cmp::Ordering;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::result::{Impact, Visit};
use super::rules::{ImpactRole, ImpactRule};
use crate::graph_store::Direction;
use crate::interner::Interner;

/// Each hop multiplies the score by this factor.
pub const DECAY: f64 = 0.7;

/// The limits of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalkLimits {
    /// The maximum number of hops from the changed node.
    pub depth: u32,
    /// The maximum number of reached nodes.
    pub nodes: usize,
}

/// A walk from a changed node. `N` identifies a node.
///
/// Of several paths to a node in the same role, the walk keeps the one with the highest score. If scores are equal, it
/// keeps the path with fewer hops, then the one whose second-last node is smaller, then the one whose last edge has the
/// smaller kind, then the one on which the second-last node has the role [`ImpactRole::Changed`].
///
/// For each level, the caller reads all edges that [`ImpactWalk::frontier`] or [`ImpactWalk::edge_queries`] requests,
/// passes each to [`ImpactWalk::follow`], and then calls [`ImpactWalk::advance`].
#[derive(Debug)]
pub struct ImpactWalk<N> {
    limits: WalkLimits,
    kinds: KindRules,
    /// All visits, level by level. The first is the visit of the start. Each other visit refers to an earlier visit,
    /// from which the walk reached its node.
    visits: Vec<Visit<N>>,
    /// The best visit of each node in each role, as an index.
    best: HashMap<(N, ImpactRole), usize>,
    /// All reached nodes, without the start.
    reached: HashSet<N>,
    /// The visits from which the walk reaches the next level, by node. If a node has two roles, `Changed` comes first.
    frontier: HashMap<N, Vec<usize>>,
    /// The best path so far to each node and role of the next level.
    arrivals: HashMap<(N, ImpactRole), Arrival<N>>,
    hops: u32,
    truncated: bool,
}

/// The best known path to a node of the next level.
#[derive(Debug)]
struct Arrival<N> {
    /// The index of the previous visit.
    from: usize,
    near: N,
    edge_kind: &'static str,
    far_kind: u32,
    score: f64,
}

/// An edge at a node of the frontier.
#[derive(Clone, Copy, Debug)]
pub struct WalkEdge<'a, N> {
    /// The node of the frontier.
    pub near: &'a N,
    pub edge_kind: &'a str,
    /// The direction of the edge at `near`.
    pub direction: Direction,
    /// The node at the other end.
    pub far: &'a N,
    pub far_kind: &'a str,
    /// 0 to 1.
    pub confidence: f64,
}

/// A query for all edges that a level needs in one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeQuery<N> {
    pub direction: Direction,
    /// The nodes of the frontier, ascending.
    pub nodes: Vec<N>,
    /// Ascending.
    pub edge_kinds: Vec<&'static str>,
}

impl<N: Clone + Eq + Hash + Ord> ImpactWalk<N> {
    /// A walk from a changed node of this kind.
    pub fn new(start: N, kind: &str, limits: WalkLimits) -> ImpactWalk<N> {
        let mut kinds = KindRules::default();
        let visit = Visit {
            node: start.clone(),
            kind: kinds.number(kind),
            role: ImpactRole::Changed,
            hops: 0,
            score: 1.0,
            from: None,
        };
        let frontier = (limits.depth > 0).then(|| (start, vec![0]));
        ImpactWalk {
            limits,
            kinds,
            visits: vec![visit],
            best: HashMap::new(),
            reached: HashSet::new(),
            frontier: frontier.into_iter().collect(),
            arrivals: HashMap::new(),
            hops: 0,
            truncated: false,
        }
    }

    /// The nodes from which the walk reaches the next level, ascending, each with the directions of the edges that it
    /// follows.
    pub fn frontier(&self) -> Vec<(N, Vec<Direction>)> {
        let mut nodes: Vec<_> = self
            .frontier
            .iter()
            .map(|(node, visits)| {
                let is_followed = |direction: &Direction| {
                    let mut rules = visits.iter().flat_map(|visit| self.rules(*visit));
                    rules.any(|rule| rule.direction == *direction)
                };
                let directions = [Direction::In, Direction::Out].into_iter();
                (node.clone(), directions.filter(is_followed).collect())
            })
            .collect();
        nodes.sort_by(|(one, _), (other, _)| one.cmp(other));
        nodes
    }

    /// The frontier as queries for the whole level: one for each direction in which the walk follows any edge.
    pub fn edge_queries(&self) -> Vec<EdgeQuery<N>> {
        let directions = [Direction::In, Direction::Out].into_iter();
        let queries = directions.filter_map(|direction| {
            let rules_in_direction = |visit: &usize| {
                let rules = self.rules(*visit).iter();
                rules
                    .copied()
                    .filter(move |rule| rule.direction == direction)
            };
            let frontier = self.frontier.iter();
            let nodes = frontier.filter(|(_, visits)| {
                let mut rules = visits.iter().flat_map(rules_in_direction);
                rules.next().is_some()
            });
            let mut nodes: Vec<N> = nodes.map(|(node, _)| node.clone()).collect();
            nodes.sort();
            let visits = self.frontier.values().flatten();
            let rules = visits.flat_map(rules_in_direction);
            let mut edge_kinds: Vec<&'static str> = rules.map(|rule| rule.edge_kind).collect();
            edge_kinds.sort_unstable();
            edge_kinds.dedup();
            (!nodes.is_empty()).then_some(EdgeQuery {
                direction,
                nodes,
                edge_kinds,
            })
        });
        queries.collect()
    }

    /// Follows an edge at the frontier. Ignores an edge that no rule follows.
    pub fn follow(&mut self, edge: &WalkEdge<'_, N>) {
        if *edge.far == self.visits[0].node {
            return;
        }
        let visits = self.frontier.get(edge.near).map_or(&[][..], Vec::as_slice);
        for &from in visits {
            let visit = &self.visits[from];
            let rules = self.kinds.rules(visit.kind, visit.role);
            let rule = rules.iter().find(|rule| {
                rule.edge_kind == edge.edge_kind
                    && rule.direction == edge.direction
                    && rule.leads_to(edge.far_kind)
            });
            let Some(rule) = rule else { continue };
            let score = visit.score * DECAY * edge.confidence.clamp(0.0, 1.0);
            let reached = (edge.far.clone(), rule.role);
            let known_score = self.best.get(&reached).map(|best| self.visits[*best].score);
            // The known path is shorter, so this path leads to higher scores only if its score at this node is higher.
            let has_no_score = score.is_nan() || score <= 0.0;
            if has_no_score || known_score.is_some_and(|known| known >= score) {
                continue;
            }
            let arrival = Arrival {
                from,
                near: edge.near.clone(),
                edge_kind: rule.edge_kind,
                far_kind: self.kinds.number(edge.far_kind),
                score,
            };
            match self.arrivals.entry(reached) {
                Entry::Vacant(vacant) => {
                    vacant.insert(arrival);
                }
                Entry::Occupied(mut known) if arrival.is_better_than(known.get()) => {
                    known.insert(arrival);
                }
                Entry::Occupied(_) => {}
            }
        }
    }

    /// Marks the result as truncated. The caller calls this if it could not read all edges of a level.
    pub fn truncate(&mut self) {
        self.truncated = true;
    }

    /// Moves the frontier to the next level. Returns false if the walk has ended.
    pub fn advance(&mut self) -> bool {
        self.hops += 1;
        self.frontier.clear();
        let mut arrivals: Vec<_> = self.arrivals.drain().collect();
        // The order matters only if the limit excludes some of the nodes.
        if self.reached.len() + arrivals.len() > self.limits.nodes {
            arrivals.sort_by(|(node, one), (other_node, other)| {
                let by_score = other.score.total_cmp(&one.score);
                by_score.then_with(|| node.cmp(other_node))
            });
        }
        for ((node, role), arrival) in arrivals {
            if !self.reached.contains(&node) {
                if self.reached.len() >= self.limits.nodes {
                    self.truncated = true;
                    continue;
                }
                self.reached.insert(node.clone());
            }
            let index = self.visits.len();
            self.best.insert((node.clone(), role), index);
            let goes_on = self.hops < self.limits.depth
                && !self.kinds.rules(arrival.far_kind, role).is_empty();
            if goes_on {
                let visits = self.frontier.entry(node.clone()).or_default();
                match role {
                    ImpactRole::Changed => visits.insert(0, index),
                    _ => visits.push(index),
                }
            }
            self.visits.push(Visit {
                node,
                kind: arrival.far_kind,
                role,
                hops: self.hops,
                score: arrival.score,
                from: Some((arrival.from, arrival.edge_kind)),
            });
        }
        !self.frontier.is_empty()
    }

    /// Ends the walk and returns the reached nodes.
    pub fn finish(self) -> Impact<N> {
        Impact::of(self.visits, self.kinds.names(), self.truncated)
    }

    fn rules(&self, visit: usize) -> &[&'static ImpactRule] {
        let visit = &self.visits[visit];
        self.kinds.rules(visit.kind, visit.role)
    }
}

impl<N: Ord> Arrival<N> {
    /// Whether this path has the higher score. Of two paths with the same score, the one with the smaller near node is
    /// better; if their near nodes are equal, the one with the smaller kind of edge.
    fn is_better_than(&self, other: &Arrival<N>) -> bool {
        let order = self.score.total_cmp(&other.score);
        let order = order.then_with(|| other.near.cmp(&self.near));
        order.then_with(|| other.edge_kind.cmp(self.edge_kind)) == Ordering::Greater
    }
}

/// The kinds of the visited nodes, each with the rules for a changed node and those for a dependent node.
#[derive(Debug, Default)]
struct KindRules(Interner<str, [Vec<&'static ImpactRule>; 2]>);

impl KindRules {
    /// The number of a kind, which is added if it is missing.
    fn number(&mut self, kind: &str) -> u32 {
        let roles = [ImpactRole::Changed, ImpactRole::Dependent];
        let rules = || roles.map(|role| ImpactRule::all_from(kind, role));
        self.0.intern(kind, rules)
    }

    fn rules(&self, kind: u32, role: ImpactRole) -> &[&'static ImpactRule] {
        let [changed, dependent] = self.0.get(kind);
        match role {
            ImpactRole::Changed => changed,
            ImpactRole::Dependent => dependent,
            ImpactRole::Leaf => &[],
        }
    }

    /// The names of all kinds, by number.
    fn names(&self) -> Vec<String> {
        let numbers = 0..self.0.len() as u32;
        numbers
            .map(|number| self.0.key(number).to_owned())
            .collect()
    }
}
