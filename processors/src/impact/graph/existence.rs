//! Applies reports to claims by the rules that all stores share, and derives which nodes exist.

use pipeline::claims::{self, ClaimClass};
use pipeline::graph_store::AsOf;
use pipeline::reports::{DirectReport, ScanCompletion, Sighting};

use super::ImpactGraph;
use super::node::{LifecycleState, NodeLifecycle};

impl ImpactGraph {
    /// Records the kind of a node and the time of the report.
    pub(super) fn record_kind(&mut self, sighting: &Sighting<'_>) {
        let Some(id) = self.find_or_insert(sighting.uid) else {
            return;
        };
        self.node_mut(id).lifecycle.record_report(sighting.time);
        if let Some(kind) = sighting.content.and_then(|content| content.kind) {
            self.set_kind(id, kind, sighting.class);
        }
    }

    /// Applies a report about one uid.
    pub(super) fn apply_report(&mut self, report: &DirectReport<'_>) {
        // Only the kind and time of telemetry and health matter here, and `record_kind` has recorded both.
        if matches!(report.class, ClaimClass::Telemetry | ClaimClass::Health) {
            return;
        }
        let Some(id) = self.find_or_insert(report.uid) else {
            return;
        };
        let mut claims = std::mem::take(&mut self.node_mut(id).claims);
        let change = self.scopes.report(&mut claims, report);
        self.node_mut(id).claims = claims;
        if change.has_changed {
            self.update_lifecycle(id);
        }
    }

    /// Applies a scan completion.
    pub(super) fn apply_completion(&mut self, completion: &ScanCompletion<'_>) {
        for hash in self.scopes.complete(completion) {
            let Some(id) = self.find_hash(hash) else {
                continue;
            };
            if !self
                .scopes
                .concerns(hash, &self.node(id).claims, completion)
            {
                continue;
            }
            let mut claims = std::mem::take(&mut self.node_mut(id).claims);
            let change = self.scopes.apply(hash, &mut claims, completion);
            self.node_mut(id).claims = claims;
            if change.has_changed {
                self.update_lifecycle(id);
            }
        }
        // An open claim is stale if its scope completed no scan for long, so a completion can change the existence of
        // any contested node.
        let contested: Vec<u32> = self.contested.iter().copied().collect();
        for id in contested {
            self.update_lifecycle(id);
        }
    }

    /// Sets the kind of a node unless a claim class of higher rank has set it. Actual state has the highest rank.
    pub(super) fn set_kind(&mut self, id: u32, kind: &str, class: ClaimClass) {
        let kind_rank = match class {
            ClaimClass::Actual => 4,
            ClaimClass::Created => 3,
            ClaimClass::Desired => 2,
            ClaimClass::Telemetry => 1,
            _ => return,
        };
        let kind = self.kinds.intern(kind);
        let node = self.node_mut(id);
        if kind_rank >= node.kind_rank {
            node.kind = kind;
            node.kind_rank = kind_rank;
        }
    }

    /// Computes from the claims whether a node exists.
    pub(super) fn update_lifecycle(&mut self, id: u32) {
        let claims = &self.node(id).claims;
        let existence = claims.existence(&self.scopes, AsOf::Now);
        let reported = self.node(id).lifecycle.time;
        let (state, time) = match existence {
            claims::Existence::Exists => (LifecycleState::Exists, reported),
            claims::Existence::Ended(time) => (LifecycleState::Ended, time),
            claims::Existence::Unobserved(time) => (LifecycleState::Unknown, time),
            claims::Existence::Unknown => (LifecycleState::Unknown, reported),
        };
        let mut open = claims.iter().filter(|claim| claim.open().is_some());
        let is_contested = state != LifecycleState::Exists
            && open.any(|claim| self.scopes.key(claim.key).class.is_lifecycle());
        drop(open);
        match is_contested {
            true => self.contested.insert(id),
            false => self.contested.remove(&id),
        };
        self.node_mut(id).lifecycle = NodeLifecycle { time, state };
    }
}
