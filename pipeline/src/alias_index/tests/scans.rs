//! Names start and end with the claims of scans.

use std::sync::Arc;

use super::{at, enabled_index, owners};
use crate::alias_index::{AliasIndex, AliasKind, StoredClaim, StoredNames};
use crate::claims::{ClaimClass, Removal, ReportedBy};
use crate::reports::{
    AliasItem, RemovalReport, ReportBatch, ScanCompletion, Sighting, SnapshotItems, SnapshotReport,
};
use crate::scan_members::Members;
use crate::uid;

const HOUR: u64 = 3_600_000_000_000;

/// Applies a completed scan of a scope: the uids that it saw, with their states and addresses.
fn apply_scan(index: &AliasIndex, scope: &str, began: u64, seen: &[(&str, u64, &'static str)]) {
    let mut reports = ReportBatch::default();
    for (uid, state, address) in seen {
        reports.sightings.push(Sighting {
            uid,
            class: ClaimClass::Actual,
            source: "aws",
            scope,
            time: at(began),
            state: *state,
            by: ReportedBy::Scan,
            content: None,
        });
        reports.snapshots.push(SnapshotReport {
            uid,
            source: "aws",
            scope,
            time: at(began),
            state: Some(*state),
            items: SnapshotItems::Aliases(vec![AliasItem {
                kind: "ip",
                value: address,
                within: "vpc-1",
                valid_from: None,
                valid_to: None,
            }]),
        });
    }
    let members = seen.iter().map(|(uid, state, _)| (uid::hash(uid), *state));
    reports.completions.push(ScanCompletion {
        class: ClaimClass::Actual,
        source: "aws",
        scope,
        began: at(began),
        members: Arc::new(Members::new(members.collect())),
        miss: Removal::Deleted,
    });
    index.writer().unwrap().apply(&reports);
}

/// The owners of an address at a time.
fn address_owners(index: &AliasIndex, value: &str, time: u64) -> Vec<String> {
    owners(index, AliasKind::Address, value, time)
}

#[test]
fn names_end_with_the_claim_of_their_scope() {
    let index = enabled_index();
    apply_scan(
        &index,
        "s",
        HOUR,
        &[("a", 7, "10.0.0.1"), ("b", 7, "10.0.0.2")],
    );
    apply_scan(&index, "t", HOUR, &[("a", 9, "10.0.0.9")]);
    apply_scan(&index, "s", 2 * HOUR, &[("b", 7, "10.0.0.2")]);
    let of = |value, time| address_owners(&index, value, time);
    assert_eq!(of("10.0.0.1", 2 * HOUR - 1), ["a@vpc-1"]);
    assert_eq!(of("10.0.0.1", 2 * HOUR), [""; 0], "the scan did not see a");
    assert_eq!(
        of("10.0.0.9", 3 * HOUR),
        ["a@vpc-1"],
        "another scope reports it"
    );
    apply_scan(&index, "s", 3 * HOUR, &[("b", 8, "10.0.0.3")]);
    assert_eq!(of("10.0.0.2", 3 * HOUR), [""; 0]);
    assert_eq!(of("10.0.0.3", 3 * HOUR), ["b@vpc-1"]);
}

#[test]
fn a_late_row_of_an_older_scan_restores_no_name() {
    let index = enabled_index();
    let seen = [("a", 7, "10.0.0.1"), ("b", 7, "10.0.0.2")];
    apply_scan(&index, "s", 2 * HOUR, &seen[1..]);
    apply_scan(&index, "s", HOUR, &seen);
    assert_eq!(address_owners(&index, "10.0.0.1", HOUR), ["a@vpc-1"]);
    assert_eq!(address_owners(&index, "10.0.0.1", 2 * HOUR), [""; 0]);
}

#[test]
fn a_scan_that_began_just_after_a_delete_event_restores_no_name() {
    let index = enabled_index();
    apply_scan(&index, "s", HOUR, &[("a", 7, "10.0.0.1")]);
    let minute = HOUR / 60;
    index.writer().unwrap().delete("a", at(2 * HOUR));
    apply_scan(&index, "s", 2 * HOUR + minute, &[("a", 7, "10.0.0.1")]);
    assert_eq!(
        address_owners(&index, "10.0.0.1", 2 * HOUR + minute),
        [""; 0]
    );
    apply_scan(&index, "s", 2 * HOUR + 6 * minute, &[("a", 7, "10.0.0.1")]);
    assert_eq!(
        address_owners(&index, "10.0.0.1", 2 * HOUR + 6 * minute),
        ["a@vpc-1"]
    );
}

#[test]
fn a_released_claim_ends_its_own_names_only() {
    let index = enabled_index();
    apply_scan(&index, "s", HOUR, &[("a", 7, "10.0.0.1")]);
    apply_scan(&index, "t", HOUR, &[("a", 9, "10.0.0.9")]);
    let reports = ReportBatch {
        removals: vec![RemovalReport {
            uid: "a",
            class: ClaimClass::Actual,
            source: "aws",
            scope: "s",
            time: at(2 * HOUR),
            how: Removal::Released,
        }],
        ..ReportBatch::default()
    };
    index.writer().unwrap().apply(&reports);
    let of = |value| address_owners(&index, value, 3 * HOUR);
    assert_eq!(
        (of("10.0.0.1"), of("10.0.0.9")),
        (vec![], vec!["a@vpc-1".to_owned()])
    );
}

#[test]
fn the_names_of_a_stale_claim_end_when_another_scope_reports_a_deletion() {
    let index = enabled_index();
    apply_scan(&index, "s", HOUR, &[("a", 7, "10.0.0.1")]);
    apply_scan(&index, "t", HOUR, &[("a", 9, "10.0.0.9")]);
    apply_scan(&index, "t", 30 * HOUR, &[]);
    assert_eq!(address_owners(&index, "10.0.0.1", 30 * HOUR), [""; 0]);
    assert_eq!(address_owners(&index, "10.0.0.1", 29 * HOUR), ["a@vpc-1"]);
}

#[test]
fn restored_names_end_with_the_next_scan_that_does_not_see_the_uid() {
    let index = enabled_index();
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
                class: ClaimClass::Actual,
                state: Some(7),
                aliases: vec![(at(5), alias(value)), (at(8), alias("10.0.0.3"))],
                ..StoredClaim::default()
            },
        );
    }
    let both = ["a@vpc-1", "b@vpc-1"];
    assert_eq!(address_owners(&index, "10.0.0.1", 5), ["a@vpc-1"]);
    assert_eq!(address_owners(&index, "10.0.0.3", 7), [""; 0]);
    assert_eq!(address_owners(&index, "10.0.0.3", 8), both);
    apply_scan(&index, "s", HOUR, &[("b", 9, "10.0.0.4")]);
    let of = |value| address_owners(&index, value, HOUR);
    assert_eq!((of("10.0.0.1"), of("10.0.0.3")), (vec![], vec![]));
    assert_eq!(of("10.0.0.4"), ["b@vpc-1"]);
}

/// A claim in a store that was last confirmed at `seen`.
fn stored_claim(seen: u64) -> StoredClaim<'static> {
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
        class: ClaimClass::Actual,
        state: Some(7),
        since: at(5),
        seen: at(seen),
        aliases: vec![(at(5), alias)],
        ..StoredClaim::default()
    }
}

#[test]
fn a_restored_claim_that_another_process_confirms_does_not_become_stale() {
    let index = enabled_index();
    index
        .writer()
        .unwrap()
        .restore("a", &stored_claim(79 * HOUR));
    apply_scan(&index, "t", 2 * HOUR, &[("a", 9, "10.0.0.9")]);
    apply_scan(&index, "t", 80 * HOUR, &[]);
    assert_eq!(address_owners(&index, "10.0.0.1", 80 * HOUR), ["a@vpc-1"]);
    // The index alone makes the claim stale. The store then reports a newer confirmation and no other change.
    apply_scan(&index, "t", 81 * HOUR, &[("a", 9, "10.0.0.9")]);
    apply_scan(&index, "t", 120 * HOUR, &[]);
    assert_eq!(address_owners(&index, "10.0.0.1", 120 * HOUR), [""; 0]);
    let names = StoredNames {
        claims: vec![stored_claim(119 * HOUR)],
        changed: at(120 * HOUR),
        ..StoredNames::default()
    };
    let mut writer = index.writer().unwrap();
    writer.replace("a", &names, at(120 * HOUR));
    drop(writer);
    assert_eq!(address_owners(&index, "10.0.0.1", 120 * HOUR), ["a@vpc-1"]);
}
