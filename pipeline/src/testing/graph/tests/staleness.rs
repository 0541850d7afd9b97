//! Tests of the replay: an open claim is stale if its scope was silent for a day before another scope reported a
//! deletion.

use super::reports::{
    created, delete_event, earlier, ended, existence, existence_now, intervals, open, removed,
    replay, row, scan, unobserved,
};
use crate::claims::{ClaimClass, Existence, Removal, Report};

const HOUR: u64 = 60;
const DAY: u64 = 24 * HOUR;

/// `aws` reports the uid at 0 and is then silent. A scan of `backup` misses the uid after a day.
fn silent_for_a_day() -> Vec<Report> {
    vec![
        scan("aws", "eu", 0, &["u"]),
        scan("backup", "us", 0, &["u"]),
        scan("backup", "us", DAY, &[]),
    ]
}

#[test]
fn claim_of_a_scope_that_is_silent_for_a_day_is_stale() {
    let replay = replay(silent_for_a_day());
    assert_eq!(existence(&replay, DAY - 1), Existence::Exists);
    assert_eq!(existence_now(&replay), ended(DAY));
    assert_eq!(
        intervals(&replay, ClaimClass::Actual, "aws", "eu"),
        [open(0, 1)]
    );
}

#[test]
fn claim_of_a_scope_that_is_silent_for_less_than_a_day_is_not_stale() {
    let mut reports = silent_for_a_day();
    let miss = reports.pop().expect("three reports");
    reports.push(earlier(miss, 1));
    assert_eq!(existence_now(&replay(reports)), Existence::Exists);
}

#[test]
fn completion_or_refresh_row_within_the_day_keeps_the_claim_fresh() {
    for activity in [scan("aws", "eu", 1, &["u"]), row("aws", "eu", 1, 1)] {
        let mut reports = silent_for_a_day();
        reports.push(activity);
        assert_eq!(existence_now(&replay(reports)), Existence::Exists);
    }
}

#[test]
fn later_scan_that_sees_the_uid_revives_it_in_the_past_too() {
    let mut reports = silent_for_a_day();
    reports.push(scan("aws", "eu", DAY + HOUR, &["u"]));
    let replay = replay(reports);
    assert_eq!(existence(&replay, DAY), Existence::Exists);
    assert_eq!(existence(&replay, DAY + HOUR), Existence::Exists);
    assert_eq!(existence_now(&replay), Existence::Exists);
}

#[test]
fn later_scan_that_misses_the_uid_does_not_move_its_end() {
    let mut reports = silent_for_a_day();
    reports.push(scan("aws", "eu", DAY + HOUR, &[]));
    let replay = replay(reports);
    assert_eq!(existence(&replay, DAY), ended(DAY));
    assert_eq!(existence_now(&replay), ended(DAY));
}

#[test]
fn deleted_row_makes_another_claim_stale_and_a_release_does_not() {
    for (how, expected) in [
        (Removal::Deleted, ended(DAY)),
        (Removal::Released, Existence::Exists),
    ] {
        let replay = replay([row("aws", "eu", 0, 1), removed("backup", "eu", DAY, how)]);
        assert_eq!(existence_now(&replay), expected);
    }
}

#[test]
fn uid_is_unobserved_after_a_later_sighting_is_released() {
    let replay = replay([
        scan("aws", "eu", 0, &["u"]),
        removed("backup", "us", DAY, Removal::Deleted),
        row("other", "eu", DAY + HOUR, 1),
        removed("other", "eu", DAY + 2 * HOUR, Removal::Released),
    ]);
    assert_eq!(existence(&replay, DAY), ended(DAY));
    assert_eq!(existence(&replay, DAY + HOUR), Existence::Exists);
    assert_eq!(existence_now(&replay), unobserved(DAY + 2 * HOUR));
}

#[test]
fn completion_within_the_settle_time_of_a_member_is_activity() {
    let mut reports = vec![
        delete_event(0),
        row("aws", "eu", 1, 1),
        removed("backup", "us", DAY + 2, Removal::Deleted),
    ];
    assert_eq!(existence_now(&replay(reports.clone())), ended(DAY + 2));
    reports.push(scan("aws", "eu", 3, &["u"]));
    assert_eq!(existence_now(&replay(reports)), Existence::Exists);
}

#[test]
fn scans_of_its_scope_by_any_source_keep_a_created_claim_fresh() {
    let mut reports = vec![
        created("trail", "eu", 0),
        removed("backup", "us", DAY + HOUR, Removal::Deleted),
    ];
    assert_eq!(existence_now(&replay(reports.clone())), ended(DAY + HOUR));
    reports.push(scan("aws", "eu", 2 * HOUR, &["u"]));
    reports.push(removed("aws", "eu", 3 * HOUR, Removal::Released));
    assert_eq!(existence_now(&replay(reports)), Existence::Exists);
}
