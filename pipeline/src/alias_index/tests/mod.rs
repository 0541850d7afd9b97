//! What is told of a small cloud, and what names then mean.

use proptest::prelude::{Just, Strategy, prop, prop_assert_eq, proptest};

use super::owner::Size;
use super::{AliasIndex, Holds, Kind};
use crate::component::UnixNanos;
use crate::reports::ReportBatch;
use crate::rows::{Cell, Rows};
use crate::schema::{aliases, edges};
use crate::{Delivery, Signal};

mod eviction;
mod scans;

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
    assert!(index.begin_loading("sqlite") && !index.begin_loading("sqlite"));
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
