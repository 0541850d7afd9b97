//! Histories of a small cloud: scans that complete, events, telemetry.

use proptest::collection::vec;
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::super::{Completion, Fact, group};
use super::{EXISTS, fact, scan};

#[derive(Clone, Debug)]
pub(super) enum Telling {
    /// And whether a completion will vouch for it.
    Fact(Box<Fact<'static>>, bool),
    Completion(Completion),
}

const UIDS: [&str; 4] = ["vpc", "sg", "i-1", "i-2"];
const SCOPES: [&str; 2] = ["instances", "groups"];

/// What one scan found: its scope, when it began, and in which state it saw what.
pub(super) type Scanned = (usize, u64, Vec<Option<u64>>);

/// Scans of one scope begin at different times, and each tells all that it says.
fn scans() -> impl Strategy<Value = Vec<Scanned>> {
    let found = vec(proptest::option::of(2..5u64), UIDS.len());
    vec((0..SCOPES.len(), 0..30u64, found), 0..8).prop_map(|mut scans| {
        scans.sort_by_key(|(scope, began, _)| (*scope, *began));
        scans.dedup_by_key(|(scope, began, _)| (*scope, *began));
        scans
    })
}

pub(super) fn told_by((scope, began, found): &Scanned, uids: &[&str]) -> Vec<Telling> {
    let scope = SCOPES[*scope];
    let members = uids.iter().zip(found);
    let members: Vec<(&str, u64)> = members
        .filter_map(|(uid, state)| Some((*uid, (*state)?)))
        .collect();
    let facts = members.iter().flat_map(|(uid, state)| {
        [
            fact(uid, group::LIFECYCLE, "aws", scope, EXISTS, *began),
            fact(uid, group::ACTUAL, "aws", scope, *state, *began),
            fact(uid, group::EDGES, "aws", "", *state, *began),
        ]
    });
    let mut told: Vec<Telling> = facts
        .map(|fact| Telling::Fact(Box::new(fact), true))
        .collect();
    told.push(Telling::Completion(scan(scope, *began, &members)));
    told
}

/// Creations and deletions by events, late telemetry, what another source says.
fn events() -> impl Strategy<Value = Vec<Telling>> {
    let event = (0..UIDS.len(), 0..6usize, 0..4u64, 0..30u64);
    vec(
        event.prop_map(|(uid, what, hash, time)| {
            let (group, source, scope, hash) = match what {
                0 => (group::LIFECYCLE, "trail", "", hash.min(1) * EXISTS),
                1 => (group::ACTUAL, "trail", "", hash + 2),
                2 => (group::TELEMETRY, "otlp", "", hash + 2),
                3 => (group::EDGES, "otlp", "", hash + 2),
                // What scans see, too, said by their source between them.
                4 => (group::LIFECYCLE, "aws", SCOPES[uid % 2], Fact::TOMBSTONE),
                _ => (group::EDGES, "aws", "", hash + 2),
            };
            let fact = fact(UIDS[uid], group, source, scope, hash, time);
            Telling::Fact(Box::new(fact), false)
        }),
        0..12,
    )
}

pub(super) fn histories() -> impl Strategy<Value = Vec<Telling>> {
    (scans(), events()).prop_map(|(scans, events)| {
        let mut told: Vec<Telling> = scans.iter().flat_map(|scan| told_by(scan, &UIDS)).collect();
        told.extend(events);
        told
    })
}

pub(super) fn shuffled(told: &[Telling], seed: u64) -> Vec<Telling> {
    let mut told = told.to_vec();
    told.shuffle(&mut StdRng::seed_from_u64(seed));
    told
}
