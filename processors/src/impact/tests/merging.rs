//! What is held is what the facts say, whatever the order in which they come.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pipeline::Batch;
use pipeline::component::UnixNanos;
use pipeline::facts::{Completions, Current, Fact, Run, Told, group, newest_sets};
use pipeline::graph_store::At;
use proptest::prelude::*;

use super::super::graph::Graph;
use super::telling::{edge_set, fact, scan};

const UIDS: [&str; 4] = ["sg", "i-1", "i-2", "pod"];
const NOW: UnixNanos = UnixNanos(u64::MAX);

/// What is told at a second; uids by their place.
#[derive(Clone, Debug)]
enum Telling {
    Scan(u64, Vec<bool>),
    Deleted(usize, u64),
    Created(usize, u64),
    Telemetry(usize, u64),
    Edges(usize, u64, Option<usize>),
}

impl Telling {
    fn batch(&self) -> Batch {
        match self {
            Telling::Scan(began, seen) => {
                let seen = UIDS.iter().zip(seen).filter(|(_, seen)| **seen);
                let seen: Vec<_> = seen.map(|(uid, _)| (*uid, "thing")).collect();
                scan("scope", *began, &seen)
            }
            Telling::Deleted(uid, time) => fact(UIDS[*uid], "lifecycle", "deleted", "thing", *time),
            Telling::Created(uid, time) => {
                fact(UIDS[*uid], "lifecycle", "observed", "thing", *time)
            }
            Telling::Telemetry(uid, time) => {
                fact(UIDS[*uid], "telemetry", "observed", "thing", *time)
            }
            Telling::Edges(uid, time, None) => edge_set(UIDS[*uid], *time, &[]),
            Telling::Edges(uid, time, Some(to)) => {
                let ends = [("SECURED_BY", UIDS[*to]), ("PART_OF", "vpc")];
                edge_set(UIDS[*uid], *time, &ends)
            }
        }
    }
}

fn history() -> impl Strategy<Value = Vec<Telling>> {
    let seen = proptest::collection::vec(any::<bool>(), UIDS.len());
    let scans = proptest::collection::btree_map(0..20u64, seen, 0..5);
    let (uid, time) = (|| 0..UIDS.len(), || 0..20u64);
    let event = prop_oneof![
        (uid(), time()).prop_map(|(uid, time)| Telling::Deleted(uid, time)),
        (uid(), time()).prop_map(|(uid, time)| Telling::Created(uid, time)),
        (uid(), time()).prop_map(|(uid, time)| Telling::Telemetry(uid, time)),
        (uid(), time(), proptest::option::of(uid()))
            .prop_map(|(uid, time, to)| Telling::Edges(uid, time, to)),
    ];
    let events = proptest::collection::vec(event, 0..10);
    (scans, events).prop_map(|(scans, mut told)| {
        let scans = scans.into_iter();
        told.extend(scans.map(|(began, seen)| Telling::Scan(began, seen)));
        told
    })
}

/// Of each uid whether it has ended, and its edges.
type State = BTreeMap<&'static str, (bool, BTreeSet<String>)>;

fn held(told: &[Batch]) -> State {
    let mut graph = Graph::new(100, Duration::ZERO);
    for batch in told {
        graph.tell(&Told::of(batch, NOW));
    }
    let state = UIDS.map(|uid| {
        let Some(id) = graph.find(uid) else {
            return (uid, (false, BTreeSet::new()));
        };
        let mut edges = BTreeSet::new();
        graph.edges_from(id, NOW, &mut |kind, to, _| {
            edges.insert(format!("{kind} {}", graph.uid(to)));
            let mut back = false;
            graph.edges_to(to, NOW, &mut |_, from, _| back |= from == id);
            assert!(back, "it is found from its other end");
        });
        (uid, (!graph.is_alive(id), edges))
    });
    state.into_iter().collect()
}

/// The same, by the facts.
fn said(told: &[Batch]) -> State {
    let told: Vec<Told<'_>> = told.iter().map(|batch| Told::of(batch, NOW)).collect();
    let mut facts: BTreeMap<String, Vec<Fact<'_>>> = BTreeMap::new();
    let mut completions = Completions::default();
    let mut edges: BTreeMap<(String, u64), BTreeSet<String>> = BTreeMap::new();
    for told in &told {
        for fact in &told.facts {
            let of = facts.entry(fact.uid.to_string()).or_default();
            let key = |fact: &Fact<'_>| {
                let words = [&fact.group, &fact.source, &fact.scope].map(ToString::to_string);
                (words, fact.hash)
            };
            match of.iter_mut().find(|known| key(known) == key(fact)) {
                Some(known) => {
                    known.first_seen = known.first_seen.min(fact.first_seen);
                    known.last_seen = known.last_seen.max(fact.last_seen);
                }
                None => of.push(fact.clone()),
            }
        }
        for told in &told.completions {
            let scan = (told.scope.clone(), told.source.clone(), told.group.clone());
            let run = Run {
                first: told.began,
                last: told.began,
                scans: vec![told.began],
                members: told.members.hash(),
            };
            completions.add(scan, &run, told.members.clone());
        }
        for relation in &told.relations {
            let set = edges.entry((relation.uid.to_string(), relation.set));
            let edge = format!("{} {}", relation.kind, relation.to);
            set.or_default().insert(edge);
        }
    }
    let state = UIDS.map(|uid| {
        let facts = facts.get(uid).map_or(&[][..], Vec::as_slice);
        let current = Current::of(facts, &completions, At::Now);
        let sets = newest_sets(facts, group::EDGES, &completions, At::Now);
        let of_sets = sets.values().filter_map(|(hash, ..)| {
            let set = edges.get(&(uid.to_owned(), *hash))?;
            Some(
                set.iter()
                    .filter(|edge| !edge.ends_with(&format!(" {uid}"))),
            )
        });
        let ended = current.is_some_and(|current| current.ended.is_some());
        (uid, (ended, of_sets.flatten().cloned().collect()))
    });
    state.into_iter().collect()
}

proptest! {
    #[test]
    fn the_graph_in_memory_is_what_the_facts_say(
        (told, shuffled) in history().prop_flat_map(|told| (Just(told.clone()), Just(told).prop_shuffle())),
    ) {
        let batches = |told: &[Telling]| told.iter().map(Telling::batch).collect::<Vec<_>>();
        let expected = said(&batches(&told));
        prop_assert_eq!(&held(&batches(&told)), &expected);
        prop_assert_eq!(&held(&batches(&shuffled)), &expected);
    }
}
