//! Compares claims in memory with the replay, which evaluates all reports again for each read.

use std::collections::{BTreeMap, BTreeSet};

use super::{ClaimScopes, MemoryClaims};
use crate::claims::{
    Claim, ClaimClass, ClaimInterval, Existence, PointKind, Removal, Report, ReportPoint,
    ReportedBy, open_at, winner,
};
use crate::reports::{DirectReport, ReportBatch};
use crate::testing::graph::{
    Replay, ReportsPerBatch, SourceState, UidReads, check_generated_histories, compare_reads,
    moments_around,
};
use crate::uid;
use crate::unix_nanos::{AsOf, UnixNanos};

/// The number of completions that a scope keeps, as in a store.
const WINDOW: usize = 16;

struct Memory {
    scopes: ClaimScopes,
    claims: BTreeMap<u64, MemoryClaims>,
}

impl Memory {
    fn apply(&mut self, batch: &ReportBatch<'_>) {
        for report in batch.direct_reports() {
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

/// The claims of one uid in memory.
struct UidClaims<'m> {
    claims: &'m MemoryClaims,
    scopes: &'m ClaimScopes,
    /// The same claims, converted to those of the rules.
    all: Vec<Claim>,
}

impl UidReads for UidClaims<'_> {
    fn existence(&self, at: AsOf) -> Existence {
        self.claims.existence(self.scopes, at)
    }

    fn value(&self, class: ClaimClass, at: AsOf) -> Option<SourceState> {
        winner(&self.all, class, at).map(source_state)
    }

    fn snapshots(&self, at: AsOf) -> BTreeSet<SourceState> {
        let open = open_at(&self.all, at).filter(|(claim, _)| {
            !matches!(
                claim.key.class,
                ClaimClass::Created | ClaimClass::Telemetry | ClaimClass::Health
            )
        });
        open.map(source_state).collect()
    }
}

fn source_state((claim, interval): (&Claim, &ClaimInterval)) -> SourceState {
    let [source, scope] = [&claim.key.source, &claim.key.scope].map(ToString::to_string);
    (source, scope, interval.state)
}

fn run(reports: &[Report], batches: ReportsPerBatch, times: &[UnixNanos]) -> Result<(), String> {
    let mut memory = Memory {
        scopes: ClaimScopes::new(WINDOW),
        claims: BTreeMap::new(),
    };
    let mut replay = Replay::new();
    for reports in reports.chunks(batches.0.max(1)) {
        memory.apply(&ReportBatch::from_reports(reports));
        reports
            .iter()
            .for_each(|report| replay.push(report.clone()));
    }
    let moments = moments_around(times);
    let mut differences = String::new();
    for uid in replay.uids() {
        let empty = MemoryClaims::default();
        let claims = memory.claims.get(&uid::hash(&uid)).unwrap_or(&empty);
        let reads = UidClaims {
            claims,
            scopes: &memory.scopes,
            all: claims.to_claims(&memory.scopes),
        };
        differences += &compare_reads(&replay, &uid, &reads, &moments);
    }
    match differences.is_empty() {
        true => Ok(()),
        false => Err(differences),
    }
}

#[test]
fn claims_in_memory_equal_the_replay() {
    check_generated_histories(0..150, 60, run).unwrap_or_else(|error| panic!("{error}"));
}

const HOUR: u64 = 60 * 60 * 1_000_000_000;

/// Restores a claim that is open since hour 1 and was last confirmed at the hour `seen`. Then applies reports, each
/// with its scope and hour, and returns the existence of the uid.
fn existence_after(seen: u64, reports: &[(&str, u64, PointKind)]) -> Existence {
    let mut scopes = ClaimScopes::new(WINDOW);
    let mut claims = MemoryClaims::<()>::default();
    let key = (ClaimClass::Actual, "aws", "s");
    let states = [(UnixNanos(HOUR), 7)];
    scopes.restore("u", &mut claims, key, states, UnixNanos(seen * HOUR));
    for (scope, hour, kind) in reports {
        let report = DirectReport {
            uid: "u",
            class: ClaimClass::Actual,
            source: "aws",
            scope,
            point: ReportPoint {
                time: UnixNanos(hour * HOUR),
                kind: *kind,
            },
        };
        scopes.report(&mut claims, &report);
    }
    claims.existence(&scopes, AsOf::Now)
}

#[test]
fn the_last_confirmation_of_a_restored_claim_counts_as_a_sighting() {
    let sighting = PointKind::Seen {
        state: 9,
        by: ReportedBy::Scan,
    };
    let elsewhere = [
        ("t", 2, sighting),
        ("t", 80, PointKind::Removed(Removal::Deleted)),
    ];
    assert_eq!(existence_after(79, &elsewhere), Existence::Exists);
    let ended = Existence::Ended(UnixNanos(80 * HOUR));
    assert_eq!(existence_after(40, &elsewhere), ended, "the claim is stale");
    assert_eq!(existence_after(0, &elsewhere), ended);
    // A removal from before the last confirmation is late.
    let own = [("s", 30, PointKind::Removed(Removal::Deleted))];
    assert_eq!(existence_after(40, &own), Existence::Exists);
    let ended = Existence::Ended(UnixNanos(30 * HOUR));
    assert_eq!(existence_after(20, &own), ended);
    let late = [("s", 30, sighting), elsewhere[0], elsewhere[1]];
    assert_eq!(existence_after(79, &late), Existence::Exists);
}

#[test]
fn a_scan_with_a_future_time_is_ignored_until_that_time() {
    let mut memory = Memory {
        scopes: ClaimScopes::new(4),
        claims: BTreeMap::new(),
    };
    let mut scan = |clock: u64, new: Option<&str>, seen: &[&str]| {
        let time = UnixNanos(clock * HOUR);
        let rows = new.into_iter().map(|uid| Report::Seen {
            uid: uid.to_owned(),
            class: ClaimClass::Actual,
            source: "aws".to_owned(),
            scope: "s".to_owned(),
            time,
            state: 1,
            by: ReportedBy::Scan,
        });
        let completion = Report::Completion {
            source: "aws".to_owned(),
            scope: "s".to_owned(),
            class: ClaimClass::Actual,
            began: time,
            members: seen.iter().map(|uid| ((*uid).to_owned(), 1)).collect(),
            miss: Removal::Deleted,
        };
        let reports: Vec<Report> = rows.chain([completion]).collect();
        let mut batch = ReportBatch::from_reports(&reports);
        batch.now = Some(time);
        memory.scopes.set_clock(batch.now);
        memory.apply(&batch);
        ["old", "new"].map(|uid| {
            let claims = memory.claims.get(&uid::hash(uid));
            claims.is_some_and(|claims| {
                claims.existence(&memory.scopes, AsOf::Now) == Existence::Exists
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
