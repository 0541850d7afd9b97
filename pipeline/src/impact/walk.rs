//! The walk, level by level.

use std::cmp::Ordering;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::result::Impact;
use super::rules::{Rule, Standing, Way};

/// What a hop leaves of a score.
pub const DECAY: f64 = 0.7;

/// How far a walk goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Hops from what changed.
    pub depth: u32,
    /// Nodes that it reaches.
    pub nodes: usize,
}

/// A walk from what changed. `N` names a node; where two ways are equally good, the order of the
/// nodes decides.
#[derive(Debug)]
pub struct Walk<N> {
    limits: Limits,
    kinds: Kinds,
    /// All that was ever reached, each after the one that it was reached from; the first is the
    /// start.
    visits: Vec<Visit<N>>,
    /// The best visit of each node as it stands.
    best: HashMap<(N, Standing), usize>,
    /// All nodes but the start.
    reached: HashSet<N>,
    /// The visits from which the next level is reached, by node; of a node that stands twice, first
    /// the one as which it changed.
    frontier: HashMap<N, Vec<usize>>,
    arrivals: HashMap<(N, Standing), Arrival<N>>,
    hops: u32,
    truncated: bool,
}

/// A node that was reached, and how.
#[derive(Debug)]
pub(super) struct Visit<N> {
    pub(super) node: N,
    pub(super) kind: u32,
    pub(super) standing: Standing,
    pub(super) hops: u32,
    pub(super) score: f64,
    /// The visit it came from, and the edge's kind; none at the start.
    pub(super) from: Option<(usize, &'static str)>,
}

/// The best way to a node of the next level that is known so far.
#[derive(Debug)]
struct Arrival<N> {
    from: usize,
    near: N,
    edge: &'static str,
    kind: u32,
    score: f64,
}

/// An edge at a node of the frontier.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a, N> {
    /// The node of the frontier.
    pub near: &'a N,
    pub edge: &'a str,
    /// Which end of the edge that node is.
    pub way: Way,
    /// The other end.
    pub far: &'a N,
    pub far_kind: &'a str,
    /// 0 to 1.
    pub confidence: f64,
}

/// Edges that a level needs to know, of one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Questions<N> {
    pub way: Way,
    /// In order.
    pub nodes: Vec<N>,
    /// Kinds of edges, in order.
    pub edges: Vec<&'static str>,
}

impl<N: Clone + Eq + Hash + Ord> Walk<N> {
    pub fn new(start: N, kind: &str, limits: Limits) -> Walk<N> {
        let mut kinds = Kinds::default();
        let visit = Visit {
            node: start.clone(),
            kind: kinds.number(kind),
            standing: Standing::Changed,
            hops: 0,
            score: 1.0,
            from: None,
        };
        let frontier = (limits.depth > 0).then(|| (start, vec![0]));
        Walk {
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

    /// The nodes from which the next level is reached, in order, each with the ways in which edges
    /// are followed from it.
    pub fn frontier(&self) -> Vec<(N, Vec<Way>)> {
        let mut nodes: Vec<_> = self
            .frontier
            .iter()
            .map(|(node, visits)| {
                let follows = |way: &Way| {
                    let mut rules = visits.iter().flat_map(|visit| self.rules(*visit));
                    rules.any(|rule| rule.way == *way)
                };
                let ways = [Way::In, Way::Out].into_iter().filter(follows);
                (node.clone(), ways.collect())
            })
            .collect();
        nodes.sort_by(|(one, _), (other, _)| one.cmp(other));
        nodes
    }

    /// The same as questions for a whole level: one for each way in which anything is followed.
    pub fn questions(&self) -> Vec<Questions<N>> {
        let ways = [Way::In, Way::Out].into_iter();
        let asked = ways.filter_map(|way| {
            let of_way = |visit: &usize| {
                let rules = self.rules(*visit).iter();
                rules.copied().filter(move |rule| rule.way == way)
            };
            let visits = || self.frontier.iter();
            let nodes = visits().filter(|(_, visits)| {
                let mut rules = visits.iter().flat_map(of_way);
                rules.next().is_some()
            });
            let mut nodes: Vec<N> = nodes.map(|(node, _)| node.clone()).collect();
            nodes.sort();
            let rules = visits().flat_map(|(_, visits)| visits.iter().flat_map(of_way));
            let mut edges: Vec<&'static str> = rules.map(|rule| rule.edge).collect();
            edges.sort_unstable();
            edges.dedup();
            (!nodes.is_empty()).then_some(Questions { way, nodes, edges })
        });
        asked.collect()
    }

    /// Takes an edge in that was found at the frontier; those that no rule follows are left.
    pub fn follow(&mut self, step: &Step<'_, N>) {
        if *step.far == self.visits[0].node {
            return;
        }
        let visits = self.frontier.get(step.near).map_or(&[][..], Vec::as_slice);
        for &from in visits {
            let visit = &self.visits[from];
            let rules = self.kinds.rules(visit.kind, visit.standing);
            let rule = rules.iter().find(|rule| {
                rule.edge == step.edge && rule.way == step.way && rule.leads_to(step.far_kind)
            });
            let Some(rule) = rule else { continue };
            let score = visit.score * DECAY * step.confidence.clamp(0.0, 1.0);
            let place = (step.far.clone(), rule.then);
            let known = self.best.get(&place).map(|best| self.visits[*best].score);
            // What is not better than what needed fewer hops leads to nothing better.
            let is_nothing = score.is_nan() || score <= 0.0;
            if is_nothing || known.is_some_and(|known| known >= score) {
                continue;
            }
            let arrival = Arrival {
                from,
                near: step.near.clone(),
                edge: rule.edge,
                kind: self.kinds.number(step.far_kind),
                score,
            };
            match self.arrivals.entry(place) {
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

    /// Not all edges of this level are known.
    pub fn truncate(&mut self) {
        self.truncated = true;
    }

    /// Goes on to what was reached. Whether there is anything left to follow.
    pub fn advance(&mut self) -> bool {
        self.hops += 1;
        self.frontier.clear();
        let mut arrivals: Vec<_> = self.arrivals.drain().collect();
        // Only where some have to be left out does it matter which come first.
        if self.reached.len() + arrivals.len() > self.limits.nodes {
            arrivals.sort_by(|(place, one), (other_place, other)| {
                let by_score = other.score.total_cmp(&one.score);
                by_score.then_with(|| place.cmp(other_place))
            });
        }
        for ((node, standing), arrival) in arrivals {
            if !self.reached.contains(&node) {
                if self.reached.len() >= self.limits.nodes {
                    self.truncated = true;
                    continue;
                }
                self.reached.insert(node.clone());
            }
            let index = self.visits.len();
            self.best.insert((node.clone(), standing), index);
            let goes_on = self.hops < self.limits.depth
                && !self.kinds.rules(arrival.kind, standing).is_empty();
            if goes_on {
                let visits = self.frontier.entry(node.clone()).or_default();
                match standing {
                    Standing::Changed => visits.insert(0, index),
                    _ => visits.push(index),
                }
            }
            self.visits.push(Visit {
                node,
                kind: arrival.kind,
                standing,
                hops: self.hops,
                score: arrival.score,
                from: Some((arrival.from, arrival.edge)),
            });
        }
        !self.frontier.is_empty()
    }

    /// All that was reached.
    pub fn finish(self) -> Impact<N> {
        Impact::of(self.visits, self.kinds.names, self.truncated)
    }

    fn rules(&self, visit: usize) -> &[&'static Rule] {
        let visit = &self.visits[visit];
        self.kinds.rules(visit.kind, visit.standing)
    }
}

impl<N: Ord> Arrival<N> {
    /// Of equally good ways the one by the first node, and by the first kind of edge.
    fn is_better_than(&self, other: &Arrival<N>) -> bool {
        let order = self.score.total_cmp(&other.score);
        let order = order.then_with(|| other.near.cmp(&self.near));
        order.then_with(|| other.edge.cmp(self.edge)) == Ordering::Greater
    }
}

/// The kinds of nodes that were met, and the rules at each.
#[derive(Debug, Default)]
struct Kinds {
    numbers: HashMap<String, u32>,
    names: Vec<String>,
    /// By kind: of a node that changed, and of one that was reached.
    rules: Vec<[Vec<&'static Rule>; 2]>,
}

impl Kinds {
    fn number(&mut self, kind: &str) -> u32 {
        if let Some(number) = self.numbers.get(kind) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.numbers.insert(kind.to_owned(), number);
        self.names.push(kind.to_owned());
        let standings = [Standing::Changed, Standing::Reached];
        self.rules
            .push(standings.map(|standing| Rule::at(kind, standing)));
        number
    }

    fn rules(&self, kind: u32, standing: Standing) -> &[&'static Rule] {
        let [changed, reached] = &self.rules[kind as usize];
        match standing {
            Standing::Changed => changed,
            Standing::Reached => reached,
            Standing::End => &[],
        }
    }
}
