//! Eviction at the limit.

use std::num::NonZeroUsize;

use super::{at, checked_count, ip, owners, report_aliases};
use crate::alias_index::{AliasIndex, AliasKind, AliasWriter};
use crate::counters::Counter;

/// An index with this limit, and the counter of its evicted names.
fn index_with_limit(limit: usize) -> (AliasIndex, Counter) {
    let evicted = Counter::default();
    let index = AliasIndex::new(evicted.clone());
    index.raise_limit(NonZeroUsize::new(limit).unwrap());
    index.enable();
    (index, evicted)
}

#[test]
fn a_full_index_never_answers_with_a_superseded_owner() {
    let (index, evicted) = index_with_limit(32);
    let report = |uid: u64, name: u64, time| {
        let (uid, value) = (format!("uid-{uid}"), format!("{name}.example"));
        let mut writer = index.writer().unwrap();
        writer.put_aliases(&uid, "aws", at(time), [("dns", &*value, None)].into_iter());
    };
    let owners = |name: u64| owners(&index, AliasKind::Host, &format!("{name}.example"), 9_999);
    // 32 uids have one name each, and none has ended.
    for uid in 0..32 {
        report(uid, uid, 10 + uid);
    }
    // Other uids take the names over, one after the other.
    for uid in 32..64 {
        report(uid, uid - 32, 100 + uid);
        assert!(checked_count(&index).0 <= 32);
        assert!(
            owners(uid - 32).contains(&format!("uid-{uid}@")),
            "{uid} is the newest"
        );
    }
    for name in 0..32 {
        let (newest, owners) = (format!("uid-{}@", name + 32), owners(name));
        assert!(
            owners.is_empty() || owners.contains(&newest),
            "{name}: {owners:?}"
        );
    }
    assert!(evicted.get() >= 32);
}

#[test]
fn names_that_ended_are_evicted_before_names_that_were_seen_longest_ago() {
    let (index, evicted) = index_with_limit(32);
    let report = |uid: u64, time| {
        let (uid, value) = (format!("uid-{uid}"), format!("{uid}.example"));
        let mut writer = index.writer().unwrap();
        writer.put_aliases(&uid, "aws", at(time), [("dns", &*value, None)].into_iter());
    };
    let knows = |uid: u64, time| {
        !owners(&index, AliasKind::Host, &format!("{uid}.example"), time).is_empty()
    };
    for uid in 0..8 {
        report(uid, 10 + uid);
        let mut writer = index.writer().unwrap();
        writer.delete(&format!("uid-{uid}"), at(20 + uid));
    }
    assert_eq!(checked_count(&index), (8, 8));
    for uid in 8..34 {
        report(uid, 30 + uid);
    }
    assert!(!knows(0, 15) && !knows(1, 15) && knows(7, 20));
    assert!((8..34).all(|uid| knows(uid, 99)), "current names stay");
    for uid in 34..50 {
        report(uid, 30 + uid);
    }
    assert!(!knows(7, 20) && !knows(8, 99) && knows(49, 99));
    assert!(checked_count(&index).0 <= 32 && checked_count(&index).1 == 0);
    assert!(evicted.get() >= 18);
}

#[test]
fn an_evicted_address_does_not_become_the_address_of_its_interface() {
    let (index, _) = index_with_limit(16);
    report_aliases(&index, "instance", 10, &[ip("10.0.0.7")]);
    let interface = ("interface_ip", "10.0.0.7", Some("vpc-1"));
    report_aliases(
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
    assert_eq!(owners(&index, AliasKind::Address, "10.0.0.7", 99), [""; 0]);
    assert_eq!(
        owners(&index, AliasKind::InterfaceAddress, "10.0.0.7", 99),
        [""; 0]
    );
    assert_eq!(
        owners(&index, AliasKind::Host, "eni.example", 99),
        ["interface@"]
    );
}

#[test]
fn the_greatest_of_several_limits_applies() {
    let index = AliasIndex::default();
    let max_names = || index.state.read().unwrap().max_names;
    assert_eq!(max_names(), AliasIndex::DEFAULT_LIMIT.get());
    for (limit, expected) in [(10, 10), (30, 30), (20, 30)] {
        index.raise_limit(NonZeroUsize::new(limit).unwrap());
        assert_eq!(max_names(), expected);
    }
}

#[test]
fn short_lived_names_keep_the_size_bounded() {
    let (index, _) = index_with_limit(64);
    for time in 0..10_000_u64 {
        let value = format!("10.0.{}.{}", time / 200 % 200, time % 200);
        let mut writer: AliasWriter<'_> = index.writer().unwrap();
        writer.put_aliases("a", "aws", at(time), [("ip", &*value, None)].into_iter());
    }
    assert!(checked_count(&index).0 <= 64);
    assert_eq!(
        owners(&index, AliasKind::Address, "10.0.49.199", 9_999),
        ["a@"]
    );
}
