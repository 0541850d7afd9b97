//! The walk over the graph in memory.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use pipeline::component::UnixNanos;
use pipeline::impact::{Impact, Limits, Step, Walk, Way};

use super::graph::Graph;

/// A node of the graph: compared by its number, ordered by its uid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'g> {
    id: u32,
    pub(super) uid: &'g str,
}

impl PartialEq for Place<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Place<'_> {}

impl Hash for Place<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl PartialOrd for Place<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Place<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uid.cmp(other.uid)
    }
}

/// What depends on a uid; none where the graph does not know it.
pub(super) fn reach<'g>(
    graph: &'g Graph,
    uid: &str,
    limits: Limits,
    now: UnixNanos,
) -> Option<Impact<Place<'g>>> {
    let place = |id| Place {
        id,
        uid: graph.uid(id),
    };
    let start = graph.canonical(graph.find(uid)?, now);
    let mut walk = Walk::new(place(start), graph.kind(start), limits);
    loop {
        for (near, ways) in walk.frontier() {
            for way in ways {
                let mut follow = |edge: &str, far: u32, confidence: f64| {
                    let far = graph.canonical(far, now);
                    if graph.is_alive(far) {
                        walk.follow(&Step {
                            near: &near,
                            edge,
                            way,
                            far: &place(far),
                            far_kind: graph.kind(far),
                            confidence,
                        });
                    }
                };
                for own in graph.names_of(near.id, now) {
                    match way {
                        Way::In => graph.edges_to(own, now, &mut follow),
                        Way::Out => graph.edges_from(own, now, &mut follow),
                    }
                }
            }
        }
        if !walk.advance() {
            return Some(walk.finish());
        }
    }
}
