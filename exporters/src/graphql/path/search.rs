//! Searches a way of lowest cost, from both ends at once.
//!
//! A way that passes through a container costs more than any that does not: whatever lies in one VPC
//! is two edges apart by it, which says nothing. Of ways that are alike in this the shorter costs
//! less; of equally long ones the one with fewer edges that only group things.

use std::collections::{BTreeMap, HashMap, HashSet};

use pipeline::graph_store::{At, Direction, Edge, GraphStore, StoreError};
use pipeline::impact::{is_container, is_grouping};

/// Edges that one step may follow.
const EDGES: usize = 5_000;

/// Nodes that one pass looks at.
const NODES: usize = 20_000;

pub(super) struct Search<'s> {
    pub(super) store: &'s dyn GraphStore,
    /// Kinds of edges that are followed; all where none is named.
    pub(super) kinds: &'s [String],
    /// Edges that the way may have.
    pub(super) longest: u32,
    pub(super) at: At,
}

/// What a search has found.
pub(super) struct SearchOutcome {
    pub(super) way: Option<Way>,
    /// Whether there was more to look at than is allowed.
    pub(super) truncated: bool,
}

/// From the one end to the other.
pub(super) struct Way {
    pub(super) uids: Vec<String>,
    pub(super) edges: Vec<Edge>,
}

/// Whether a way may pass through containers. It may begin and end at one in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Containers {
    Avoided,
    Passed,
}

impl Search<'_> {
    pub(super) async fn between(&self, from: &str, to: &str) -> Result<SearchOutcome, StoreError> {
        let mut first = Pass::new(self, Containers::Avoided, from, to);
        let way = first.run().await?;
        if way.is_some() || !first.has_avoided {
            let truncated = first.truncated;
            return Ok(SearchOutcome { way, truncated });
        }
        let mut second = Pass::new(self, Containers::Passed, from, to);
        let way = second.run().await?;
        Ok(SearchOutcome {
            way,
            truncated: first.truncated || second.truncated,
        })
    }
}

struct Pass<'s> {
    search: &'s Search<'s>,
    containers: Containers,
    /// What is known from `from` on, and from `to` on.
    sides: [Side; 2],
    /// Whether a container was not passed through.
    has_avoided: bool,
    truncated: bool,
}

/// What is known from one end on.
struct Side {
    reached: HashMap<String, Reached>,
    /// What was reached last.
    frontier: Vec<String>,
}

/// How a uid was reached.
struct Reached {
    /// Edges on the way that only group things.
    grouping: u32,
    /// From which uid and by which edge; none at the start.
    by: Option<(String, Edge)>,
}

impl<'s> Pass<'s> {
    fn new(search: &'s Search<'s>, containers: Containers, from: &str, to: &str) -> Pass<'s> {
        Pass {
            search,
            containers,
            sides: [Side::of(from), Side::of(to)],
            has_avoided: false,
            truncated: false,
        }
    }

    async fn run(&mut self) -> Result<Option<Way>, StoreError> {
        let mut meeting = self.meeting();
        for _ in 0..self.search.longest {
            let [near, far] = &self.sides;
            let is_stuck = near.frontier.is_empty() || far.frontier.is_empty();
            if meeting.is_some() || is_stuck || near.reached.len() + far.reached.len() > NODES {
                self.truncated |= meeting.is_none() && !is_stuck;
                break;
            }
            // The side that has fewer nodes to go on from.
            let grows = usize::from(far.frontier.len() < near.frontier.len());
            self.grow(grows).await?;
            meeting = self.meeting();
        }
        Ok(meeting.map(|uid| self.way_by(&uid)))
    }

    /// Where both sides meet, if they do: on the way that costs least. As sides grow by one edge at a
    /// time, all ways by where they first meet are equally long.
    fn meeting(&self) -> Option<String> {
        let [near, far] = &self.sides;
        let met = near.frontier.iter().chain(&far.frontier);
        let met = met.filter_map(|uid| {
            let (one, other) = (near.reached.get(uid)?, far.reached.get(uid)?);
            Some((one.grouping + other.grouping, uid))
        });
        met.min().map(|(_, uid)| uid.clone())
    }

    /// Takes one side an edge further.
    async fn grow(&mut self, side: usize) -> Result<(), StoreError> {
        let Search {
            store, kinds, at, ..
        } = *self.search;
        let last = std::mem::take(&mut self.sides[side].frontier);
        let found = store
            .edges(&last, Direction::Both, kinds, EDGES, at)
            .await?;
        self.truncated |= found.len() == EDGES;
        let mut arrivals = self.sides[side].arrivals(&last, found);
        if self.containers == Containers::Avoided {
            self.avoid_containers(&mut arrivals, side).await?;
        }
        let side = &mut self.sides[side];
        side.frontier.extend(arrivals.keys().cloned());
        side.reached.extend(arrivals);
        Ok(())
    }

    /// Leaves out containers, unless they are where the way is to end.
    async fn avoid_containers(
        &mut self,
        arrivals: &mut BTreeMap<String, Reached>,
        side: usize,
    ) -> Result<(), StoreError> {
        let other = &self.sides[1 - side].reached;
        let passed = arrivals.keys().filter(|uid| !other.contains_key(*uid));
        let passed: Vec<String> = passed.cloned().collect();
        if passed.is_empty() {
            return Ok(());
        }
        let kinds = self.search.store.kinds_of(&passed, self.search.at).await?;
        for (uid, kind) in passed.iter().zip(kinds) {
            if is_container(&kind) {
                arrivals.remove(uid);
                self.has_avoided = true;
            }
        }
        Ok(())
    }

    fn way_by(&self, meeting: &str) -> Way {
        let [near, far] = &self.sides;
        let (mut uids, mut edges) = near.way_to(meeting);
        uids.reverse();
        edges.reverse();
        let (rest, more) = far.way_to(meeting);
        uids.extend(rest.into_iter().skip(1));
        edges.extend(more);
        Way { uids, edges }
    }
}

impl Side {
    fn of(start: &str) -> Side {
        let reached = Reached {
            grouping: 0,
            by: None,
        };
        Side {
            reached: HashMap::from([(start.to_owned(), reached)]),
            frontier: vec![start.to_owned()],
        }
    }

    /// What these edges lead to from what was reached last, each by the edge that costs least; of
    /// equal ones the first.
    fn arrivals(&self, last: &[String], edges: Vec<Edge>) -> BTreeMap<String, Reached> {
        let last: HashSet<&String> = last.iter().collect();
        let mut arrivals: BTreeMap<String, Reached> = BTreeMap::new();
        for edge in edges {
            for (near, far) in [(&edge.from, &edge.to), (&edge.to, &edge.from)] {
                if !last.contains(near) || self.reached.contains_key(far) {
                    continue;
                }
                let before = self.reached.get(near).map_or(0, |near| near.grouping);
                let grouping = before + u32::from(is_grouping(&edge.kind));
                let known = arrivals.get(far);
                if known.is_none_or(|known| grouping < known.grouping) {
                    let by = Some((near.clone(), edge.clone()));
                    arrivals.insert(far.clone(), Reached { grouping, by });
                }
            }
        }
        arrivals
    }

    /// The uids and edges from a uid back to the start.
    fn way_to(&self, uid: &str) -> (Vec<String>, Vec<Edge>) {
        let (mut uids, mut edges) = (vec![uid.to_owned()], Vec::new());
        let mut last = uid;
        while let Some(Reached {
            by: Some((from, edge)),
            ..
        }) = self.reached.get(last)
        {
            uids.push(from.clone());
            edges.push(edge.clone());
            last = from;
        }
        (uids, edges)
    }
}
