//! Names live and end with the claims of scans.

use std::sync::Arc;

use super::super::{AliasIndex, Kind, StoredClaim, StoredNames};
use super::{asked, at, owners};
use crate::claims::{By, Class, Removal};
use crate::members::Members;
use crate::reports::{AliasItem, Completion, Items, Removed, ReportBatch, Sighting, Snapshot};
use crate::uid;

const HOUR: u64 = 3_600_000_000_000;

/// A scan of a scope: uids with their states and addresses, and whether it completed.
fn scan(index: &AliasIndex, scope: &str, began: u64, seen: &[(&str, u64, &'static str)]) {
    let mut reports = ReportBatch::default();
    for (uid, state, address) in seen {
        reports.sightings.push(Sighting {
            uid,
            class: Class::Actual,
            source: "aws",
            scope,
            time: at(began),
            state: *state,
            by: By::Scan,
            content: None,
        });
        reports.snapshots.push(Snapshot {
            uid,
            source: "aws",
            scope,
            time: at(began),
            state: Some(*state),
            items: Items::Aliases(vec![AliasItem {
                kind: "ip",
                value: address,
                within: "vpc-1",
                valid_from: None,
                valid_to: None,
            }]),
        });
    }
    let members = seen.iter().map(|(uid, state, _)| (uid::hash(uid), *state));
    reports.completions.push(Completion {
        class: Class::Actual,
        source: "aws",
        scope,
        began: at(began),
        members: Arc::new(Members::new(members.collect())),
        miss: Removal::Deleted,
    });
    index.writer().unwrap().take_in(&reports);
}

fn address(index: &AliasIndex, value: &str, time: u64) -> Vec<String> {
    owners(index, Kind::Address, value, time)
}

#[test]
fn names_live_and_end_with_the_claim_of_their_scope() {
    let index = asked();
    scan(
        &index,
        "s",
        HOUR,
        &[("a", 7, "10.0.0.1"), ("b", 7, "10.0.0.2")],
    );
    scan(&index, "t", HOUR, &[("a", 9, "10.0.0.9")]);
    scan(&index, "s", 2 * HOUR, &[("b", 7, "10.0.0.2")]);
    let of = |value, time| address(&index, value, time);
    assert_eq!(of("10.0.0.1", 2 * HOUR - 1), ["a@vpc-1"]);
    assert_eq!(of("10.0.0.1", 2 * HOUR), [""; 0], "the scan lacks it");
    assert_eq!(of("10.0.0.9", 3 * HOUR), ["a@vpc-1"], "the other scope's");
    scan(&index, "s", 3 * HOUR, &[("b", 8, "10.0.0.3")]);
    assert_eq!(of("10.0.0.2", 3 * HOUR), [""; 0]);
    assert_eq!(of("10.0.0.3", 3 * HOUR), ["b@vpc-1"]);
}

#[test]
fn a_row_of_a_scan_that_a_later_one_overtook_brings_no_name_back() {
    let index = asked();
    let seen = [("a", 7, "10.0.0.1"), ("b", 7, "10.0.0.2")];
    scan(&index, "s", 2 * HOUR, &seen[1..]);
    scan(&index, "s", HOUR, &seen);
    assert_eq!(address(&index, "10.0.0.1", HOUR), ["a@vpc-1"]);
    assert_eq!(address(&index, "10.0.0.1", 2 * HOUR), [""; 0]);
}

#[test]
fn a_list_that_began_just_after_a_delete_event_brings_no_name_back() {
    let index = asked();
    scan(&index, "s", HOUR, &[("a", 7, "10.0.0.1")]);
    let minute = HOUR / 60;
    index.writer().unwrap().delete("a", at(2 * HOUR));
    scan(&index, "s", 2 * HOUR + minute, &[("a", 7, "10.0.0.1")]);
    assert_eq!(address(&index, "10.0.0.1", 2 * HOUR + minute), [""; 0]);
    scan(&index, "s", 2 * HOUR + 6 * minute, &[("a", 7, "10.0.0.1")]);
    assert_eq!(
        address(&index, "10.0.0.1", 2 * HOUR + 6 * minute),
        ["a@vpc-1"]
    );
}

#[test]
fn a_released_claim_takes_its_names_along_and_no_others() {
    let index = asked();
    scan(&index, "s", HOUR, &[("a", 7, "10.0.0.1")]);
    scan(&index, "t", HOUR, &[("a", 9, "10.0.0.9")]);
    let reports = ReportBatch {
        removals: vec![Removed {
            uid: "a",
            class: Class::Actual,
            source: "aws",
            scope: "s",
            time: at(2 * HOUR),
            how: Removal::Released,
        }],
        ..ReportBatch::default()
    };
    index.writer().unwrap().take_in(&reports);
    let of = |value| address(&index, value, 3 * HOUR);
    assert_eq!(
        (of("10.0.0.1"), of("10.0.0.9")),
        (vec![], vec!["a@vpc-1".to_owned()])
    );
}

#[test]
fn a_stale_claim_answers_no_more_once_another_scope_reports_the_end() {
    let index = asked();
    scan(&index, "s", HOUR, &[("a", 7, "10.0.0.1")]);
    scan(&index, "t", HOUR, &[("a", 9, "10.0.0.9")]);
    scan(&index, "t", 30 * HOUR, &[]);
    assert_eq!(address(&index, "10.0.0.1", 30 * HOUR), [""; 0]);
    assert_eq!(address(&index, "10.0.0.1", 29 * HOUR), ["a@vpc-1"]);
}

#[test]
fn what_was_restored_ends_with_the_next_scan_that_lacks_it() {
    let index = asked();
    let alias = |value| AliasItem {
        kind: "ip",
        value,
        within: "vpc-1",
        valid_from: None,
        valid_to: None,
    };
    for (uid, value) in [("a", "10.0.0.1"), ("b", "10.0.0.2")] {
        index.writer().unwrap().restore(
            uid,
            &StoredClaim {
                source: "aws",
                scope: "s",
                class: Class::Actual,
                state: Some(7),
                aliases: vec![(at(5), alias(value)), (at(8), alias("10.0.0.3"))],
                ..StoredClaim::default()
            },
        );
    }
    let both = ["a@vpc-1", "b@vpc-1"];
    assert_eq!(address(&index, "10.0.0.1", 5), ["a@vpc-1"]);
    assert_eq!(address(&index, "10.0.0.3", 7), [""; 0]);
    assert_eq!(address(&index, "10.0.0.3", 8), both);
    scan(&index, "s", HOUR, &[("b", 9, "10.0.0.4")]);
    let of = |value| address(&index, value, HOUR);
    assert_eq!((of("10.0.0.1"), of("10.0.0.3")), (vec![], vec![]));
    assert_eq!(of("10.0.0.4"), ["b@vpc-1"]);
}

fn stored(seen: u64) -> StoredClaim<'static> {
    let alias = AliasItem {
        kind: "ip",
        value: "10.0.0.1",
        within: "vpc-1",
        valid_from: None,
        valid_to: None,
    };
    StoredClaim {
        source: "aws",
        scope: "s",
        class: Class::Actual,
        state: Some(7),
        since: at(5),
        seen: at(seen),
        aliases: vec![(at(5), alias)],
        ..StoredClaim::default()
    }
}

#[test]
fn a_restored_claim_that_scans_elsewhere_confirm_outlives_another_scope() {
    let index = asked();
    index.writer().unwrap().restore("a", &stored(79 * HOUR));
    scan(&index, "t", 2 * HOUR, &[("a", 9, "10.0.0.9")]);
    scan(&index, "t", 80 * HOUR, &[]);
    assert_eq!(address(&index, "10.0.0.1", 80 * HOUR), ["a@vpc-1"]);
    // The store says nothing new but when it was confirmed.
    scan(&index, "t", 81 * HOUR, &[("a", 9, "10.0.0.9")]);
    scan(&index, "t", 120 * HOUR, &[]);
    assert_eq!(address(&index, "10.0.0.1", 120 * HOUR), [""; 0]);
    let names = StoredNames {
        claims: vec![stored(119 * HOUR)],
        changed: at(120 * HOUR),
        ..StoredNames::default()
    };
    let mut writer = index.writer().unwrap();
    writer.replace("a", &names, at(120 * HOUR));
    drop(writer);
    assert_eq!(address(&index, "10.0.0.1", 120 * HOUR), ["a@vpc-1"]);
}
