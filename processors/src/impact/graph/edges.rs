//! Applies snapshots of edges, whose edges are current while their claim has the state of the snapshot, and observed
//! edges.

use pipeline::claim_memory::KeyNumber;
use pipeline::claims::ClaimClass;
use pipeline::component::UnixNanos;
use pipeline::reports::{EdgeItem, EdgeObservation, SnapshotReport};

use super::ImpactGraph;
use super::node::{ImpactEdge, SnapshotState, seconds};

impl ImpactGraph {
    /// Applies a snapshot: all edges that a source reports for a uid in a scope.
    pub(super) fn put_edge_snapshot(
        &mut self,
        snapshot: &SnapshotReport<'_>,
        items: &[EdgeItem<'_>],
    ) {
        let Some(from) = self.find_or_insert(snapshot.uid) else {
            return;
        };
        let state = state_of(snapshot);
        self.node_mut(from).lifecycle.record_report(snapshot.time);
        let Some(index) = self.claim_index(from, snapshot, state) else {
            return;
        };
        let kept = SnapshotState::new(state, snapshot.time);
        let claim = self.node(from).claims.at(usize::from(index));
        if claim
            .is_none_or(|claim| !is_newer(kept, claim.attached, claim.open(), claim.last_since()))
        {
            return;
        }
        let mut edges = Vec::with_capacity(items.len());
        for item in items {
            let Some(kind) = ImpactEdge::kind_index(item.kind) else {
                continue;
            };
            if let Some(to) = self.find_or_insert(item.to) {
                edges.push(ImpactEdge::of_snapshot(to, kind, item.confidence, index));
            }
        }
        self.replace_edges(from, index, kept, edges);
    }

    /// The index of the claim that a snapshot belongs to. Adds the claim if there is none.
    pub(super) fn claim_index(
        &mut self,
        id: u32,
        snapshot: &SnapshotReport<'_>,
        state: u64,
    ) -> Option<u16> {
        let (source, scope) = (snapshot.source, snapshot.scope);
        let key: KeyNumber = match (snapshot.state, &snapshot.items) {
            (None, pipeline::reports::SnapshotItems::Edges(_)) => {
                self.scopes.number(ClaimClass::Edges, source, scope)
            }
            (None, _) => self.scopes.number(ClaimClass::Aliases, source, scope),
            (Some(_), _) => {
                let actual = self.scopes.number(ClaimClass::Actual, source, scope);
                let desired = self.scopes.number(ClaimClass::Desired, source, scope);
                let claims = &self.node(id).claims;
                let has_state = |key: &KeyNumber| {
                    let open = claims.get(*key).and_then(|claim| claim.open());
                    open.is_some_and(|(open, _)| open == state)
                };
                let is_there = |key: &KeyNumber| claims.get(*key).is_some();
                let keys = [actual, desired];
                let same_state = keys.into_iter().find(has_state);
                same_state
                    .or_else(|| keys.into_iter().find(is_there))
                    .unwrap_or(actual)
            }
        };
        let claims = &mut self.node_mut(id).claims;
        claims.get_or_add(key);
        u16::try_from(claims.position(key)?).ok()
    }

    /// Replaces the edges of a claim by those of a snapshot.
    pub(super) fn replace_edges(
        &mut self,
        from: u32,
        index: u16,
        kept: SnapshotState,
        mut edges: Vec<ImpactEdge>,
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
        if let Some(claim) = node.claims.iter_mut().nth(usize::from(index)) {
            claim.attached = kept;
        }
        let before = node.targets();
        let is_old = |edge: &ImpactEdge| edge.is_of_snapshot() && edge.source == index;
        node.outgoing.retain(|edge| !is_old(edge));
        node.outgoing.reserve_exact(edges.len());
        node.outgoing.extend(edges);
        node.outgoing.shrink_to_fit();
        node.outgoing.sort_unstable_by_key(|edge| edge.key());
        self.update_incoming(from, &before);
    }

    /// Adds an observed edge, or confirms it.
    pub(super) fn add_observation(&mut self, observation: &EdgeObservation<'_>) {
        let EdgeObservation {
            uid, time, edge, ..
        } = observation;
        let Some(from) = self.find_or_insert(uid) else {
            return;
        };
        self.node_mut(from).lifecycle.record_report(*time);
        let Some(kind) = ImpactEdge::kind_index(edge.kind) else {
            return;
        };
        let Some(to) = self.find_or_insert(edge.to) else {
            return;
        };
        let source = self.sources.intern(observation.source);
        let edge = ImpactEdge::of_snapshot(to, kind, edge.confidence, source);
        self.insert_observation(from, edge, *time);
    }

    /// Inserts an edge that was observed at `time`, or merges it with the known edge.
    pub(super) fn insert_observation(&mut self, from: u32, edge: ImpactEdge, time: UnixNanos) {
        if edge.to == from {
            return;
        }
        let (edge, node) = (edge.observed_at(time), self.node_mut(from));
        match node
            .outgoing
            .binary_search_by_key(&edge.key(), |it| it.key())
        {
            Ok(index) => node.outgoing[index].merge(edge),
            Err(index) => {
                let before = node.targets();
                node.outgoing.insert(index, edge);
                self.update_incoming(from, &before);
            }
        }
    }

    /// Updates `incoming` and `stale_incoming` at the targets of a node's edges after the edges have changed. `before`
    /// has the targets before the change.
    pub(super) fn update_incoming(&mut self, from: u32, before: &[u32]) {
        let after = self.node(from).targets();
        for to in after.iter().filter(|to| before.binary_search(to).is_err()) {
            self.node_mut(*to).incoming.push(from);
        }
        for to in before.iter().filter(|to| after.binary_search(to).is_err()) {
            self.node_mut(*to).stale_incoming += 1;
        }
    }
}

/// The state to which a snapshot belongs: its column `state`, or if that is null, the hash of its items.
pub(super) fn state_of(snapshot: &SnapshotReport<'_>) -> u64 {
    let hash = || snapshot.items.class_and_hash().1;
    snapshot.state.unwrap_or_else(hash)
}

/// Whether a snapshot replaces the held one. It does if its state is the current state of its claim, or if it is not
/// older than that state and the held snapshot.
pub(super) fn is_newer(
    new: SnapshotState,
    known: SnapshotState,
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
