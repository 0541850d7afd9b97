//! Edges: sets, of which the newest of each source wins as a whole, and what is seen by itself.

use pipeline::component::UnixNanos;
use pipeline::facts::{Fact, Relation, Told, group};

use super::Graph;
use super::node::{Edge, Set};

impl Graph {
    pub(super) fn tell_edges(&mut self, told: &Told<'_>) {
        // The members of the sets stand in the order of their facts.
        let mut members = told.relations.iter().filter(|it| it.set != 0).peekable();
        for set in told.facts.iter().filter(|it| it.group == group::EDGES) {
            let is_of = |it: &&Relation<'_>| {
                it.set == set.hash && it.uid == set.uid && it.source == set.source
            };
            let mut of_set = Vec::new();
            while let Some(relation) = members.next_if(is_of) {
                of_set.push(relation);
            }
            self.tell_set(set, &of_set);
        }
        for relation in told.relations.iter().filter(|it| it.set == 0) {
            self.see(relation);
        }
    }

    fn tell_set(&mut self, fact: &Fact<'_>, members: &[&Relation<'_>]) {
        let Some(from) = self.number(&fact.uid) else {
            return;
        };
        let source = self.sources.number(&fact.source);
        let mut set = Set {
            time: fact.last_seen,
            hash: fact.hash,
            source,
        };
        let node = self.node_mut(from);
        node.life.told(set.time);
        match node.set_of(source) {
            Some(known) if known.hash == set.hash => {
                known.time = known.time.max(set.time);
                return;
            }
            Some(known) if (known.time, known.hash) > (set.time, set.hash) => return,
            _ => {}
        }
        let mut edges = Vec::with_capacity(members.len());
        for relation in members {
            let Some(kind) = Edge::kind_number(&relation.kind) else {
                continue;
            };
            match self.number(&relation.to) {
                Some(to) => edges.push(Edge::of_set(to, kind, relation.confidence, source)),
                // When it is told again there may be room.
                None => set.hash = Set::UNKNOWN,
            }
        }
        self.replace_set(from, set, edges);
    }

    /// Puts a set in the place of the one that its source told before.
    pub(super) fn replace_set(&mut self, from: u32, set: Set, mut edges: Vec<Edge>) {
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
        match node.set_of(set.source) {
            Some(known) => *known = set,
            None => {
                node.sets.reserve_exact(1);
                node.sets.push(set);
            }
        }
        let before = node.ends();
        let is_old = |edge: &Edge| edge.is_of_set() && edge.source == set.source;
        node.outward.retain(|edge| !is_old(edge));
        node.outward.reserve_exact(edges.len());
        node.outward.extend(edges);
        node.outward.shrink_to_fit();
        node.outward.sort_unstable_by_key(|edge| edge.key());
        self.settle(from, &before);
    }

    fn see(&mut self, relation: &Relation<'_>) {
        let Some(from) = self.number(&relation.uid) else {
            return;
        };
        self.node_mut(from).life.told(relation.last_seen);
        let Some(kind) = Edge::kind_number(&relation.kind) else {
            return;
        };
        let Some(to) = self.number(&relation.to) else {
            return;
        };
        let source = self.sources.number(&relation.source);
        let edge = Edge::of_set(to, kind, relation.confidence, source);
        self.add_seen(from, edge, relation.last_seen);
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
