//! Finds the path of lowest cost with a breadth-first search from both ends.
//!
//! A path through a container costs more than any path that avoids containers: through a VPC, for example, any two of
//! its nodes are only two edges apart, although they may have nothing to do with each other. Apart from this, a shorter
//! path costs less. Of two paths with the same length, the one with fewer grouping edges costs less.

use std::collections::{BTreeMap, HashMap, HashSet};

use pipeline::graph_store::{AsOf, Directions, Edge, GraphStore, StoreError};
use pipeline::impact::{is_container, is_grouping};

/// The maximum number of edges that one step follows.
const MAX_EDGES: usize = 5_000;

/// The maximum number of nodes that one pass visits.
const MAX_NODES: usize = 20_000;

/// The parameters of a search.
pub(super) struct Search<'s> {
    pub(super) store: &'s dyn GraphStore,
    /// The kinds of edges to follow; if empty, all kinds.
    pub(super) kinds: &'s [String],
    /// The maximum number of edges of the path.
    pub(super) max_length: u32,
    pub(super) at: AsOf,
}

/// The result of a search.
pub(super) struct SearchOutcome {
    pub(super) path: Option<FoundPath>,
    /// Whether the search reached a limit.
    pub(super) truncated: bool,
}

/// The nodes and edges of a path, from start to end.
pub(super) struct FoundPath {
    pub(super) uids: Vec<String>,
    pub(super) edges: Vec<Edge>,
}

/// Whether a path may pass through containers. It may always start or end at a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Containers {
    Avoided,
    Passed,
}

impl Search<'_> {
    pub(super) async fn between(&self, from: &str, to: &str) -> Result<SearchOutcome, StoreError> {
        let mut first = Pass::new(self, Containers::Avoided, from, to);
        let path = first.run().await?;
        if path.is_some() || !first.has_avoided_container {
            let truncated = first.truncated;
            return Ok(SearchOutcome { path, truncated });
        }
        let mut second = Pass::new(self, Containers::Passed, from, to);
        let path = second.run().await?;
        Ok(SearchOutcome {
            path,
            truncated: first.truncated || second.truncated,
        })
    }
}

struct Pass<'s> {
    search: &'s Search<'s>,
    containers: Containers,
    /// The search from the start of the path, and the search from its end.
    sides: [Side; 2],
    /// Whether the pass did not enter a container that an edge leads to.
    has_avoided_container: bool,
    truncated: bool,
}

/// The search from one end of the path.
struct Side {
    reached: HashMap<String, ReachedBy>,
    /// The uids that the last step reached.
    frontier: Vec<String>,
}

/// How the search reached a uid.
struct ReachedBy {
    /// The number of grouping edges from the end of this side to the uid.
    grouping: u32,
    /// The previous uid and the edge from it; `None` at the end where the side starts.
    previous: Option<(String, Edge)>,
}

impl<'s> Pass<'s> {
    fn new(search: &'s Search<'s>, containers: Containers, from: &str, to: &str) -> Pass<'s> {
        Pass {
            search,
            containers,
            sides: [Side::of(from), Side::of(to)],
            has_avoided_container: false,
            truncated: false,
        }
    }

    async fn run(&mut self) -> Result<Option<FoundPath>, StoreError> {
        let mut meeting = self.meeting();
        for _ in 0..self.search.max_length {
            let [near, far] = &self.sides;
            let is_stuck = near.frontier.is_empty() || far.frontier.is_empty();
            if meeting.is_some() || is_stuck || near.reached.len() + far.reached.len() > MAX_NODES {
                self.truncated |= meeting.is_none() && !is_stuck;
                break;
            }
            // Grows the side with the smaller frontier.
            let smaller = usize::from(far.frontier.len() < near.frontier.len());
            self.grow(smaller).await?;
            meeting = self.meeting();
        }
        Ok(meeting.map(|uid| self.path_through(&uid)))
    }

    /// The uid where both sides meet on the path of lowest cost; `None` if they do not meet. Sides grow by one edge
    /// at a time, so all paths through the uids where they first meet have the same length.
    fn meeting(&self) -> Option<String> {
        let [near, far] = &self.sides;
        let frontiers = near.frontier.iter().chain(&far.frontier);
        let meetings = frontiers.filter_map(|uid| {
            let (one, other) = (near.reached.get(uid)?, far.reached.get(uid)?);
            Some((one.grouping + other.grouping, uid))
        });
        meetings.min().map(|(_, uid)| uid.clone())
    }

    /// Extends one side by one edge.
    async fn grow(&mut self, side: usize) -> Result<(), StoreError> {
        let Search {
            store, kinds, at, ..
        } = *self.search;
        let frontier = std::mem::take(&mut self.sides[side].frontier);
        let edges = store
            .edges(&frontier, Directions::Both, kinds, MAX_EDGES, at)
            .await?;
        self.truncated |= edges.len() == MAX_EDGES;
        let mut arrivals = self.sides[side].arrivals(&frontier, edges);
        if self.containers == Containers::Avoided {
            self.avoid_containers(&mut arrivals, side).await?;
        }
        let side = &mut self.sides[side];
        side.frontier.extend(arrivals.keys().cloned());
        side.reached.extend(arrivals);
        Ok(())
    }

    /// Removes containers from the arrivals, except those that the other side has reached.
    async fn avoid_containers(
        &mut self,
        arrivals: &mut BTreeMap<String, ReachedBy>,
        side: usize,
    ) -> Result<(), StoreError> {
        let other = &self.sides[1 - side].reached;
        let candidates = arrivals.keys().filter(|uid| !other.contains_key(*uid));
        let candidates: Vec<String> = candidates.cloned().collect();
        if candidates.is_empty() {
            return Ok(());
        }
        let kinds = self
            .search
            .store
            .kinds_of(&candidates, self.search.at)
            .await?;
        for (uid, kind) in candidates.iter().zip(kinds) {
            if is_container(&kind) {
                arrivals.remove(uid);
                self.has_avoided_container = true;
            }
        }
        Ok(())
    }

    /// Joins the paths of both sides.
    fn path_through(&self, meeting: &str) -> FoundPath {
        let [near, far] = &self.sides;
        let (mut uids, mut edges) = near.path_back(meeting);
        uids.reverse();
        edges.reverse();
        let (far_uids, far_edges) = far.path_back(meeting);
        uids.extend(far_uids.into_iter().skip(1));
        edges.extend(far_edges);
        FoundPath { uids, edges }
    }
}

impl Side {
    fn of(start: &str) -> Side {
        let reached = ReachedBy {
            grouping: 0,
            previous: None,
        };
        Side {
            reached: HashMap::from([(start.to_owned(), reached)]),
            frontier: vec![start.to_owned()],
        }
    }

    /// The new uids that `edges` lead to from the uids in `frontier`, each with the edge of lowest cost. Of edges with
    /// equal cost, the first one counts.
    fn arrivals(&self, frontier: &[String], edges: Vec<Edge>) -> BTreeMap<String, ReachedBy> {
        let frontier: HashSet<&String> = frontier.iter().collect();
        let mut arrivals: BTreeMap<String, ReachedBy> = BTreeMap::new();
        for edge in edges {
            for (near, far) in [(&edge.from, &edge.to), (&edge.to, &edge.from)] {
                if !frontier.contains(near) || self.reached.contains_key(far) {
                    continue;
                }
                let before = self.reached.get(near).map_or(0, |near| near.grouping);
                let grouping = before + u32::from(is_grouping(&edge.kind));
                let best = arrivals.get(far);
                if best.is_none_or(|best| grouping < best.grouping) {
                    let previous = Some((near.clone(), edge.clone()));
                    arrivals.insert(far.clone(), ReachedBy { grouping, previous });
                }
            }
        }
        arrivals
    }

    /// The uids and edges from a uid back to the end where this side starts.
    fn path_back(&self, uid: &str) -> (Vec<String>, Vec<Edge>) {
        let (mut uids, mut edges) = (vec![uid.to_owned()], Vec::new());
        let mut last = uid;
        while let Some(ReachedBy {
            previous: Some((from, edge)),
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
