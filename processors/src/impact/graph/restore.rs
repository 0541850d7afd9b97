//! Adds stored nodes, edges and names to the graph.

use pipeline::claims::ClaimClass;
use pipeline::component::UnixNanos;
use pipeline::graph_store::{GraphAlias, NodeOutline};
use pipeline::schema::aliases;

use super::ImpactGraph;
use super::names::NameClaim;
use super::node::{ImpactEdge, SnapshotState};

impl ImpactGraph {
    /// Adds a node with its kind and its open claims.
    pub(in crate::impact) fn restore_node(&mut self, node: &NodeOutline) {
        let Some(id) = self.find_or_insert(&node.uid) else {
            return;
        };
        self.set_kind(id, &node.kind, node.class);
        self.node_mut(id).lifecycle.record_report(node.last_seen);
        let mut held = std::mem::take(&mut self.node_mut(id).claims);
        let open = node.claims.iter().filter(|claim| claim.until.is_none());
        for claim in open {
            if matches!(claim.class, ClaimClass::Telemetry | ClaimClass::Health) {
                continue;
            }
            let scope = claim.scope.as_deref().unwrap_or_default();
            let key = (claim.class, claim.source.as_str(), scope);
            let states = [(claim.since, claim.state)];
            self.scopes
                .restore(&node.uid, &mut held, key, states, claim.last_seen);
        }
        self.node_mut(id).claims = held;
        self.update_lifecycle(id);
    }

    /// Adds all edges that start at one node.
    pub(in crate::impact) fn restore_edges(&mut self, node: &NodeOutline) {
        let Some(from) = self.find_or_insert(&node.uid) else {
            return;
        };
        let mut snapshots: Vec<(u16, SnapshotState, Vec<ImpactEdge>)> = Vec::new();
        for stored in &node.edges {
            let Some(kind) = ImpactEdge::kind_index(&stored.kind) else {
                continue;
            };
            let Some(to) = self.find_or_insert(&stored.to) else {
                continue;
            };
            if !stored.is_in_snapshot {
                let source = self.sources.intern(&stored.source);
                let edge = ImpactEdge::of_snapshot(to, kind, stored.confidence, source);
                self.insert_observation(from, edge, stored.last_seen);
                continue;
            }
            for (index, kept) in
                self.reporting_claims(from, Some(&stored.source), ClaimClass::Edges)
            {
                let edge = ImpactEdge::of_snapshot(to, kind, stored.confidence, index);
                match snapshots.iter_mut().find(|(other, ..)| *other == index) {
                    Some((.., edges)) => edges.push(edge),
                    None => snapshots.push((index, kept, vec![edge])),
                }
            }
        }
        for (index, kept, edges) in snapshots {
            self.replace_edges(from, index, kept, edges);
        }
        for (uid, ended) in &node.ended_targets {
            self.restore_ended_target(uid, *ended);
        }
    }

    /// Adds the `same_as` aliases among the names of a uid.
    pub(in crate::impact) fn restore_names(&mut self, uid: &str, names: &[GraphAlias]) {
        let same_as = names
            .iter()
            .filter(|name| name.kind == aliases::kind::SAME_AS);
        let Some(owner) = same_as
            .clone()
            .next()
            .and_then(|_| self.find_or_insert(uid))
        else {
            return;
        };
        let reporting_claims = self.reporting_claims(owner, None, ClaimClass::Aliases);
        for (index, kept) in &reporting_claims {
            self.names.set_snapshot_state(owner, *index, *kept);
        }
        let sources: Vec<(u16, bool)> = match reporting_claims.is_empty() {
            true => vec![(self.sources.intern(""), false)],
            false => reporting_claims
                .iter()
                .map(|(index, _)| (*index, true))
                .collect(),
        };
        for name in same_as {
            for (source, is_in_snapshot) in &sources {
                let claim = NameClaim {
                    owner,
                    source: *source,
                    is_in_snapshot: *is_in_snapshot,
                    valid_from: name.valid_from,
                    valid_to: name.valid_to,
                };
                self.names.claim(&name.value, claim);
            }
        }
    }

    /// The open claims of a node that report its edges or names, each with its index: the claims that scans made. If
    /// there are none, the claims of the class `fallback`, which are of snapshots that no scan made.
    fn reporting_claims(
        &self,
        id: u32,
        source: Option<&str>,
        fallback: ClaimClass,
    ) -> Vec<(u16, SnapshotState)> {
        let claims = self.node(id).claims.iter().enumerate();
        let open = claims.filter_map(|(index, claim)| {
            let (state, _) = claim.open()?;
            let key = self.scopes.key(claim.key);
            let has_source = source.is_none_or(|source| *source == *key.source);
            // With the time 0, every report that arrives replaces the stored snapshot.
            let kept = SnapshotState::new(state, UnixNanos(0));
            let index = u16::try_from(index).ok()?;
            has_source.then_some((key.class, (index, kept)))
        });
        let open: Vec<(ClaimClass, (u16, SnapshotState))> = open.collect();
        let of_class = |matches: &dyn Fn(ClaimClass) -> bool| -> Vec<(u16, SnapshotState)> {
            let matching = open.iter().filter(|(class, _)| matches(*class));
            matching.map(|(_, claim)| *claim).collect()
        };
        let scanned = of_class(&|class| matches!(class, ClaimClass::Actual | ClaimClass::Desired));
        match scanned.is_empty() {
            true => of_class(&|class| class == fallback),
            false => scanned,
        }
    }
}
