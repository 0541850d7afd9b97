//! The smallest store: facts in a map, merged as every store does.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Completion, Completions, Current, Fact, Known, Novelty, group, newest_sets};
use super::history::Telling;
use crate::component::UnixNanos;
use crate::graph_store::{At, Node};

#[derive(Default)]
pub(super) struct Memory {
    facts: BTreeMap<String, Vec<Fact<'static>>>,
    known: Known,
    completions: Completions,
    written: usize,
}

/// All that is current: nodes without the times of what merely repeats, and sets by their source.
pub(super) type State = BTreeMap<String, (Option<Node>, BTreeMap<String, u64>)>;

impl Memory {
    pub(super) fn tell(&mut self, telling: &Telling) {
        match telling {
            Telling::Fact(fact, scanned) => self.write(fact.clone(), *scanned),
            Telling::Completion(completion) => self.complete(completion.clone()),
        }
    }

    pub(super) fn write(&mut self, fact: Fact<'static>, scanned: bool) {
        if self.known.novelty(&fact, scanned) == Novelty::Repeats {
            return;
        }
        self.known.add(&fact);
        self.written += 1;
        let facts = self.facts.entry(fact.uid.to_string()).or_default();
        let key = |fact: &Fact<'_>| {
            let texts = [&fact.group, &fact.source, &fact.scope].map(|text| text.to_string());
            (texts, fact.hash)
        };
        match facts.iter_mut().find(|known| key(known) == key(&fact)) {
            Some(known) => {
                known.first_seen = known.first_seen.min(fact.first_seen);
                known.last_seen = known.last_seen.max(fact.last_seen);
            }
            None => facts.push(fact),
        }
    }

    pub(super) fn complete(&mut self, completion: Completion) {
        self.written += 1;
        self.completions.add(completion);
    }

    pub(super) fn rows_written(&self) -> usize {
        self.written
    }

    pub(super) fn node(&self, uid: &str, at: At) -> Option<Node> {
        let facts = self.facts.get(uid)?;
        Some(Current::of(facts, &self.completions, at)?.node())
    }

    pub(super) fn sets(&self, uid: &str, at: At) -> BTreeMap<String, (u64, UnixNanos, UnixNanos)> {
        let facts = self.facts.get(uid).map_or(&[][..], Vec::as_slice);
        let newest = newest_sets(facts, group::EDGES, &self.completions, at);
        newest
            .into_iter()
            .map(|(source, set)| (source.to_owned(), set))
            .collect()
    }

    pub(super) fn current(&self) -> State {
        let uids: BTreeSet<&String> = self.facts.keys().collect();
        let state = |uid: &String| {
            let sets = self.sets(uid, At::Now).into_iter();
            let sets = sets.map(|(source, (hash, ..))| (source, hash)).collect();
            (uid.clone(), (self.node(uid, At::Now), sets))
        };
        uids.into_iter().map(state).collect()
    }
}
