//! What is evicted at the limit.

use std::num::NonZeroUsize;

use super::super::{AliasIndex, Kind, Writer};
use super::{at, ip, owners, size, tell};
use crate::counters::Counter;

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
