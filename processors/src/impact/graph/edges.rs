//! Applies snapshots of edges, and observed edges. The edges of a snapshot are current while the claim that reports
//! them has the state of the snapshot.

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
        let new = SnapshotState::new(state, snapshot.time);
        let claim = self.node(from).claims.at(usize::from(index));
        let is_replaced = claim.is_some_and(|claim| {
            replaces_held(new, claim.attached, claim.open(), claim.last_since())
        });
        if !is_replaced {
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
        self.replace_edges(from, index, new, edges);
    }

    /// The index of the claim that reported a snapshot. Adds the claim if the node lacks it.
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
                let exists = |key: &KeyNumber| claims.get(*key).is_some();
                let keys = [actual, desired];
                let same_state = keys.into_iter().find(has_state);
                same_state
                    .or_else(|| keys.into_iter().find(exists))
                    .unwrap_or(actual)
            }
        };
        let claims = &mut self.node_mut(id).claims;
        claims.get_or_add(key);
        u16::try_from(claims.position(key)?).ok()
    }

    /// Replaces the edges of the claim at `index` by those of a snapshot, whose state is `new`.
    pub(super) fn replace_edges(
        &mut self,
        from: u32,
        index: u16,
        new: SnapshotState,
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
            claim.attached = new;
        }
        let before = node.targets();
        let is_replaced = |edge: &ImpactEdge| edge.is_in_snapshot() && edge.source == index;
        node.outgoing.retain(|edge| !is_replaced(edge));
        node.outgoing.reserve_exact(edges.len());
        node.outgoing.extend(edges);
        node.outgoing.shrink_to_fit();
        node.outgoing.sort_unstable_by_key(|edge| edge.key());
        self.update_incoming(from, &before);
    }

    /// Adds an observed edge, or confirms it if the graph has it.
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

    /// Inserts an edge that was observed at `time`, or merges it with the same edge of the graph.
    pub(super) fn insert_observation(&mut self, from: u32, edge: ImpactEdge, time: UnixNanos) {
        if edge.to == from {
            return;
        }
        let (edge, node) = (edge.observed_at(time), self.node_mut(from));
        match node
            .outgoing
            .binary_search_by_key(&edge.key(), |held| held.key())
        {
            Ok(index) => node.outgoing[index].merge(edge),
            Err(index) => {
                let before = node.targets();
                node.outgoing.insert(index, edge);
                self.update_incoming(from, &before);
            }
        }
    }

    /// Updates `incoming` and `stale_incoming` of the targets after the edges of a node have changed. `before` has the
    /// targets before the change.
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

/// The state of a snapshot: its column `state`, or if that is null, the hash of its items.
pub(super) fn state_of(snapshot: &SnapshotReport<'_>) -> u64 {
    let hash = || snapshot.items.class_and_hash().1;
    snapshot.state.unwrap_or_else(hash)
}

/// Whether the snapshot `new` replaces the snapshot `held` of the same claim. It does if its state is the current state
/// of the claim (`open`). It also does if it is older neither than `held` nor than the start of the last state of the
/// claim (`since`).
pub(super) fn replaces_held(
    new: SnapshotState,
    held: SnapshotState,
    open: Option<(u64, UnixNanos)>,
    since: Option<UnixNanos>,
) -> bool {
    match (open, since) {
        (Some((state, _)), _) if state == new.state() => true,
        (Some((state, _)), _) if state == held.state() && new.at < held.at => false,
        (_, Some(since)) => new.at >= seconds(since) && new.at >= held.at,
        (_, None) => new.at >= held.at,
    }
}
