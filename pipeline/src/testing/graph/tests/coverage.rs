//! Checks that generated histories contain every case that the claim rules distinguish.

use std::collections::BTreeMap;

use crate::claims::{ClaimClass, Existence, Removal, Report, ReportedBy, SETTLE, STALE_AFTER};
use crate::graph_store::AsOf;
use crate::testing::graph::ReportHistory;

use super::reports::replay;

/// How often the generated histories contain each case.
#[derive(Default)]
struct CaseCounts(BTreeMap<&'static str, usize>);

impl CaseCounts {
    /// Adds 1 to the count of a case if `is_contained`.
    fn add(&mut self, case: &'static str, is_contained: bool) {
        *self.0.entry(case).or_default() += usize::from(is_contained);
    }
}

fn any(history: &ReportHistory, fits: impl Fn(&Report) -> bool) -> bool {
    history.reports.iter().any(fits)
}

/// Whether the history has two different reports, in any order, for which `fits` is true.
fn any_two(history: &ReportHistory, fits: impl Fn(&Report, &Report) -> bool) -> bool {
    let reports = &history.reports;
    let others = |one: &Report| reports.iter().any(|other| one != other && fits(one, other));
    reports.iter().any(others)
}

/// The source, scope and class of a completion, or of a row or removal that has a scope.
fn scope(report: &Report) -> Option<(&str, &str, ClaimClass)> {
    match report {
        Report::Completion {
            source,
            scope,
            class,
            ..
        }
        | Report::Removed {
            source,
            scope,
            class,
            ..
        }
        | Report::Seen {
            source,
            scope,
            class,
            ..
        } => (!scope.is_empty()).then_some((source, scope, *class)),
        Report::DeleteEvent { .. } => None,
    }
}

fn is_completion(report: &Report) -> bool {
    matches!(report, Report::Completion { .. })
}

fn is_row(report: &Report, expected: ClaimClass) -> bool {
    matches!(report, Report::Seen { class, by: ReportedBy::Row, .. } if *class == expected)
}

/// Whether a completion of class `Actual` lists the uid; `None` for all other reports.
fn lists(report: &Report, uid: &str) -> Option<bool> {
    match report {
        Report::Completion { members, class, .. } if *class == ClaimClass::Actual => {
            Some(members.contains_key(uid))
        }
        _ => None,
    }
}

/// Whether a scope has more than 20 consecutive completions with the same members.
fn has_long_run(history: &ReportHistory) -> bool {
    let mut runs: BTreeMap<_, (usize, &BTreeMap<String, u64>)> = BTreeMap::new();
    for report in &history.reports {
        let (Some(scope), Report::Completion { members, .. }) = (scope(report), report) else {
            continue;
        };
        let run = runs.entry(scope).or_insert((0, members));
        *run = if run.1 == members {
            (run.0 + 1, members)
        } else {
            (1, members)
        };
        if run.0 > 20 {
            return true;
        }
    }
    false
}

/// Whether, after a delete event, a scan began that still lists the uid, at a time after the event for which `fits` is
/// true.
fn listed_after_delete(history: &ReportHistory, fits: impl Fn(u64) -> bool) -> bool {
    any_two(history, |event, list| match event {
        Report::DeleteEvent { uid, time: at, .. } => {
            let after = list.time().0.checked_sub(at.0);
            lists(list, uid) == Some(true) && after.is_some_and(&fits)
        }
        _ => false,
    })
}

/// Whether, after a create event, a scan of the same scope began that does not list the uid, at a time after the event
/// for which `fits` is true.
fn missed_after_create(history: &ReportHistory, fits: impl Fn(u64) -> bool) -> bool {
    any_two(history, |event, list| match event {
        Report::Seen {
            uid,
            class: ClaimClass::Created,
            scope: in_scope,
            ..
        } => {
            let after = list.time().0.checked_sub(event.time().0);
            let is_same_scope = scope(list).is_some_and(|(_, scope, _)| scope == in_scope);
            is_same_scope && lists(list, uid) == Some(false) && after.is_some_and(&fits)
        }
        _ => false,
    })
}

/// Counts the cases that follow from the reports alone.
fn count_cases_of_reports(counts: &mut CaseCounts, history: &ReportHistory) {
    let settle = u64::try_from(SETTLE.as_nanos()).expect("minutes");
    let stale_after = u64::try_from(STALE_AFTER.as_nanos()).expect("a day");

    counts.add("long run", has_long_run(history));
    counts.add(
        "two sources with scopes of the same name",
        any_two(history, |one, other| match (scope(one), scope(other)) {
            (Some(one), Some(other)) => one.0 != other.0 && one.1 == other.1,
            _ => false,
        }),
    );
    counts.add(
        "scope below another",
        any_two(history, |row, scan| {
            let (Some(below), Some(above)) = (scope(row), scope(scan)) else {
                return false;
            };
            let is_below = below.1.starts_with(&format!("{}/", above.1));
            is_completion(scan) && below.0 == above.0 && is_below
        }),
    );
    counts.add(
        "scan without completion",
        any(history, |row| {
            let is_scan_row = matches!(
                row,
                Report::Seen {
                    by: ReportedBy::Scan,
                    ..
                }
            );
            let mut reports = history.reports.iter().filter(|one| is_completion(one));
            is_scan_row && !reports.any(|one| one.time() == row.time() && scope(one) == scope(row))
        }),
    );
    counts.add(
        "completion without rows",
        any(history, |one| match one {
            Report::Completion { members, .. } => {
                let mut reports = history.reports.iter().filter(|row| !is_completion(row));
                let has_row =
                    reports.any(|row| one.time() == row.time() && scope(one) == scope(row));
                !members.is_empty() && !has_row
            }
            _ => false,
        }),
    );
    counts.add(
        "refresh row at the time of a scan",
        any_two(history, |row, scan| {
            let is_refresh = is_row(row, ClaimClass::Actual);
            is_refresh
                && is_completion(scan)
                && row.time() == scan.time()
                && scope(row) == scope(scan)
        }),
    );
    counts.add(
        "row and removal at the same time",
        any_two(history, |row, removal| {
            let fits = is_row(row, ClaimClass::Actual) && matches!(removal, Report::Removed { .. });
            fits && row.time() == removal.time() && scope(row) == scope(removal)
        }),
    );
    counts.add(
        "partial scan",
        any(history, |one| {
            matches!(
                one,
                Report::Completion {
                    miss: Removal::Released,
                    ..
                }
            )
        }),
    );
    counts.add(
        "unknown state of a member",
        any(history, |one| match one {
            Report::Completion { members, .. } => members.values().any(|state| *state == 0),
            _ => false,
        }),
    );
    counts.add(
        "unknown state of a row",
        any(history, |one| matches!(one, Report::Seen { state: 0, .. })),
    );
    counts.add(
        "listed within settle",
        listed_after_delete(history, |after| after < settle),
    );
    counts.add(
        "listed at settle",
        listed_after_delete(history, |after| after == settle),
    );
    counts.add(
        "missed within settle",
        missed_after_create(history, |after| after < settle),
    );
    counts.add(
        "missed at settle",
        missed_after_create(history, |after| after == settle),
    );
    counts.add(
        "missed after settle",
        missed_after_create(history, |after| after > settle),
    );
    counts.add(
        "two states scanned at the same time",
        any_two(history, |one, other| {
            let desired =
                |report| scope(report).is_some_and(|scope| scope.2 == ClaimClass::Desired);
            let are_scans = is_completion(one) && is_completion(other);
            are_scans && desired(one) && desired(other) && one.time() == other.time()
        }),
    );
    counts.add(
        "two scopes a day apart",
        any_two(history, |one, other| {
            let are_scans = is_completion(one) && is_completion(other);
            are_scans && scope(one) != scope(other) && one.time().0 + stale_after == other.time().0
        }),
    );
    for (case, class, has_scope) in [
        ("telemetry", ClaimClass::Telemetry, false),
        ("health", ClaimClass::Health, false),
        ("edges with a scope", ClaimClass::Edges, true),
        ("edges without a scope", ClaimClass::Edges, false),
        ("aliases with a scope", ClaimClass::Aliases, true),
        ("aliases without a scope", ClaimClass::Aliases, false),
        ("created without a scope", ClaimClass::Created, false),
    ] {
        let fits = |row: &Report| is_row(row, class) && scope(row).is_some() == has_scope;
        counts.add(case, any(history, fits));
    }
}

/// Counts the uids of a history by their existence now, and the uids with a stale claim.
fn count_existences(counts: &mut CaseCounts, history: &ReportHistory) {
    let replay = replay(history.reports.clone());
    for uid in replay.uids() {
        let mut has_open = false;
        for (class, source, scope) in replay.keys(&uid) {
            let intervals = replay.intervals(&uid, class, &source, &scope);
            let is_open = intervals.last().is_some_and(|last| last.until.is_none());
            has_open |= is_open && class.is_lifecycle();
        }
        let existence = replay.existence(&uid, AsOf::Now);
        counts.add("exists", existence == Existence::Exists);
        counts.add("unobserved", matches!(existence, Existence::Unobserved(_)));
        counts.add("ended", matches!(existence, Existence::Ended(_)));
        counts.add("unknown", existence == Existence::Unknown);
        counts.add(
            "stale",
            has_open && matches!(existence, Existence::Ended(_)),
        );
    }
}

#[test]
fn generated_histories_contain_every_case() {
    let mut counts = CaseCounts::default();
    for seed in 0..60 {
        let history = ReportHistory::generate(seed, 120);
        assert_eq!(history.reports.len(), 120);
        count_cases_of_reports(&mut counts, &history);
        count_existences(&mut counts, &history);
    }
    let rare: Vec<_> = counts.0.iter().filter(|(_, count)| **count < 3).collect();
    assert!(rare.is_empty(), "{rare:?} of {:#?}", counts.0);
}
