//! Reports about a small cloud, and queries for its names.

use proptest::prelude::{Just, Strategy, prop, prop_assert_eq, proptest};

use super::owner::NameCount;
use super::{AliasIndex, AliasKind, ValidInterval};
use crate::reports::ReportBatch;
use crate::rows::{Cell, Rows};
use crate::schema::{aliases, edges};
use crate::unix_nanos::UnixNanos;
use crate::{Delivery, Signal};

mod eviction;
mod scans;

type Alias = (&'static str, &'static str, Option<&'static str>);

fn at(time: u64) -> UnixNanos {
    UnixNanos(time)
}

fn enabled_index() -> AliasIndex {
    let index = AliasIndex::default();
    index.enable();
    index
}

/// Reports all aliases of a uid.
fn report_aliases(index: &AliasIndex, uid: &str, time: u64, names: &[Alias]) {
    let mut writer = index.writer().unwrap();
    writer.put_aliases(uid, "aws", at(time), names.iter().copied());
}

fn ip(value: &'static str) -> Alias {
    ("ip", value, Some("vpc-1"))
}

/// The owners of a name at a time, each as `uid@scope`, ascending.
fn owners(index: &AliasIndex, kind: AliasKind, value: &str, time: u64) -> Vec<String> {
    let view = index.view();
    let owners = view.owners(kind, value, &mut ValidInterval::at(at(time)));
    let mut owners: Vec<_> = owners
        .into_iter()
        .map(|(uid, scope)| format!("{uid}@{scope}"))
        .collect();
    owners.sort();
    owners
}

#[test]
fn a_snapshot_holds_until_its_source_reports_the_next_one() {
    let index = enabled_index();
    report_aliases(&index, "a", 10, &[ip("10.0.0.7"), ip("10.0.0.8")]);
    report_aliases(&index, "a", 20, &[ip("10.0.0.8")]);
    let of = |value, time| owners(&index, AliasKind::Address, value, time);
    assert_eq!(of("10.0.0.7", 9), [""; 0]);
    assert_eq!(of("10.0.0.7", 10), ["a@vpc-1"]);
    assert_eq!(of("10.0.0.7", 19), ["a@vpc-1"]);
    assert_eq!(of("10.0.0.7", 20), [""; 0]);
    assert_eq!(of("10.0.0.8", 99), ["a@vpc-1"]);
}

#[test]
fn a_snapshot_of_another_source_removes_no_names() {
    let index = enabled_index();
    report_aliases(&index, "a", 10, &[ip("10.0.0.7")]);
    let mut writer = index.writer().unwrap();
    writer.put_aliases("a", "other", at(20), [ip("10.0.0.8")].into_iter());
    drop(writer);
    assert_eq!(
        owners(&index, AliasKind::Address, "10.0.0.7", 30),
        ["a@vpc-1"]
    );
}

#[test]
fn an_address_that_moves_keeps_its_past_owner() {
    let index = enabled_index();
    report_aliases(&index, "a", 10, &[ip("10.0.0.7")]);
    index.writer().unwrap().delete("a", at(20));
    report_aliases(&index, "b", 30, &[ip("10.0.0.7")]);
    let of = |time| owners(&index, AliasKind::Address, "10.0.0.7", time);
    assert_eq!(of(15), ["a@vpc-1"]);
    assert_eq!(of(25), [""; 0]);
    assert_eq!(of(30), ["b@vpc-1"]);
    report_aliases(&index, "a", 40, &[ip("10.0.0.7")]);
    assert_eq!(of(40), ["a@vpc-1", "b@vpc-1"], "a was reported again");
}

#[test]
fn names_are_found_by_their_canonical_form() {
    let index = enabled_index();
    let names = [
        ("dns", "DB.Example.", None),
        ("ip", "::ffff:10.0.0.7", Some("vpc-1")),
        ("ip", "no address", None),
        ("interface_ip", "FD00::7", Some("vpc-1")),
        ("reserved_ip", "54.1.2.3", None),
        ("host_id", "i-1", None),
        ("id", "sg-1", None),
        ("name", "db", None),
        ("same_as", "ext://db.example:", None),
    ];
    report_aliases(&index, "a", 10, &names);
    for (kind, value) in [
        (AliasKind::Host, "db.example"),
        (AliasKind::Address, "10.0.0.7"),
        (AliasKind::InterfaceAddress, "fd00::7"),
        (AliasKind::ReservedAddress, "54.1.2.3"),
        (AliasKind::Instance, "i-1"),
        (AliasKind::SameAs, "ext://db.example:"),
    ] {
        assert_eq!(owners(&index, kind, value, 10).len(), 1, "{value}");
    }
    assert_eq!(owners(&index, AliasKind::Instance, "sg-1", 10), [""; 0]);
    assert_eq!(index.view().all_names("a", AliasKind::Host).count(), 1);
}

#[test]
fn an_observed_name_holds_from_its_start_unless_it_is_an_address_without_an_end() {
    let index = enabled_index();
    let mut writer = index.writer().unwrap();
    writer.put_observation("a", ("dns", "a.example", ""), at(10), None);
    writer.put_observation("a", ("dns", "a.example", ""), at(5), None);
    writer.put_observation("a", ("dns", "b.example", ""), at(5), Some(at(8)));
    writer.put_observation("a", ("ip", "10.0.0.7", "vpc-1"), at(5), None);
    writer.put_observation("a", ("reserved_ip", "54.1.2.3", ""), at(5), None);
    drop(writer);
    assert_eq!(owners(&index, AliasKind::Host, "a.example", 4), [""; 0]);
    assert_eq!(owners(&index, AliasKind::Host, "a.example", 5), ["a@"]);
    assert_eq!(owners(&index, AliasKind::Host, "b.example", 7), ["a@"]);
    assert_eq!(owners(&index, AliasKind::Host, "b.example", 8), [""; 0]);
    assert_eq!(owners(&index, AliasKind::Address, "10.0.0.7", 9), [""; 0]);
    assert_eq!(
        owners(&index, AliasKind::ReservedAddress, "54.1.2.3", 9),
        [""; 0]
    );
    index.writer().unwrap().delete("a", at(20));
    assert_eq!(owners(&index, AliasKind::Host, "a.example", 20), [""; 0]);
}

#[test]
fn a_query_narrows_the_interval_in_which_its_answer_is_valid() {
    let index = enabled_index();
    report_aliases(&index, "a", 10, &[ip("10.0.0.7")]);
    report_aliases(&index, "a", 20, &[]);
    report_aliases(&index, "b", 30, &[ip("10.0.0.7")]);
    let mut valid = ValidInterval::at(at(15));
    index
        .view()
        .owners(AliasKind::Address, "10.0.0.7", &mut valid);
    let within = [9, 10, 19, 20].map(|time| valid.contains(at(time)));
    assert_eq!(within, [false, true, true, false]);
    let mut valid = ValidInterval::at(at(15));
    index
        .view()
        .owners(AliasKind::Address, "10.0.0.9", &mut valid);
    assert!(valid.contains(at(0)) && valid.contains(at(99)));
}

#[test]
fn since_is_the_start_of_the_current_unbroken_period() {
    let index = enabled_index();
    report_aliases(&index, "a", 10, &[ip("10.0.0.7")]);
    report_aliases(&index, "a", 20, &[]);
    report_aliases(&index, "a", 30, &[ip("10.0.0.7")]);
    report_aliases(&index, "a", 40, &[ip("10.0.0.7"), ip("10.0.0.8")]);
    let since = |value| index.view().since("a", AliasKind::Address, value);
    assert_eq!(since("10.0.0.7"), Some(at(30)));
    assert_eq!(since("10.0.0.8"), Some(at(40)));
    report_aliases(&index, "a", 50, &[ip("10.0.0.8")]);
    assert_eq!(since("10.0.0.7"), None);
}

#[test]
fn a_batch_of_aliases_is_applied() {
    let mut rows = Rows::new(Signal::Aliases);
    let mut push = |uid, time, mode, alias: Option<Alias>| {
        let (kind, value, scope) = alias.map_or((None, None, None), |(kind, value, scope)| {
            (Some(kind), Some(value), scope)
        });
        let cells = [
            (aliases::MODE, Cell::Text(mode)),
            (aliases::KIND, kind.into()),
            (aliases::VALUE, value.into()),
            (aliases::WITHIN, scope.into()),
        ];
        rows.push(Some(at(time)), Some(uid), "aws", &cells);
    };
    push("a", 10, edges::mode::SNAPSHOT, Some(ip("10.0.0.7")));
    push("a", 10, edges::mode::SNAPSHOT, Some(ip("10.0.0.8")));
    push("a", 20, edges::mode::SNAPSHOT, None);
    push(
        "b",
        10,
        edges::mode::OBSERVED,
        Some(("dns", "b.example", None)),
    );
    let batch = rows.finish(Delivery::untracked());
    let index = enabled_index();
    index
        .writer()
        .unwrap()
        .apply(&ReportBatch::from_batch(&batch, at(99)));
    let of = |time| owners(&index, AliasKind::Address, "10.0.0.8", time);
    assert_eq!((of(10), of(20)), (vec!["a@vpc-1".to_owned()], vec![]));
    assert_eq!(owners(&index, AliasKind::Host, "b.example", 10), ["b@"]);
}

#[test]
fn a_disabled_index_has_no_writer() {
    let index = AliasIndex::default();
    assert!(index.writer().is_none());
    assert!(!index.has_source());
    index.enable();
    assert!(!index.has_source(), "no component has reported anything");
    drop(index.writer());
    assert!(index.has_source());
    assert!(index.begin_loading("sqlite") && !index.begin_loading("sqlite"));
}

#[test]
fn the_version_changes_only_with_the_names() {
    let index = enabled_index();
    report_aliases(&index, "a", 10, &[ip("10.0.0.7")]);
    let version = index.version();
    report_aliases(&index, "a", 20, &[ip("10.0.0.7")]);
    assert_eq!(
        index.version(),
        version,
        "the same names were reported again"
    );
    report_aliases(&index, "a", 30, &[ip("10.0.0.8")]);
    assert_ne!(index.version(), version);
}

/// Counts all names and the past names again. Checks that the index has the same counts and finds every name.
fn checked_count(index: &AliasIndex) -> (usize, usize) {
    let state = index.state.read().unwrap();
    let counts = state
        .owners
        .values()
        .map(|owner| owner.name_count(&state.scopes));
    let (all, past) = counts.fold((0, 0), |(all, past), count| {
        (all + count.all, past + count.past)
    });
    assert_eq!(state.count, NameCount { all, past });
    let names = state.owners.values().flat_map(|owner| owner.names());
    for name in names {
        assert!(state.by_value[name.kind as usize].contains_key(&name.value));
    }
    (all, past)
}

/// Snapshots at consecutive times, no two with the same names. A deletion may replace one of the snapshots.
fn reports() -> impl Strategy<Value = Vec<(u64, Option<Vec<Alias>>)>> {
    let names = [ip("10.0.0.1"), ip("10.0.0.2"), ("dns", "a.example", None)];
    let snapshot = |bits: usize| {
        let set_bits = (0..3).filter(|bit| bits >> bit & 1 == 1);
        set_bits.map(|bit| names[bit]).collect::<Vec<_>>()
    };
    let snapshots = Just((1..8).map(snapshot).collect::<Vec<_>>()).prop_shuffle();
    (snapshots, 0..20_usize).prop_map(|(snapshots, deleted_at)| {
        let reports = (1..).zip(snapshots.into_iter().map(Some));
        reports
            .map(|(time, names)| (time, names.filter(|_| time as usize != deleted_at)))
            .collect()
    })
}

proptest! {
    #[test]
    fn the_order_of_reports_has_no_effect(
        (sorted, shuffled) in reports().prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle())),
    ) {
        let [one, other] = [sorted, shuffled].map(|reports| {
            let index = enabled_index();
            // The index ignores the deletion of a uid that never had a name.
            report_aliases(&index, "a", 0, &[("dns", "first.example", None)]);
            for (time, names) in reports {
                match names {
                    Some(names) => report_aliases(&index, "a", time, &names),
                    None => index.writer().unwrap().delete("a", at(time)),
                }
            }
            checked_count(&index);
            index
        });
        for time in 0..9 {
            for (kind, value) in [
                (AliasKind::Address, "10.0.0.1"),
                (AliasKind::Address, "10.0.0.2"),
                (AliasKind::Host, "a.example"),
            ] {
                let of = |index| owners(index, kind, value, time);
                prop_assert_eq!(of(&one), of(&other), "{} at {}", value, time);
            }
        }
    }

    #[test]
    fn the_newest_snapshot_holds_in_any_order_of_arrival(
        snapshots in prop::collection::vec(
            prop::sample::subsequence(vec![ip("10.0.0.1"), ip("10.0.0.2")], 0..=2),
            1..9,
        ).prop_flat_map(|sets| {
            let snapshots: Vec<_> = (1..).zip(sets).collect();
            Just(snapshots).prop_shuffle()
        }),
    ) {
        let index = enabled_index();
        report_aliases(&index, "a", 0, &[("dns", "first.example", None)]);
        for (time, names) in &snapshots {
            report_aliases(&index, "a", *time, names);
        }
        let (_, newest) = snapshots.iter().max_by_key(|(time, _)| *time).unwrap();
        for value in ["10.0.0.1", "10.0.0.2"] {
            let has_owner = !owners(&index, AliasKind::Address, value, 99).is_empty();
            prop_assert_eq!(has_owner, newest.contains(&ip(value)));
        }
        checked_count(&index);
    }
}
