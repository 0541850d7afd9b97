//! The smallest store: facts in a map, merged as every store does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::{
    Completion, Completions, Current, Fact, Known, Members, Novelty, Run, group, newest_sets,
};
use super::history::Telling;
use crate::component::UnixNanos;
use crate::graph_store::{At, Node};

#[derive(Default)]
pub(super) struct Memory {
    facts: BTreeMap<String, Vec<Fact<'static>>>,
    known: Known,
    runs: BTreeMap<(String, String, String), Vec<Run>>,
    members: BTreeMap<u64, Arc<Members>>,
    written: usize,
}

/// All that is current: nodes without the times of what merely repeats, and sets by their source.
pub(super) type State = BTreeMap<String, (Option<Node>, BTreeMap<String, u64>)>;

impl Memory {
    pub(super) fn tell(&mut self, telling: &Telling) {
        match telling {
            Telling::Fact(fact, scanned) => self.write(fact.as_ref().clone(), *scanned),
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

    pub(super) fn complete(&mut self, told: Completion) {
        let members = told.members.hash();
        self.members.insert(members, told.members);
        let runs = self
            .runs
            .entry((told.scope, told.source, told.group))
            .or_default();
        let recorded = Run::record(runs, told.began, members);
        runs.retain(|run| !recorded.removed.contains(run));
        self.written += recorded.added.len();
        runs.extend(recorded.added);
    }

    fn completions(&self) -> Completions {
        let mut completions = Completions::default();
        for (scan, runs) in &self.runs {
            for run in runs {
                completions.add(scan.clone(), run, self.members[&run.members].clone());
            }
        }
        completions
    }

    pub(super) fn rows_written(&self) -> usize {
        self.written
    }

    pub(super) fn node(&self, uid: &str, at: At) -> Option<Node> {
        let facts = self.facts.get(uid)?;
        Some(Current::of(facts, &self.completions(), at)?.node())
    }

    pub(super) fn sets(&self, uid: &str, at: At) -> BTreeMap<String, (u64, UnixNanos, UnixNanos)> {
        let facts = self.facts.get(uid).map_or(&[][..], Vec::as_slice);
        let newest = newest_sets(facts, group::EDGES, &self.completions(), at);
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
