//! Edges: snapshots, which live and end with their claim, and observations.

use pipeline::claim_memory::KeyNumber;
use pipeline::claims::Class;
use pipeline::component::UnixNanos;
use pipeline::reports::{EdgeItem, EdgeObservation, Snapshot};

use super::Graph;
use super::node::{Edge, Kept, seconds};

impl Graph {
    /// All edges that a source reports of a uid in a scope.
    pub(super) fn put_edges(&mut self, snapshot: &Snapshot<'_>, items: &[EdgeItem<'_>]) {
        let Some(from) = self.number(snapshot.uid) else {
            return;
        };
        let state = state_of(snapshot);
        self.node_mut(from).life.is_reported(snapshot.time);
        let Some(place) = self.place_of(from, snapshot, state) else {
            return;
        };
        let kept = Kept::new(state, snapshot.time);
        let claim = self.node(from).claims.at(usize::from(place));
        if claim.is_none_or(|claim| !is_newer(kept, claim.beside, claim.open(), claim.last_since()))
        {
            return;
        }
        let mut edges = Vec::with_capacity(items.len());
        for item in items {
            let Some(kind) = Edge::kind_number(item.kind) else {
                continue;
            };
            if let Some(to) = self.number(item.to) {
                edges.push(Edge::of_set(to, kind, item.confidence, place));
            }
        }
        self.replace_edges(from, place, kept, edges);
    }

    /// The place of the claim that a snapshot belongs to; it is made where there is none.
    pub(super) fn place_of(&mut self, id: u32, snapshot: &Snapshot<'_>, state: u64) -> Option<u16> {
        let (source, scope) = (snapshot.source, snapshot.scope);
        let key: KeyNumber = match (snapshot.state, &snapshot.items) {
            (None, pipeline::reports::Items::Edges(_)) => {
                self.scopes.number(Class::Edges, source, scope)
            }
            (None, _) => self.scopes.number(Class::Aliases, source, scope),
            (Some(_), _) => {
                let actual = self.scopes.number(Class::Actual, source, scope);
                let desired = self.scopes.number(Class::Desired, source, scope);
                let claims = &self.node(id).claims;
                let has_state = |key: &KeyNumber| {
                    let open = claims.get(*key).and_then(|claim| claim.open());
                    open.is_some_and(|(open, _)| open == state)
                };
                let is_there = |key: &KeyNumber| claims.get(*key).is_some();
                let keys = [actual, desired];
                let found = keys.into_iter().find(has_state);
                found
                    .or_else(|| keys.into_iter().find(is_there))
                    .unwrap_or(actual)
            }
        };
        let claims = &mut self.node_mut(id).claims;
        claims.of(key);
        u16::try_from(claims.place(key)?).ok()
    }

    /// Puts the edges of a snapshot in the place of those that its claim had.
    pub(super) fn replace_edges(
        &mut self,
        from: u32,
        place: u16,
        kept: Kept,
        mut edges: Vec<Edge>,
    ) {
        edges.retain(|edge| edge.to != from);
        edges.sort_unstable_by_key(|edge| edge.key());
        edges.dedup_by(|next, first| {
            let is_same = next.key() == first.key();
            if is_same {
                first.merge(*next);
            }
            is_same
        });
        let node = self.node_mut(from);
        if let Some(claim) = node.claims.iter_mut().nth(usize::from(place)) {
            claim.beside = kept;
        }
        let before = node.ends();
        let is_old = |edge: &Edge| edge.is_of_set() && edge.source == place;
        node.outward.retain(|edge| !is_old(edge));
        node.outward.reserve_exact(edges.len());
        node.outward.extend(edges);
        node.outward.shrink_to_fit();
        node.outward.sort_unstable_by_key(|edge| edge.key());
        self.settle(from, &before);
    }

    pub(super) fn see(&mut self, observation: &EdgeObservation<'_>) {
        let EdgeObservation {
            uid, time, edge, ..
        } = observation;
        let Some(from) = self.number(uid) else {
            return;
        };
        self.node_mut(from).life.is_reported(*time);
        let Some(kind) = Edge::kind_number(edge.kind) else {
            return;
        };
        let Some(to) = self.number(edge.to) else {
            return;
        };
        let source = self.sources.number(observation.source);
        let edge = Edge::of_set(to, kind, edge.confidence, source);
        self.add_seen(from, edge, *time);
    }

    pub(super) fn add_seen(&mut self, from: u32, edge: Edge, time: UnixNanos) {
        if edge.to == from {
            return;
        }
        let (edge, node) = (edge.seen(time), self.node_mut(from));
        match node
            .outward
            .binary_search_by_key(&edge.key(), |it| it.key())
        {
            Ok(place) => node.outward[place].merge(edge),
            Err(place) => {
                let before = node.ends();
                node.outward.insert(place, edge);
                self.settle(from, &before);
            }
        }
    }

    /// Tells the other ends of a node's edges which of these are new and which have ended.
    pub(super) fn settle(&mut self, from: u32, before: &[u32]) {
        let after = self.node(from).ends();
        for to in after.iter().filter(|to| before.binary_search(to).is_err()) {
            self.node_mut(*to).inward.push(from);
        }
        for to in before.iter().filter(|to| after.binary_search(to).is_err()) {
            self.node_mut(*to).ended += 1;
        }
    }
}

/// What names the state that a snapshot belongs to.
pub(super) fn state_of(snapshot: &Snapshot<'_>) -> u64 {
    let hash = || snapshot.items.class_and_hash().1;
    snapshot.state.unwrap_or_else(hash)
}

/// Whether a snapshot takes the place of the one that is kept: it is of the state that its claim has
/// now, or of one that may follow.
pub(super) fn is_newer(
    new: Kept,
    known: Kept,
    open: Option<(u64, UnixNanos)>,
    since: Option<UnixNanos>,
) -> bool {
    match (open, since) {
        (Some((state, _)), _) if state == new.state() => true,
        (Some((state, _)), _) if state == known.state() && new.at < known.at => false,
        (_, Some(since)) => new.at >= seconds(since) && new.at >= known.at,
        (_, None) => new.at >= known.at,
    }
}
