//! Tests of the replay. Each test is about one claim rule.

use std::collections::BTreeSet;

use super::reports::{
    at, closed, completion, created, delete_event, earlier, ended, existence, existence_now,
    intervals, open, removed, replay, row, scan, seen, send, state_file, unobserved, version,
};
use crate::claims::{ClaimClass, Existence, Removal, Report, ReportedBy};
use crate::graph_store::AsOf;

/// Scans of the sources `a` and `b`: `a` sees the uid until 40 and misses it at 42 and 50; `b` sees it at 35, 45 and
/// 55.
fn example() -> Vec<Report> {
    let mut reports = Vec::new();
    for (minute, members) in [
        (10, &["u"][..]),
        (20, &["u"]),
        (40, &["u"]),
        (42, &[]),
        (50, &[]),
    ] {
        reports.push(scan("a", "x", minute, members));
    }
    for minute in [35, 45, 55] {
        reports.push(scan("b", "y", minute, &["u"]));
    }
    reports
}

#[test]
fn uid_exists_while_the_claim_of_another_scope_is_open() {
    let replay = replay(example());
    assert_eq!(existence(&replay, 9), Existence::Unknown);
    for minute in 10..60 {
        assert_eq!(existence(&replay, minute), Existence::Exists, "at {minute}");
    }
    assert_eq!(existence_now(&replay), Existence::Exists);
    assert_eq!(
        intervals(&replay, ClaimClass::Actual, "a", "x"),
        [closed(10, 42, 1)]
    );
    assert_eq!(
        intervals(&replay, ClaimClass::Actual, "b", "y"),
        [open(35, 1)]
    );
}

#[test]
fn scan_within_the_settle_time_does_not_reopen_a_uid_that_a_delete_event_ended() {
    let replay = replay([
        scan("a", "x", 10, &["u"]),
        delete_event(15),
        scan("a", "x", 16, &["u"]),
    ]);
    assert_eq!(existence(&replay, 14), Existence::Exists);
    assert_eq!(existence(&replay, 16), ended(15));
    assert_eq!(existence_now(&replay), ended(15));
}

#[test]
fn scan_after_the_settle_time_reopens_a_uid_that_a_delete_event_ended() {
    for began in [20, 21] {
        let replay = replay([
            scan("a", "x", 10, &["u"]),
            delete_event(15),
            scan("a", "x", 16, &["u"]),
            scan("a", "x", began, &["u"]),
        ]);
        assert_eq!(existence(&replay, 19), ended(15));
        assert_eq!(existence_now(&replay), Existence::Exists);
        let expected = [closed(10, 15, 1), open(began, 1)];
        assert_eq!(intervals(&replay, ClaimClass::Actual, "a", "x"), expected);
    }
}

#[test]
fn scan_a_nanosecond_before_the_end_of_the_settle_time_does_not_reopen_a_uid() {
    let replay = replay([
        delete_event(15),
        earlier(scan("a", "x", 20, &["u"]), 1),
        scan("a", "x", 15, &["u"]),
    ]);
    assert_eq!(existence_now(&replay), ended(15));
}

#[test]
fn refresh_row_within_the_settle_time_reopens_a_uid_that_a_delete_event_ended() {
    let replay = replay([
        scan("a", "x", 10, &["u"]),
        delete_event(15),
        row("a", "x", 16, 1),
    ]);
    assert_eq!(existence(&replay, 15), ended(15));
    assert_eq!(existence(&replay, 16), Existence::Exists);
}

#[test]
fn row_of_a_scan_within_the_settle_time_does_not_reopen_a_uid() {
    let mut page_row = row("a", "x", 16, 1);
    if let Report::Seen { by, .. } = &mut page_row {
        *by = ReportedBy::Scan;
    }
    let replay = replay([scan("a", "x", 10, &["u"]), delete_event(15), page_row]);
    assert_eq!(existence_now(&replay), ended(15));
}

#[test]
fn uid_that_moves_between_states_is_desired_throughout() {
    let mut reports = vec![
        state_file("net", 10, &["u"]),
        state_file("app", 10, &[]),
        state_file("net", 20, &[]),
        state_file("app", 20, &["u"]),
    ];
    for _ in 0..2 {
        let replay = replay(reports.clone());
        let net = intervals(&replay, ClaimClass::Desired, "terraform", "net");
        assert_eq!(net, [closed(10, 20, 1)]);
        let app = intervals(&replay, ClaimClass::Desired, "terraform", "app");
        assert_eq!(app, [open(20, 1)]);
        let value = |minute| replay.value("u", ClaimClass::Desired, AsOf::Time(at(minute)));
        assert_eq!(value(19), Some(version("terraform", "net", 1)));
        assert_eq!(value(20), Some(version("terraform", "app", 1)));
        assert_eq!(existence_now(&replay), Existence::Unknown);
        reports.reverse();
    }
}

#[test]
fn scan_that_misses_a_uid_does_not_end_it_while_another_scope_has_it() {
    let mut reports = Vec::new();
    for minute in [10, 20, 30, 40] {
        reports.push(scan("aws", "eu", minute, &["u"]));
        reports.push(scan(
            "aws",
            "us",
            minute,
            if minute == 10 { &["u"] } else { &[] },
        ));
    }
    let mut replay = replay(reports);
    for minute in 10..50 {
        assert_eq!(existence(&replay, minute), Existence::Exists, "at {minute}");
    }
    replay.push(scan("aws", "eu", 50, &[]));
    assert_eq!(existence_now(&replay), ended(50));
    assert_eq!(existence(&replay, 49), Existence::Exists);
}

#[test]
fn uid_is_unobserved_after_its_only_claim_is_released() {
    let mut replay = replay([
        scan("aws", "eu", 10, &["u"]),
        removed("aws", "eu", 20, Removal::Released),
    ]);
    assert_eq!(existence(&replay, 19), Existence::Exists);
    assert_eq!(existence_now(&replay), unobserved(20));
    send(&mut replay, scan("backup", "eu", 15, &["u"]));
    assert_eq!(existence_now(&replay), Existence::Exists);
}

#[test]
fn member_without_a_row_opens_no_claim() {
    let mut replay = replay([]);
    replay.push(scan("aws", "eu", 10, &["u"]));
    assert_eq!(existence_now(&replay), Existence::Unknown);
    replay.push(row("aws", "eu", 15, 1));
    assert_eq!(existence(&replay, 14), Existence::Unknown);
    replay.push(scan("aws", "eu", 20, &["u"]));
    let expected = [open(15, 1)];
    assert_eq!(
        intervals(&replay, ClaimClass::Actual, "aws", "eu"),
        expected
    );
}

#[test]
fn partial_scan_releases_uids_that_it_misses() {
    let replay = replay([
        scan("aws", "eu", 10, &["u"]),
        completion("aws", "eu", 20, &[], Removal::Released),
        scan("aws", "eu", 30, &[]),
    ]);
    assert_eq!(existence_now(&replay), unobserved(20));
}

#[test]
fn deletion_before_a_release_is_the_end_only_after_the_last_sighting() {
    let replay = replay([
        scan("aws", "eu", 10, &["u"]),
        scan("backup", "eu", 10, &["u"]),
        removed("aws", "eu", 20, Removal::Deleted),
        scan("backup", "eu", 30, &["u"]),
        removed("backup", "eu", 40, Removal::Released),
    ]);
    assert_eq!(existence(&replay, 25), Existence::Exists);
    assert_eq!(existence_now(&replay), unobserved(40));
}

#[test]
fn first_deletion_after_the_last_sighting_is_the_end() {
    let replay = replay([
        scan("aws", "eu", 10, &["u"]),
        scan("backup", "eu", 12, &["u"]),
        scan("aws", "eu", 20, &[]),
        scan("backup", "eu", 22, &[]),
    ]);
    assert_eq!(existence(&replay, 21), Existence::Exists);
    assert_eq!(existence_now(&replay), ended(20));
}

#[test]
fn deletion_by_one_source_ends_only_its_own_snapshots() {
    let replay = replay([
        scan("aws", "eu", 10, &["u"]),
        scan("backup", "eu", 10, &["u"]),
        seen(ClaimClass::Aliases, "backup", "eu", 11, 7),
        seen(ClaimClass::Edges, "backup", "", 11, 8),
        removed("backup", "eu", 20, Removal::Deleted),
    ]);
    assert_eq!(existence_now(&replay), Existence::Exists);
    let before = replay.snapshots("u", AsOf::Time(at(19)));
    let expected = [
        version("aws", "eu", 1),
        version("backup", "eu", 1),
        version("backup", "eu", 7),
        version("backup", "", 8),
    ];
    assert_eq!(before, BTreeSet::from(expected));
    let now = replay.snapshots("u", AsOf::Now);
    let expected = [version("aws", "eu", 1), version("backup", "", 8)];
    assert_eq!(now, BTreeSet::from(expected));
}

#[test]
fn scan_within_the_settle_time_does_not_end_a_created_uid() {
    let mut replay = replay([
        created("trail", "eu", 10),
        scan("aws", "eu", 9, &[]),
        scan("aws", "eu", 12, &[]),
        earlier(scan("aws", "eu", 15, &[]), 1),
        scan("aws", "us", 16, &[]),
    ]);
    assert_eq!(existence_now(&replay), Existence::Exists);
    replay.push(scan("backup", "eu", 15, &[]));
    assert_eq!(existence_now(&replay), ended(15));
    replay.push(created("trail", "eu", 14));
    assert_eq!(existence_now(&replay), Existence::Exists);
    replay.push(completion("aws", "eu", 30, &[], Removal::Released));
    assert_eq!(existence_now(&replay), unobserved(30));
}

#[test]
fn completion_with_a_created_uid_does_not_change_its_created_claim() {
    let replay = replay([created("trail", "eu", 10), scan("aws", "eu", 30, &["u"])]);
    assert_eq!(
        intervals(&replay, ClaimClass::Created, "trail", "eu"),
        [open(10, 1)]
    );
    assert_eq!(
        intervals(&replay, ClaimClass::Actual, "aws", "eu"),
        [open(30, 1)]
    );
}

#[test]
fn scan_that_sees_a_uid_releases_its_claims_in_scopes_below() {
    let replay = replay([
        scan("aws", "eu/vpc", 10, &["u"]),
        scan("aws", "eu", 20, &["u"]),
    ]);
    let below = intervals(&replay, ClaimClass::Actual, "aws", "eu/vpc");
    assert_eq!(below, [closed(10, 20, 1)]);
    assert_eq!(existence_now(&replay), Existence::Exists);
}

#[test]
fn scan_that_misses_a_uid_ends_its_claims_in_scopes_below() {
    let replay = replay([
        scan("aws", "eu/vpc", 10, &["u"]),
        seen(ClaimClass::Edges, "aws", "eu/vpc", 10, 3),
        scan("aws", "eu", 20, &[]),
    ]);
    assert_eq!(existence_now(&replay), ended(20));
    assert_eq!(replay.snapshots("u", AsOf::Now), BTreeSet::new());
}

#[test]
fn scope_with_a_common_name_prefix_is_not_a_scope_below() {
    let replay = replay([
        scan("aws", "europe", 10, &["u"]),
        scan("backup", "eu/vpc", 10, &["u"]),
        scan("aws", "eu", 20, &[]),
    ]);
    for (source, scope) in [("aws", "europe"), ("backup", "eu/vpc")] {
        let claim = intervals(&replay, ClaimClass::Actual, source, scope);
        assert_eq!(claim, [open(10, 1)]);
    }
}

#[test]
fn changed_state_begins_an_interval_and_an_unknown_state_does_not() {
    let replay = replay([
        row("aws", "eu", 10, 2),
        row("aws", "eu", 12, 0),
        row("aws", "eu", 14, 3),
        removed("aws", "eu", 16, Removal::Deleted),
        row("aws", "eu", 18, 0),
    ]);
    let expected = [closed(10, 14, 2), closed(14, 16, 3), open(18, 3)];
    assert_eq!(
        intervals(&replay, ClaimClass::Actual, "aws", "eu"),
        expected
    );
}

#[test]
fn at_equal_times_a_sighting_wins_over_removals_and_the_greatest_state_wins() {
    let replay = replay([
        row("aws", "eu", 10, 5),
        row("aws", "eu", 10, 0),
        row("aws", "eu", 10, 4),
        removed("aws", "eu", 10, Removal::Deleted),
        delete_event(10),
    ]);
    let claim = intervals(&replay, ClaimClass::Actual, "aws", "eu");
    assert_eq!(claim, [open(10, 5)]);
}

#[test]
fn at_equal_times_a_deletion_wins_over_a_release() {
    let mut reports = vec![
        row("aws", "eu", 10, 1),
        scan("aws", "eu", 20, &[]),
        removed("aws", "eu", 20, Removal::Released),
    ];
    for _ in 0..2 {
        assert_eq!(existence_now(&replay(reports.clone())), ended(20));
        reports.reverse();
    }
}

#[test]
fn delete_event_ends_all_claims_except_desired_and_telemetry() {
    let replay = replay([
        state_file("net", 10, &["u"]),
        seen(ClaimClass::Telemetry, "otel", "", 10, 1),
        created("trail", "", 10),
        seen(ClaimClass::Edges, "cni", "", 10, 1),
        delete_event(20),
    ]);
    let of = |class, source, scope| intervals(&replay, class, source, scope);
    assert_eq!(of(ClaimClass::Desired, "terraform", "net"), [open(10, 1)]);
    assert_eq!(of(ClaimClass::Telemetry, "otel", ""), [open(10, 1)]);
    assert_eq!(of(ClaimClass::Created, "trail", ""), [closed(10, 20, 1)]);
    assert_eq!(of(ClaimClass::Edges, "cni", ""), [closed(10, 20, 1)]);
    assert_eq!(existence_now(&replay), ended(20));
}

#[test]
fn delete_event_of_an_unknown_uid_ends_it() {
    let event = replay([delete_event(30), delete_event(20)]);
    assert_eq!(existence(&event, 19), Existence::Unknown);
    assert_eq!(existence_now(&event), ended(20));
    let released = replay([removed("aws", "eu", 20, Removal::Released)]);
    assert_eq!(existence_now(&released), Existence::Unknown);
}

#[test]
fn end_of_a_desired_claim_does_not_end_the_uid() {
    let mut removal = removed("terraform", "net", 20, Removal::Deleted);
    if let Report::Removed { class, .. } = &mut removal {
        *class = ClaimClass::Desired;
    }
    let replay = replay([
        state_file("net", 10, &["u"]),
        row("aws", "eu", 12, 1),
        removal,
        removed("aws", "eu", 18, Removal::Released),
    ]);
    let desired = intervals(&replay, ClaimClass::Desired, "terraform", "net");
    assert_eq!(desired, [closed(10, 20, 1)]);
    assert_eq!(existence_now(&replay), unobserved(18));
}

#[test]
fn last_changed_value_wins_and_the_last_ended_claim_wins_if_no_claim_is_open() {
    let replay = replay([
        row("aws", "eu", 10, 1),
        row("backup", "eu", 12, 2),
        row("aws", "eu", 14, 1),
        row("aws", "eu", 16, 3),
        removed("aws", "eu", 20, Removal::Deleted),
        removed("backup", "eu", 30, Removal::Deleted),
    ]);
    let value = |minute| replay.value("u", ClaimClass::Actual, AsOf::Time(at(minute)));
    assert_eq!(value(9), None);
    assert_eq!(value(15), Some(version("backup", "eu", 2)));
    assert_eq!(value(16), Some(version("aws", "eu", 3)));
    assert_eq!(value(20), Some(version("backup", "eu", 2)));
    assert_eq!(value(40), Some(version("backup", "eu", 2)));
}

#[test]
fn completion_that_arrives_after_fifteen_newer_completions_is_ignored_and_counted() {
    let mut replay = replay((20..34).map(|minute| scan("aws", "eu", minute, &[])));
    replay.push(scan("aws", "eu", 20, &[]));
    send(&mut replay, scan("aws", "eu", 12, &["u"]));
    assert_eq!(replay.late_completions(), 0);
    assert_eq!(existence(&replay, 19), Existence::Exists);
    replay.push(scan("aws", "eu", 11, &["u"]));
    assert_eq!(replay.late_completions(), 1);
    assert_eq!(existence(&replay, 11), Existence::Unknown);
}
