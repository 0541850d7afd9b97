//! What a store knows already.

use pipeline::component::UnixNanos;
use pipeline::graph_store::{self, OtherName};
use pipeline::schema::aliases;
use pipeline::schema::nodes::group;
use pipeline::uid;

use super::Graph;
use super::names::Claim;
use super::node::{Edge, Existence, Set};

impl Graph {
    pub(in super::super) fn restore_node(&mut self, node: &graph_store::Node) {
        let Some(id) = self.number(&node.uid) else {
            return;
        };
        let said = [
            group::ACTUAL,
            group::LIFECYCLE,
            group::DESIRED,
            group::TELEMETRY,
        ];
        let by = said.into_iter().find(|it| node.facts.contains_key(*it));
        self.call(id, &node.kind, by.unwrap_or(group::TELEMETRY));
        match node.facts.get(group::LIFECYCLE) {
            Some(fact) => {
                let source = self.sources.number(&fact.source);
                self.say(id, fact.last_seen, source, Existence::Exists);
            }
            None => self.node_mut(id).life.told(node.last_seen),
        }
    }

    /// All edges that start at one node, in any order.
    pub(in super::super) fn restore_edges(&mut self, uid: &str, edges: &[graph_store::Edge]) {
        let Some(from) = self.number(uid) else {
            return;
        };
        let mut sets: Vec<(Set, Vec<Edge>)> = Vec::new();
        for told in edges {
            let source = self.sources.number(&told.source);
            let Some(kind) = Edge::kind_number(&told.kind) else {
                continue;
            };
            let Some(to) = self.number(&told.to) else {
                continue;
            };
            let edge = Edge::of_set(to, kind, told.confidence, source);
            if !told.is_of_set {
                self.add_seen(from, edge, told.last_seen);
                continue;
            }
            match sets.iter_mut().find(|(set, _)| set.source == source) {
                Some((set, members)) => {
                    set.time = set.time.max(told.last_seen);
                    members.push(edge);
                }
                None => {
                    let set = Set {
                        time: told.last_seen,
                        hash: Set::UNKNOWN,
                        source,
                    };
                    sets.push((set, vec![edge]));
                }
            }
        }
        for (set, members) in sets {
            self.replace_set(from, set, members);
        }
    }

    pub(in super::super) fn restore_names(&mut self, uid: &str, names: &[OtherName]) {
        let same = names
            .iter()
            .filter(|name| name.kind == aliases::kind::SAME_AS);
        let Some(owner) = same.clone().next().and_then(|_| self.number(uid)) else {
            return;
        };
        // Who scans a thing tells its names, all at once.
        let life = self.node(owner).life;
        let is_scanned = life.state == Existence::Exists;
        if is_scanned {
            let unknown = (UnixNanos(0), Set::UNKNOWN);
            self.names.tell_set(owner, life.source, unknown);
        }
        for name in same {
            let claim = Claim {
                owner,
                source: life.source,
                is_of_set: is_scanned,
                valid_from: name.valid_from,
                valid_to: name.valid_to,
            };
            self.names.claim(&name.value, claim);
        }
    }

    /// Whom the last scan of a scope saw: uids, each with its state.
    pub(in super::super) fn restore_scope(
        &mut self,
        source: &str,
        scope: &str,
        members: &[(String, u64)],
    ) {
        let source = self.sources.number(source);
        for (uid, state) in members {
            let id = self.find(uid);
            if let Some(set) = id.and_then(|id| self.node_mut(id).set_of(source)) {
                set.hash = *state;
            }
        }
        let members = members.iter().map(|(uid, _)| uid::hash(uid)).collect();
        self.scopes.restore(source, scope, members);
    }
}
