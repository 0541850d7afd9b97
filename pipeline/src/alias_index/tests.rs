//! What is told of a small cloud, and what names then mean.

use std::num::NonZeroUsize;
use std::sync::Arc;

use proptest::prelude::{Just, Strategy, prop, prop_assert_eq, proptest};

use super::owner::Size;
use super::{AliasIndex, Holds, Kind, StoredClaim, Writer};
use crate::claims::{By, Class, Removal};
use crate::component::UnixNanos;
use crate::counters::Counter;
use crate::facts::Members;
use crate::reports::{AliasItem, Completion, Items, Removed, ReportBatch, Sighting, Snapshot};
use crate::rows::{Cell, Rows};
use crate::schema::{aliases, edges};
use crate::{Delivery, Signal, uid};

type Alias = (&'static str, &'static str, Option<&'static str>);

fn at(time: u64) -> UnixNanos {
    UnixNanos(time)
}

fn asked() -> AliasIndex {
    let index = AliasIndex::default();
    index.ask();
    index
}

fn tell(index: &AliasIndex, uid: &str, time: u64, names: &[Alias]) {
    let mut writer = index.writer().unwrap();
    writer.put_aliases(uid, "aws", at(time), names.iter().copied());
}

fn ip(value: &'static str) -> Alias {
    ("ip", value, Some("vpc-1"))
}

/// `uid@scope` of all that the name leads to at a time.
fn owners(index: &AliasIndex, kind: Kind, value: &str, time: u64) -> Vec<String> {
    let view = index.view();
    let found = view.owners(kind, value, &mut Holds::at(at(time)));
    let mut found: Vec<_> = found
        .into_iter()
        .map(|(uid, scope)| format!("{uid}@{scope}"))
        .collect();
    found.sort();
    found
}

#[test]
fn a_set_holds_from_its_time_on_until_its_source_tells_another() {
    let index = asked();
    tell(&index, "a", 10, &[ip("10.0.0.7"), ip("10.0.0.8")]);
    tell(&index, "a", 20, &[ip("10.0.0.8")]);
    let of = |value, time| owners(&index, Kind::Address, value, time);
    assert_eq!(of("10.0.0.7", 9), [""; 0]);
    assert_eq!(of("10.0.0.7", 10), ["a@vpc-1"]);
    assert_eq!(of("10.0.0.7", 19), ["a@vpc-1"]);
    assert_eq!(of("10.0.0.7", 20), [""; 0]);
    assert_eq!(of("10.0.0.8", 99), ["a@vpc-1"]);
}

#[test]
fn what_another_source_tells_stays() {
    let index = asked();
    tell(&index, "a", 10, &[ip("10.0.0.7")]);
    let mut writer = index.writer().unwrap();
    writer.put_aliases("a", "other", at(20), [ip("10.0.0.8")].into_iter());
    drop(writer);
    assert_eq!(owners(&index, Kind::Address, "10.0.0.7", 30), ["a@vpc-1"]);
}

#[test]
fn an_address_moves_and_the_past_stays_known() {
    let index = asked();
    tell(&index, "a", 10, &[ip("10.0.0.7")]);
    index.writer().unwrap().delete("a", at(20));
    tell(&index, "b", 30, &[ip("10.0.0.7")]);
    let of = |time| owners(&index, Kind::Address, "10.0.0.7", time);
    assert_eq!(of(15), ["a@vpc-1"]);
    assert_eq!(of(25), [""; 0]);
    assert_eq!(of(30), ["b@vpc-1"]);
    tell(&index, "a", 40, &[ip("10.0.0.7")]);
    assert_eq!(of(40), ["a@vpc-1", "b@vpc-1"], "it is there again");
}

#[test]
fn names_have_one_form() {
    let index = asked();
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
    tell(&index, "a", 10, &names);
    for (kind, value) in [
        (Kind::Host, "db.example"),
        (Kind::Address, "10.0.0.7"),
        (Kind::InterfaceAddress, "fd00::7"),
        (Kind::ReservedAddress, "54.1.2.3"),
        (Kind::Instance, "i-1"),
        (Kind::SameAs, "ext://db.example:"),
    ] {
        assert_eq!(owners(&index, kind, value, 10).len(), 1, "{value}");
    }
    assert_eq!(owners(&index, Kind::Instance, "sg-1", 10), [""; 0]);
    assert_eq!(index.view().all_names("a", Kind::Host).count(), 1);
}

#[test]
fn what_was_seen_by_itself_holds_from_then_on_unless_it_is_an_address() {
    let index = asked();
    let mut writer = index.writer().unwrap();
    writer.put_observation("a", ("dns", "a.example", ""), at(10), None);
    writer.put_observation("a", ("dns", "a.example", ""), at(5), None);
    writer.put_observation("a", ("dns", "b.example", ""), at(5), Some(at(8)));
    writer.put_observation("a", ("ip", "10.0.0.7", "vpc-1"), at(5), None);
    writer.put_observation("a", ("reserved_ip", "54.1.2.3", ""), at(5), None);
    drop(writer);
    assert_eq!(owners(&index, Kind::Host, "a.example", 4), [""; 0]);
    assert_eq!(owners(&index, Kind::Host, "a.example", 5), ["a@"]);
    assert_eq!(owners(&index, Kind::Host, "b.example", 7), ["a@"]);
    assert_eq!(owners(&index, Kind::Host, "b.example", 8), [""; 0]);
    assert_eq!(owners(&index, Kind::Address, "10.0.0.7", 9), [""; 0]);
    assert_eq!(
        owners(&index, Kind::ReservedAddress, "54.1.2.3", 9),
        [""; 0]
    );
    index.writer().unwrap().delete("a", at(20));
    assert_eq!(owners(&index, Kind::Host, "a.example", 20), [""; 0]);
}

#[test]
fn an_answer_says_how_long_it_holds() {
    let index = asked();
    tell(&index, "a", 10, &[ip("10.0.0.7")]);
    tell(&index, "a", 20, &[]);
    tell(&index, "b", 30, &[ip("10.0.0.7")]);
    let mut holds = Holds::at(at(15));
    index.view().owners(Kind::Address, "10.0.0.7", &mut holds);
    let within = [9, 10, 19, 20].map(|time| holds.contains(at(time)));
    assert_eq!(within, [false, true, true, false]);
    let mut holds = Holds::at(at(15));
    index.view().owners(Kind::Address, "10.0.0.9", &mut holds);
    assert!(holds.contains(at(0)) && holds.contains(at(99)));
}

#[test]
fn it_is_known_since_when_a_name_leads_where_it_does() {
    let index = asked();
    tell(&index, "a", 10, &[ip("10.0.0.7")]);
    tell(&index, "a", 20, &[]);
    tell(&index, "a", 30, &[ip("10.0.0.7")]);
    tell(&index, "a", 40, &[ip("10.0.0.7"), ip("10.0.0.8")]);
    let since = |value| index.view().since("a", Kind::Address, value);
    assert_eq!(since("10.0.0.7"), Some(at(30)));
    assert_eq!(since("10.0.0.8"), Some(at(40)));
    tell(&index, "a", 50, &[ip("10.0.0.8")]);
    assert_eq!(since("10.0.0.7"), None);
}

#[test]
fn a_batch_of_aliases_is_taken_in() {
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
    let batch = rows.finish(Delivery::nobody());
    let index = asked();
    index
        .writer()
        .unwrap()
        .take_in(&ReportBatch::of(&batch, at(99)));
    let of = |time| owners(&index, Kind::Address, "10.0.0.8", time);
    assert_eq!((of(10), of(20)), (vec!["a@vpc-1".to_owned()], vec![]));
    assert_eq!(owners(&index, Kind::Host, "b.example", 10), ["b@"]);
}

#[test]
fn nothing_is_kept_where_nobody_asks() {
    let index = AliasIndex::default();
    assert!(index.writer().is_none());
    assert!(!index.is_fed());
    index.ask();
    assert!(!index.is_fed(), "nobody has told anything");
    drop(index.writer());
    assert!(index.is_fed());
    assert!(index.begins_with("sqlite") && !index.begins_with("sqlite"));
}

#[test]
fn its_version_tells_when_something_is_new() {
    let index = asked();
    tell(&index, "a", 10, &[ip("10.0.0.7")]);
    let version = index.version();
    tell(&index, "a", 20, &[ip("10.0.0.7")]);
    assert_eq!(index.version(), version, "told again");
    tell(&index, "a", 30, &[ip("10.0.0.8")]);
    assert_ne!(index.version(), version);
}

fn size(index: &AliasIndex) -> (usize, usize) {
    let held = index.held.read().unwrap();
    let sizes = held.owners.values().map(|owner| owner.size(&held.scopes));
    let sum = sizes.fold(Size::default(), Size::plus);
    assert_eq!(held.size, sum);
    let values = held.owners.values().flat_map(|owner| owner.names());
    for name in values {
        assert!(held.by_value[name.kind as usize].contains_key(&name.value));
    }
    (sum.all, sum.past)
}

/// An index that holds so many names, and how many it evicted.
fn small(limit: usize) -> (AliasIndex, Counter) {
    let evicted = Counter::default();
    let index = AliasIndex::new(evicted.clone());
    index.limit(NonZeroUsize::new(limit).unwrap());
    index.ask();
    (index, evicted)
}

#[test]
fn a_full_alias_index_evicts_and_never_answers_with_a_superseded_owner() {
    let (index, evicted) = small(32);
    let report = |uid: u64, name: u64, time| {
        let (uid, value) = (format!("uid-{uid}"), format!("{name}.example"));
        let mut writer = index.writer().unwrap();
        writer.put_aliases(&uid, "aws", at(time), [("dns", &*value, None)].into_iter());
    };
    let owners = |name: u64| owners(&index, Kind::Host, &format!("{name}.example"), 9_999);
    // All hold a name, and none has ended.
    for uid in 0..32 {
        report(uid, uid, 10 + uid);
    }
    // Others take the names over, one after the other.
    for uid in 32..64 {
        report(uid, uid - 32, 100 + uid);
        assert!(size(&index).0 <= 32);
        assert!(
            owners(uid - 32).contains(&format!("uid-{uid}@")),
            "{uid} is the newest"
        );
    }
    for name in 0..32 {
        let (newest, found) = (format!("uid-{}@", name + 32), owners(name));
        assert!(
            found.is_empty() || found.contains(&newest),
            "{name}: {found:?}"
        );
    }
    assert!(evicted.get() >= 32);
}

#[test]
fn of_too_much_what_is_over_goes_first_and_then_what_was_seen_longest_ago() {
    let (index, evicted) = small(32);
    let report = |uid: u64, time| {
        let (uid, value) = (format!("uid-{uid}"), format!("{uid}.example"));
        let mut writer = index.writer().unwrap();
        writer.put_aliases(&uid, "aws", at(time), [("dns", &*value, None)].into_iter());
    };
    let knows =
        |uid: u64, time| !owners(&index, Kind::Host, &format!("{uid}.example"), time).is_empty();
    for uid in 0..8 {
        report(uid, 10 + uid);
        let mut writer = index.writer().unwrap();
        writer.delete(&format!("uid-{uid}"), at(20 + uid));
    }
    assert_eq!(size(&index), (8, 8));
    for uid in 8..34 {
        report(uid, 30 + uid);
    }
    assert!(!knows(0, 15) && !knows(1, 15) && knows(7, 20));
    assert!((8..34).all(|uid| knows(uid, 99)), "what holds stays");
    for uid in 34..50 {
        report(uid, 30 + uid);
    }
    assert!(!knows(7, 20) && !knows(8, 99) && knows(49, 99));
    assert!(size(&index).0 <= 32 && size(&index).1 == 0);
    assert!(evicted.get() >= 18);
}

#[test]
fn an_evicted_address_is_nobodys_and_not_its_interfaces() {
    let (index, _) = small(16);
    tell(&index, "instance", 10, &[ip("10.0.0.7")]);
    let interface = ("interface_ip", "10.0.0.7", Some("vpc-1"));
    tell(
        &index,
        "interface",
        50,
        &[interface, ("dns", "eni.example", None)],
    );
    for uid in 0..14_u64 {
        let (uid, value) = (format!("uid-{uid}"), format!("{uid}.example"));
        let mut writer = index.writer().unwrap();
        writer.put_aliases(&uid, "aws", at(40), [("dns", &*value, None)].into_iter());
    }
    assert_eq!(owners(&index, Kind::Address, "10.0.0.7", 99), [""; 0]);
    assert_eq!(
        owners(&index, Kind::InterfaceAddress, "10.0.0.7", 99),
        [""; 0]
    );
    assert_eq!(
        owners(&index, Kind::Host, "eni.example", 99),
        ["interface@"]
    );
}

#[test]
fn of_several_limits_the_greatest_counts() {
    let index = AliasIndex::default();
    let held = || index.held.read().unwrap().most;
    assert_eq!(held(), AliasIndex::DEFAULT_LIMIT.get());
    for (limit, most) in [(10, 10), (30, 30), (20, 30)] {
        index.limit(NonZeroUsize::new(limit).unwrap());
        assert_eq!(held(), most);
    }
}

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

#[test]
fn what_comes_and_goes_keeps_the_room_bounded() {
    let (index, _) = small(64);
    for time in 0..10_000_u64 {
        let value = format!("10.0.{}.{}", time / 200 % 200, time % 200);
        let mut writer: Writer<'_> = index.writer().unwrap();
        writer.put_aliases("a", "aws", at(time), [("ip", &*value, None)].into_iter());
    }
    assert!(size(&index).0 <= 64);
    assert_eq!(owners(&index, Kind::Address, "10.0.49.199", 9_999), ["a@"]);
}

/// At each time another set, and at one of them perhaps the end.
fn told() -> impl Strategy<Value = Vec<(u64, Option<Vec<Alias>>)>> {
    let names = [ip("10.0.0.1"), ip("10.0.0.2"), ("dns", "a.example", None)];
    let set = |bits: usize| {
        let of_bits = (0..3).filter(|bit| bits >> bit & 1 == 1);
        of_bits.map(|bit| names[bit]).collect::<Vec<_>>()
    };
    let sets = Just((1..8).map(set).collect::<Vec<_>>()).prop_shuffle();
    (sets, 0..20_usize).prop_map(|(sets, end)| {
        let told = (1..).zip(sets.into_iter().map(Some));
        told.map(|(time, names)| (time, names.filter(|_| time as usize != end)))
            .collect()
    })
}

proptest! {
    #[test]
    fn in_which_order_it_is_told_means_nothing(
        (told, order) in told().prop_flat_map(|told| (Just(told.clone()), Just(told).prop_shuffle())),
    ) {
        let [one, other] = [told, order].map(|told| {
            let index = asked();
            // What ends must be known: the source has told of it.
            tell(&index, "a", 0, &[("dns", "first.example", None)]);
            for (time, names) in told {
                match names {
                    Some(names) => tell(&index, "a", time, &names),
                    None => index.writer().unwrap().delete("a", at(time)),
                }
            }
            size(&index);
            index
        });
        for time in 0..9 {
            for (kind, value) in [
                (Kind::Address, "10.0.0.1"),
                (Kind::Address, "10.0.0.2"),
                (Kind::Host, "a.example"),
            ] {
                let of = |index| owners(index, kind, value, time);
                prop_assert_eq!(of(&one), of(&other), "{} at {}", value, time);
            }
        }
    }

    #[test]
    fn what_was_told_last_is_what_holds_in_whatever_order(
        told in prop::collection::vec(
            prop::sample::subsequence(vec![ip("10.0.0.1"), ip("10.0.0.2")], 0..=2),
            1..9,
        ).prop_flat_map(|sets| {
            let told: Vec<_> = (1..).zip(sets).collect();
            Just(told).prop_shuffle()
        }),
    ) {
        let index = asked();
        tell(&index, "a", 0, &[("dns", "first.example", None)]);
        for (time, names) in &told {
            tell(&index, "a", *time, names);
        }
        let (_, newest) = told.iter().max_by_key(|(time, _)| *time).unwrap();
        for value in ["10.0.0.1", "10.0.0.2"] {
            let holds = !owners(&index, Kind::Address, value, 99).is_empty();
            prop_assert_eq!(holds, newest.contains(&ip(value)));
        }
        size(&index);
    }
}
