//! Builds reports about the uid `u`, and the answers that tests expect. Times are minutes after a fixed time.

use std::collections::BTreeMap;

use crate::claims::{ClaimClass, Existence, Removal, Report, ReportedBy};
use crate::component::UnixNanos;
use crate::graph_store::AsOf;
use crate::testing::graph::{Replay, ReplayInterval};

const MINUTE: u64 = 60_000_000_000;

pub(super) fn at(minute: u64) -> UnixNanos {
    UnixNanos(1_700_000_000_000_000_000 + minute * MINUTE)
}

/// A completion that lists these members with state 1 and deletes all others.
pub(super) fn scan(source: &str, scope: &str, minute: u64, members: &[&str]) -> Report {
    completion(source, scope, minute, members, Removal::Deleted)
}

/// A completion that lists these members with state 1.
pub(super) fn completion(
    source: &str,
    scope: &str,
    minute: u64,
    members: &[&str],
    miss: Removal,
) -> Report {
    let members = members.iter().map(|uid| ((*uid).to_owned(), 1));
    Report::Completion {
        source: source.to_owned(),
        scope: scope.to_owned(),
        class: ClaimClass::Actual,
        began: at(minute),
        members: members.collect::<BTreeMap<String, u64>>(),
        miss,
    }
}

/// A completion of class `Desired`: a Terraform state with these members.
pub(super) fn state_file(scope: &str, minute: u64, members: &[&str]) -> Report {
    let mut report = scan("terraform", scope, minute, members);
    if let Report::Completion { class, .. } = &mut report {
        *class = ClaimClass::Desired;
    }
    report
}

pub(super) fn seen(
    class: ClaimClass,
    source: &str,
    scope: &str,
    minute: u64,
    state: u64,
) -> Report {
    Report::Seen {
        uid: "u".to_owned(),
        class,
        source: source.to_owned(),
        scope: scope.to_owned(),
        time: at(minute),
        state,
        by: ReportedBy::Row,
    }
}

pub(super) fn row(source: &str, scope: &str, minute: u64, state: u64) -> Report {
    seen(ClaimClass::Actual, source, scope, minute, state)
}

pub(super) fn created(source: &str, scope: &str, minute: u64) -> Report {
    seen(ClaimClass::Created, source, scope, minute, 1)
}

pub(super) fn removed(source: &str, scope: &str, minute: u64, how: Removal) -> Report {
    Report::Removed {
        uid: "u".to_owned(),
        class: ClaimClass::Actual,
        source: source.to_owned(),
        scope: scope.to_owned(),
        time: at(minute),
        how,
    }
}

pub(super) fn delete_event(minute: u64) -> Report {
    Report::DeleteEvent {
        uid: "u".to_owned(),
        source: "trail".to_owned(),
        time: at(minute),
    }
}

/// Returns the report with a time that is this much earlier.
pub(super) fn earlier(mut report: Report, nanos: u64) -> Report {
    match &mut report {
        Report::Seen { time, .. }
        | Report::Removed { time, .. }
        | Report::DeleteEvent { time, .. } => time.0 -= nanos,
        Report::Completion { began, .. } => began.0 -= nanos,
    }
    report
}

/// Returns a replay to which [`send`] added these reports.
pub(super) fn replay(reports: impl IntoIterator<Item = Report>) -> Replay {
    let mut replay = Replay::new();
    for report in reports {
        send(&mut replay, report);
    }
    replay
}

/// Adds a report to the replay. Before a completion, adds a row for each member, as a scan does.
pub(super) fn send(replay: &mut Replay, report: Report) {
    if let Report::Completion {
        source,
        scope,
        class,
        began,
        members,
        ..
    } = &report
    {
        for (uid, state) in members {
            replay.push(Report::Seen {
                uid: uid.clone(),
                class: *class,
                source: source.clone(),
                scope: scope.clone(),
                time: *began,
                state: *state,
                by: ReportedBy::Scan,
            });
        }
    }
    replay.push(report);
}

pub(super) fn existence(replay: &Replay, minute: u64) -> Existence {
    replay.existence("u", AsOf::Time(at(minute)))
}

pub(super) fn existence_now(replay: &Replay) -> Existence {
    replay.existence("u", AsOf::Now)
}

pub(super) fn ended(minute: u64) -> Existence {
    Existence::Ended(at(minute))
}

pub(super) fn unobserved(minute: u64) -> Existence {
    Existence::Unobserved(at(minute))
}

pub(super) fn intervals(
    replay: &Replay,
    class: ClaimClass,
    source: &str,
    scope: &str,
) -> Vec<ReplayInterval> {
    replay.intervals("u", class, source, scope)
}

pub(super) fn closed(since: u64, until: u64, state: u64) -> ReplayInterval {
    ReplayInterval {
        since: at(since),
        until: Some(at(until)),
        state,
    }
}

pub(super) fn open(since: u64, state: u64) -> ReplayInterval {
    ReplayInterval {
        since: at(since),
        until: None,
        state,
    }
}

pub(super) fn version(source: &str, scope: &str, state: u64) -> (String, String, u64) {
    (source.to_owned(), scope.to_owned(), state)
}
