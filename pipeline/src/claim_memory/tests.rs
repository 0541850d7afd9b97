//! Claims in memory are what the replay says.

use std::collections::{BTreeMap, BTreeSet};

use super::{HeldClaims, Scopes};
use crate::claims::{By, Class, Existence, Point, Removal, Report, What, open_at, winner};
use crate::component::UnixNanos;
use crate::graph_store::At;
use crate::reports::{DirectReport, ReportBatch};
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

const HOUR: u64 = 60 * 60 * 1_000_000_000;

/// A claim that a store has open since hour 1, and last confirmed at an hour; then what is reported of it
/// in a scope at an hour.
fn restored(seen: u64, reports: &[(&str, u64, What)]) -> Existence {
    let mut scopes = Scopes::new(WINDOW);
    let mut claims = HeldClaims::<()>::default();
    let key = (Class::Actual, "aws", "s");
    let states = [(UnixNanos(HOUR), 7)];
    scopes.restore("u", &mut claims, key, states, UnixNanos(seen * HOUR));
    for (scope, hour, what) in reports {
        let report = DirectReport {
            uid: "u",
            class: Class::Actual,
            source: "aws",
            scope,
            point: Point {
                time: UnixNanos(hour * HOUR),
                what: *what,
            },
        };
        scopes.report(&mut claims, &report);
    }
    claims.existence(&scopes, At::Now)
}

#[test]
fn a_restored_claim_is_as_fresh_as_the_store_says() {
    let sighting = What::Seen {
        state: 9,
        by: By::Scan,
    };
    let elsewhere = [
        ("t", 2, sighting),
        ("t", 80, What::Removed(Removal::Deleted)),
    ];
    assert_eq!(restored(79, &elsewhere), Existence::Exists);
    let ended = Existence::Ended(UnixNanos(80 * HOUR));
    assert_eq!(restored(40, &elsewhere), ended, "it is stale");
    assert_eq!(restored(0, &elsewhere), ended);
    // What is older than the last confirmation is late.
    let own = [("s", 30, What::Removed(Removal::Deleted))];
    assert_eq!(restored(40, &own), Existence::Exists);
    let ended = Existence::Ended(UnixNanos(30 * HOUR));
    assert_eq!(restored(20, &own), ended);
    let late = [("s", 30, sighting), elsewhere[0], elsewhere[1]];
    assert_eq!(restored(79, &late), Existence::Exists);
}

#[test]
fn scans_that_a_clock_dated_ahead_have_not_happened_yet() {
    let mut memory = Memory {
        scopes: Scopes::new(4),
        claims: BTreeMap::new(),
    };
    let mut scan = |clock: u64, new: Option<&str>, seen: &[&str]| {
        let time = UnixNanos(clock * HOUR);
        let rows = new.into_iter().map(|uid| Report::Seen {
            uid: uid.to_owned(),
            class: Class::Actual,
            source: "aws".to_owned(),
            scope: "s".to_owned(),
            time,
            state: 1,
            by: By::Scan,
        });
        let completion = Report::Completion {
            source: "aws".to_owned(),
            scope: "s".to_owned(),
            class: Class::Actual,
            began: time,
            members: seen.iter().map(|uid| ((*uid).to_owned(), 1)).collect(),
            miss: Removal::Deleted,
        };
        let reports: Vec<Report> = rows.chain([completion]).collect();
        let mut batch = ReportBatch::of_reports(&reports);
        batch.now = Some(time);
        memory.scopes.set_clock(batch.now);
        memory.take_in(&batch);
        ["old", "new"].map(|uid| {
            let claims = memory.claims.get(&uid::hash(uid));
            claims.is_some_and(|claims| {
                claims.existence(&memory.scopes, At::Now) == Existence::Exists
            })
        })
    };
    assert_eq!(scan(1, Some("old"), &["old"]), [true, false]);
    for clock in 30..36 {
        assert_eq!(scan(clock, None, &["old"]), [true, false]);
    }
    assert_eq!(scan(7, Some("new"), &["old", "new"]), [true, true]);
    assert_eq!(scan(8, None, &["old", "new"]), [true, true]);
    assert_eq!(scan(9, None, &["new"]), [false, true]);
}
