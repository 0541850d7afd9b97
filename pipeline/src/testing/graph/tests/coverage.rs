//! What the generated histories contain, so that no rule goes untested unnoticed.

use std::collections::BTreeMap;

use crate::claims::{By, Class, Existence, Removal, Report, SETTLE, STALE_AFTER};
use crate::graph_store::At;
use crate::testing::graph::History;
use crate::testing::graph::histories::time;

use super::reports::replay;

#[derive(Default)]
struct Found(BTreeMap<&'static str, usize>);

impl Found {
    /// Counts the histories in which it is so.
    fn note(&mut self, what: &'static str, is_so: bool) {
        *self.0.entry(what).or_default() += usize::from(is_so);
    }
}

fn any(history: &History, is_so: impl Fn(&Report) -> bool) -> bool {
    history.reports.iter().any(is_so)
}

/// Whether two different reports are so.
fn any_two(history: &History, are_so: impl Fn(&Report, &Report) -> bool) -> bool {
    let reports = &history.reports;
    let others = |one: &Report| {
        reports
            .iter()
            .any(|other| one != other && are_so(one, other))
    };
    reports.iter().any(others)
}

/// The source, scope and class of a completion, or of a row that has a scope.
fn scope(report: &Report) -> Option<(&str, &str, Class)> {
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

fn is_row(report: &Report, of: Class) -> bool {
    matches!(report, Report::Seen { class, by: By::Row, .. } if *class == of)
}

fn lists(report: &Report, uid: &str) -> Option<bool> {
    match report {
        Report::Completion { members, class, .. } if *class == Class::Actual => {
            Some(members.contains_key(uid))
        }
        _ => None,
    }
}

fn has_long_run(history: &History) -> bool {
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

/// Whether a scan that lists the uid began this long after a delete event.
fn listed_after_delete(history: &History, nanos: impl Fn(u64) -> bool) -> bool {
    any_two(history, |event, list| match event {
        Report::DeleteEvent { uid, time: at, .. } => {
            let after = time(list).0.checked_sub(at.0);
            lists(list, uid) == Some(true) && after.is_some_and(&nanos)
        }
        _ => false,
    })
}

/// Whether a scan without the uid began this long after a create event in its scope.
fn missed_after_create(history: &History, nanos: impl Fn(u64) -> bool) -> bool {
    any_two(history, |event, list| match event {
        Report::Seen {
            uid,
            class: Class::Created,
            scope: in_scope,
            ..
        } => {
            let after = time(list).0.checked_sub(time(event).0);
            let of_scope = scope(list).is_some_and(|(_, scope, _)| scope == in_scope);
            of_scope && lists(list, uid) == Some(false) && after.is_some_and(&nanos)
        }
        _ => false,
    })
}

fn note_reports(found: &mut Found, history: &History) {
    let settle = u64::try_from(SETTLE.as_nanos()).expect("minutes");
    let stale_after = u64::try_from(STALE_AFTER.as_nanos()).expect("a day");

    found.note("long run", has_long_run(history));
    found.note(
        "two sources with a scope of one name",
        any_two(history, |one, other| match (scope(one), scope(other)) {
            (Some(one), Some(other)) => one.0 != other.0 && one.1 == other.1,
            _ => false,
        }),
    );
    found.note(
        "scope below another",
        any_two(history, |row, scan| {
            let (Some(below), Some(above)) = (scope(row), scope(scan)) else {
                return false;
            };
            let is_below = below.1.starts_with(&format!("{}/", above.1));
            is_completion(scan) && below.0 == above.0 && is_below
        }),
    );
    found.note(
        "scan without completion",
        any(history, |row| {
            let is_of_scan = matches!(row, Report::Seen { by: By::Scan, .. });
            let mut reports = history.reports.iter().filter(|one| is_completion(one));
            is_of_scan && !reports.any(|one| time(one) == time(row) && scope(one) == scope(row))
        }),
    );
    found.note(
        "completion without rows",
        any(history, |one| match one {
            Report::Completion { members, .. } => {
                let mut reports = history.reports.iter().filter(|row| !is_completion(row));
                let has_row = reports.any(|row| time(one) == time(row) && scope(one) == scope(row));
                !members.is_empty() && !has_row
            }
            _ => false,
        }),
    );
    found.note(
        "refresh row at the time of a scan",
        any_two(history, |row, scan| {
            let is_refresh = is_row(row, Class::Actual);
            is_refresh
                && is_completion(scan)
                && time(row) == time(scan)
                && scope(row) == scope(scan)
        }),
    );
    found.note(
        "row and removal at one time",
        any_two(history, |row, removal| {
            let are_so = is_row(row, Class::Actual) && matches!(removal, Report::Removed { .. });
            are_so && time(row) == time(removal) && scope(row) == scope(removal)
        }),
    );
    found.note(
        "partial round",
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
    found.note(
        "unknown state of a member",
        any(history, |one| match one {
            Report::Completion { members, .. } => members.values().any(|state| *state == 0),
            _ => false,
        }),
    );
    found.note(
        "unknown state of a row",
        any(history, |one| matches!(one, Report::Seen { state: 0, .. })),
    );
    found.note(
        "listed within settle",
        listed_after_delete(history, |after| after < settle),
    );
    found.note(
        "listed at settle",
        listed_after_delete(history, |after| after == settle),
    );
    found.note(
        "missed within settle",
        missed_after_create(history, |after| after < settle),
    );
    found.note(
        "missed at settle",
        missed_after_create(history, |after| after == settle),
    );
    found.note(
        "missed after settle",
        missed_after_create(history, |after| after > settle),
    );
    found.note(
        "round of two states",
        any_two(history, |one, other| {
            let desired = |report| scope(report).is_some_and(|scope| scope.2 == Class::Desired);
            let are_scans = is_completion(one) && is_completion(other);
            are_scans && desired(one) && desired(other) && time(one) == time(other)
        }),
    );
    found.note(
        "two scopes a day apart",
        any_two(history, |one, other| {
            let are_scans = is_completion(one) && is_completion(other);
            are_scans && scope(one) != scope(other) && time(one).0 + stale_after == time(other).0
        }),
    );
    for (what, class, has_scope) in [
        ("telemetry", Class::Telemetry, false),
        ("health", Class::Health, false),
        ("edges with a scope", Class::Edges, true),
        ("edges without a scope", Class::Edges, false),
        ("aliases with a scope", Class::Aliases, true),
        ("aliases without a scope", Class::Aliases, false),
        ("created without a scope", Class::Created, false),
    ] {
        let is_so = |row: &Report| is_row(row, class) && scope(row).is_some() == has_scope;
        found.note(what, any(history, is_so));
    }
}

fn note_answers(found: &mut Found, history: &History) {
    let replay = replay(history.reports.clone());
    for uid in replay.uids() {
        let mut has_open = false;
        for (class, source, scope) in replay.keys(&uid) {
            let stretches = replay.stretches(&uid, class, &source, &scope);
            let is_open = stretches.last().is_some_and(|last| last.until.is_none());
            has_open |= is_open && class.is_lifecycle();
        }
        let existence = replay.existence(&uid, At::Now);
        found.note("exists", existence == Existence::Exists);
        found.note("unobserved", matches!(existence, Existence::Unobserved(_)));
        found.note("ended", matches!(existence, Existence::Ended(_)));
        found.note("unknown", existence == Existence::Unknown);
        found.note(
            "stale",
            has_open && matches!(existence, Existence::Ended(_)),
        );
    }
}

#[test]
fn generated_histories_contain_what_the_rules_are_about() {
    let mut found = Found::default();
    for seed in 0..60 {
        let history = History::generate(seed, 120);
        assert_eq!(history.reports.len(), 120);
        note_reports(&mut found, &history);
        note_answers(&mut found, &history);
    }
    let rare: Vec<_> = found.0.iter().filter(|(_, count)| **count < 3).collect();
    assert!(rare.is_empty(), "{rare:?} of {:#?}", found.0);
}
