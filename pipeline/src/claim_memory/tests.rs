//! Claims in memory are what the replay says.

use std::collections::{BTreeMap, BTreeSet};

use super::{HeldClaims, Scopes};
use crate::claims::{Class, Report, open_at, winner};
use crate::component::UnixNanos;
use crate::graph_store::At;
use crate::reports::ReportBatch;
use crate::testing::graph::{Batches, Replay, follows_the_replay};
use crate::uid;

/// Completions that a scope keeps, as a store does.
const WINDOW: usize = 16;

struct Memory {
    scopes: Scopes,
    claims: BTreeMap<u64, HeldClaims>,
}

impl Memory {
    fn take_in(&mut self, batch: &ReportBatch<'_>) {
        for report in batch.direct() {
            let claims = self.claims.entry(uid::hash(report.uid)).or_default();
            self.scopes.report(claims, &report);
        }
        let mut completions: Vec<_> = batch.completions.iter().collect();
        completions.sort_by_key(|completion| completion.began);
        for completion in completions {
            for hash in self.scopes.complete(completion) {
                if let Some(claims) = self.claims.get_mut(&hash) {
                    self.scopes.apply(hash, claims, completion);
                }
            }
        }
    }
}

fn run(reports: &[Report], batches: Batches, times: &[UnixNanos]) -> Result<(), String> {
    let mut memory = Memory {
        scopes: Scopes::new(WINDOW),
        claims: BTreeMap::new(),
    };
    let mut replay = Replay::new();
    for reports in reports.chunks(batches.0.max(1)) {
        memory.take_in(&ReportBatch::of_reports(reports));
        reports
            .iter()
            .for_each(|report| replay.push(report.clone()));
    }
    let around = times
        .iter()
        .flat_map(|time| [time.0.saturating_sub(1), time.0, time.0 + 1]);
    let moments = around.map(|time| At::Time(UnixNanos(time)));
    let moments: Vec<At> = [At::Now].into_iter().chain(moments).collect();
    for uid in replay.uids() {
        let empty = HeldClaims::default();
        let held = memory.claims.get(&uid::hash(&uid)).unwrap_or(&empty);
        let claims = held.to_claims(&memory.scopes);
        for at in &moments {
            let expected = replay.existence(&uid, *at);
            let found = held.existence(&memory.scopes, *at);
            if expected != found {
                return Err(format!("{uid} at {at:?}: {expected:?}, found {found:?}"));
            }
            for class in Class::ALL {
                let expected = replay.value(&uid, class, *at);
                let found = winner(&claims, class, *at).map(|(claim, stretch)| {
                    let words = [&claim.key.source, &claim.key.scope].map(ToString::to_string);
                    let [source, scope] = words;
                    (source, scope, stretch.state)
                });
                if expected != found {
                    return Err(format!(
                        "{class:?} of {uid} at {at:?}: {expected:?}, found {found:?}"
                    ));
                }
            }
            let expected = replay.snapshots(&uid, *at);
            let with_snapshots =
                |class| !matches!(class, Class::Created | Class::Telemetry | Class::Health);
            let found: BTreeSet<_> = open_at(&claims, *at)
                .filter(|(claim, _)| with_snapshots(claim.key.class))
                .map(|(claim, stretch)| {
                    let words = [&claim.key.source, &claim.key.scope].map(ToString::to_string);
                    let [source, scope] = words;
                    (source, scope, stretch.state)
                })
                .collect();
            if expected != found {
                return Err(format!(
                    "snapshots of {uid} at {at:?}: {expected:?}, found {found:?}"
                ));
            }
        }
    }
    Ok(())
}

#[test]
fn claims_in_memory_are_what_the_replay_says() {
    follows_the_replay(0..150, 60, run).unwrap_or_else(|error| panic!("{error}"));
}
