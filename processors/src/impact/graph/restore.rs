//! What a store knows already.

use pipeline::claims::Class;
use pipeline::component::UnixNanos;
use pipeline::graph_store::{NodeOutline, OtherName};
use pipeline::schema::aliases;

use super::Graph;
use super::names::Claim;
use super::node::{Edge, Kept};

impl Graph {
    /// A node, and all that is claimed of it.
    pub(in super::super) fn restore_node(&mut self, node: &NodeOutline) {
        let Some(id) = self.number(&node.uid) else {
            return;
        };
        self.call(id, &node.kind, node.class);
        self.node_mut(id).life.is_reported(node.last_seen);
        let mut held = std::mem::take(&mut self.node_mut(id).claims);
        let open = node.claims.iter().filter(|claim| claim.until.is_none());
        for claim in open {
            if matches!(claim.class, Class::Telemetry | Class::Health) {
                continue;
            }
            let scope = claim.scope.as_deref().unwrap_or_default();
            let key = (claim.class, claim.source.as_str(), scope);
            let states = [(claim.since, claim.state)];
            self.scopes
                .restore(&node.uid, &mut held, key, states, claim.last_seen);
        }
        self.node_mut(id).claims = held;
        self.refresh(id);
    }

    /// All edges that start at one node, in any order.
    pub(in super::super) fn restore_edges(&mut self, node: &NodeOutline) {
        let Some(from) = self.number(&node.uid) else {
            return;
        };
        let mut snapshots: Vec<(u16, Kept, Vec<Edge>)> = Vec::new();
        for stored in &node.edges {
            let Some(kind) = Edge::kind_number(&stored.kind) else {
                continue;
            };
            let Some(to) = self.number(&stored.to) else {
                continue;
            };
            if !stored.is_of_set {
                let source = self.sources.number(&stored.source);
                let edge = Edge::of_set(to, kind, stored.confidence, source);
                self.add_seen(from, edge, stored.last_seen);
                continue;
            }
            for (place, kept) in self.reporting(from, Some(&stored.source), Class::Edges) {
                let edge = Edge::of_set(to, kind, stored.confidence, place);
                match snapshots.iter_mut().find(|(of, ..)| *of == place) {
                    Some((.., edges)) => edges.push(edge),
                    None => snapshots.push((place, kept, vec![edge])),
                }
            }
        }
        for (place, kept, edges) in snapshots {
            self.replace_edges(from, place, kept, edges);
        }
        for (uid, ended) in &node.ended_ends {
            self.restore_end(uid, *ended);
        }
    }

    pub(in super::super) fn restore_names(&mut self, uid: &str, names: &[OtherName]) {
        let same = names
            .iter()
            .filter(|name| name.kind == aliases::kind::SAME_AS);
        let Some(owner) = same.clone().next().and_then(|_| self.number(uid)) else {
            return;
        };
        let reporting = self.reporting(owner, None, Class::Aliases);
        for (place, kept) in &reporting {
            self.names.keep(owner, *place, *kept);
        }
        let places: Vec<(u16, bool)> = match reporting.is_empty() {
            true => vec![(self.sources.number(""), false)],
            false => reporting.iter().map(|(place, _)| (*place, true)).collect(),
        };
        for name in same {
            for (source, is_of_set) in &places {
                let claim = Claim {
                    owner,
                    source: *source,
                    is_of_set: *is_of_set,
                    valid_from: name.valid_from,
                    valid_to: name.valid_to,
                };
                self.names.claim(&name.value, claim);
            }
        }
    }

    /// The open claims of a node that report its edges or names: those of scans, else those of the class
    /// of snapshots that no scan made.
    fn reporting(&self, id: u32, source: Option<&str>, alone: Class) -> Vec<(u16, Kept)> {
        let claims = self.node(id).claims.iter().enumerate();
        let open = claims.filter_map(|(place, claim)| {
            let (state, _) = claim.open()?;
            let key = self.scopes.key(claim.key);
            let is_of = source.is_none_or(|source| *source == *key.source);
            // What a store has is older than all that comes.
            let kept = Kept::new(state, UnixNanos(0));
            let place = u16::try_from(place).ok()?;
            is_of.then_some((key.class, (place, kept)))
        });
        let open: Vec<(Class, (u16, Kept))> = open.collect();
        let of = |is_it: &dyn Fn(Class) -> bool| -> Vec<(u16, Kept)> {
            let of = open.iter().filter(|(class, _)| is_it(*class));
            of.map(|(_, claim)| *claim).collect()
        };
        let scanned = of(&|class| matches!(class, Class::Actual | Class::Desired));
        match scanned.is_empty() {
            true => of(&|class| class == alone),
            false => scanned,
        }
    }
}
