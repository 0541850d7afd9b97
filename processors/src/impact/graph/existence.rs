//! Who exists: claims, by the rules that all stores share.

use pipeline::claims::{self, Class};
use pipeline::graph_store::At;
use pipeline::reports::{Completion, DirectReport, Sighting};

use super::Graph;
use super::node::{Existence, Life};

impl Graph {
    /// What a row says besides that it saw the uid: its kind.
    pub(super) fn describe(&mut self, sighting: &Sighting<'_>) {
        let Some(id) = self.number(sighting.uid) else {
            return;
        };
        self.node_mut(id).life.is_reported(sighting.time);
        if let Some(kind) = sighting.content.and_then(|content| content.kind) {
            self.call(id, kind, sighting.class);
        }
    }

    /// A report about one uid.
    pub(super) fn report(&mut self, report: &DirectReport<'_>) {
        // Of telemetry only the kind is of use, and when it was.
        if matches!(report.class, Class::Telemetry | Class::Health) {
            return;
        }
        let Some(id) = self.number(report.uid) else {
            return;
        };
        let mut claims = std::mem::take(&mut self.node_mut(id).claims);
        let change = self.scopes.report(&mut claims, report);
        self.node_mut(id).claims = claims;
        if change.has_changed {
            self.refresh(id);
        }
    }

    /// A scan of a scope is complete.
    pub(super) fn complete(&mut self, completion: &Completion<'_>) {
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
                self.refresh(id);
            }
        }
        // Whether an open claim counts depends on when its scope last completed a scan.
        let contested: Vec<u32> = self.contested.iter().copied().collect();
        for id in contested {
            self.refresh(id);
        }
    }

    /// Of several reports of the kind, what is there counts before what should be.
    pub(super) fn call(&mut self, id: u32, kind: &str, class: Class) {
        let said = match class {
            Class::Actual => 4,
            Class::Created => 3,
            Class::Desired => 2,
            Class::Telemetry => 1,
            _ => return,
        };
        let kind = self.kinds.number(kind);
        let node = self.node_mut(id);
        if said >= node.said {
            node.kind = kind;
            node.said = said;
        }
    }

    /// Finds anew whether a node exists.
    pub(super) fn refresh(&mut self, id: u32) {
        let claims = &self.node(id).claims;
        let existence = claims.existence(&self.scopes, At::Now);
        let reported = self.node(id).life.time;
        let (state, time) = match existence {
            claims::Existence::Exists => (Existence::Exists, reported),
            claims::Existence::Ended(time) => (Existence::Ended, time),
            claims::Existence::Unobserved(time) => (Existence::Unknown, time),
            claims::Existence::Unknown => (Existence::Unknown, reported),
        };
        let mut open = claims.iter().filter(|claim| claim.open().is_some());
        let is_contested = state != Existence::Exists
            && open.any(|claim| self.scopes.key(claim.key).class.is_lifecycle());
        drop(open);
        match is_contested {
            true => self.contested.insert(id),
            false => self.contested.remove(&id),
        };
        self.node_mut(id).life = Life { time, state };
    }
}
