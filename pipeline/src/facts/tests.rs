//! Whatever the order in which a history is told, what is current in the end is the same.

mod history;
mod memory;

use std::sync::Arc;

use proptest::prelude::*;

use self::history::{histories, shuffled};
use self::memory::Memory;
use super::{Completion, Content, Fact, Members, group};
use crate::component::UnixNanos;
use crate::graph_store::At;
use crate::uid;

/// Names the one value that a lifecycle has.
const EXISTS: u64 = 2;

fn fact(uid: &str, group: &str, source: &str, scope: &str, hash: u64, time: u64) -> Fact<'static> {
    Fact {
        uid: uid.to_owned().into(),
        group: group.to_owned().into(),
        source: source.to_owned().into(),
        scope: scope.to_owned().into(),
        hash,
        first_seen: UnixNanos(time),
        last_seen: UnixNanos(time),
        content: Content {
            kind: Some(format!("kind-{hash}").into()),
            ..Content::default()
        },
    }
}

fn scan(scope: &str, began: u64, members: &[(&str, u64)]) -> Completion {
    let pairs = members.iter().map(|(uid, state)| (uid::hash(uid), *state));
    Completion {
        scope: scope.to_owned(),
        source: "aws".to_owned(),
        group: group::ACTUAL.to_owned(),
        began: UnixNanos(began),
        members: Arc::new(Members::new(pairs.collect())),
    }
}

/// What a scan tells of a thing in a state.
fn seen(memory: &mut Memory, uid: &str, scope: &str, state: u64, time: u64) {
    memory.write(
        fact(uid, group::LIFECYCLE, "aws", scope, EXISTS, time),
        true,
    );
    memory.write(fact(uid, group::ACTUAL, "aws", scope, state, time), true);
}

proptest! {
    #[test]
    fn any_order_ends_in_the_same_state(told in histories(), seeds in any::<(u64, u64)>()) {
        let mut states = Vec::new();
        for seed in [seeds.0, seeds.1] {
            let mut memory = Memory::default();
            for telling in shuffled(&told, seed) {
                memory.tell(&telling);
            }
            states.push(memory.current());
        }
        prop_assert_eq!(&states[0], &states[1]);
    }

    #[test]
    fn telling_all_again_changes_nothing(told in histories(), seed in any::<u64>()) {
        let mut memory = Memory::default();
        for telling in &told {
            memory.tell(telling);
        }
        let before = memory.current();
        for telling in shuffled(&told, seed) {
            memory.tell(&telling);
        }
        prop_assert_eq!(before, memory.current());
    }
}

#[test]
fn a_completed_scan_ends_what_its_scope_saw_before_when_it_began() {
    let mut memory = Memory::default();
    seen(&mut memory, "i", "s", 7, 10);
    memory.complete(scan("s", 10, &[("i", 7)]));
    memory.complete(scan("other", 15, &[]));
    assert_eq!(
        memory.node("i", At::Now).unwrap().ended,
        None,
        "another scope says nothing of it"
    );
    memory.complete(scan("s", 20, &[]));
    memory.complete(scan("s", 30, &[]));
    assert_eq!(
        memory.node("i", At::Now).unwrap().ended,
        Some(UnixNanos(20))
    );
    assert_eq!(
        memory.node("i", At::Time(UnixNanos(19))).unwrap().ended,
        None
    );
    assert_eq!(memory.node("i", At::Time(UnixNanos(9))), None);
}

#[test]
fn a_late_sighting_does_not_revive_and_a_later_one_does() {
    let mut memory = Memory::default();
    memory.complete(scan("s", 20, &[]));
    seen(&mut memory, "i", "s", 7, 10);
    assert_eq!(
        memory.node("i", At::Now).unwrap().ended,
        Some(UnixNanos(20))
    );
    // Created while that scan was on its way: the event is newer than what the scan began with.
    memory.write(fact("i", group::LIFECYCLE, "trail", "", EXISTS, 21), false);
    assert_eq!(memory.node("i", At::Now).unwrap().ended, None);
}

#[test]
fn telemetry_neither_revives_nor_ends() {
    let mut memory = Memory::default();
    memory.write(
        fact("i", group::LIFECYCLE, "trail", "", Fact::TOMBSTONE, 20),
        false,
    );
    memory.write(fact("i", group::TELEMETRY, "otlp", "", 7, 30), false);
    assert_eq!(
        memory.node("i", At::Now).unwrap().ended,
        Some(UnixNanos(20))
    );
    memory.write(fact("svc", group::TELEMETRY, "otlp", "", 7, 30), false);
    assert_eq!(memory.node("svc", At::Now).unwrap().ended, None);
}

#[test]
fn an_unchanged_scan_is_one_row() {
    let mut memory = Memory::default();
    for began in [10, 20, 30] {
        for uid in ["a", "b", "c"] {
            seen(&mut memory, uid, "s", 7, began);
        }
        memory.complete(scan("s", began, &[("a", 7), ("b", 7), ("c", 7)]));
    }
    assert_eq!(
        memory.rows_written(),
        3 * 2 + 3,
        "six facts once, and each completion"
    );
    assert_eq!(memory.node("a", At::Now).unwrap().last_seen, UnixNanos(30));
}

#[test]
fn what_was_is_still_known() {
    let mut memory = Memory::default();
    for (state, began) in [(7, 10), (8, 20), (7, 30)] {
        seen(&mut memory, "i", "s", state, began);
        memory.complete(scan("s", began, &[("i", state)]));
    }
    let kind = |at| memory.node("i", at).unwrap().kind;
    assert_eq!(kind(At::Time(UnixNanos(15))), "kind-7");
    assert_eq!(kind(At::Time(UnixNanos(25))), "kind-8");
    assert_eq!(kind(At::Now), "kind-7");
}

#[test]
fn the_newest_set_of_a_source_wins_as_a_whole() {
    let mut memory = Memory::default();
    memory.write(fact("i", group::EDGES, "aws", "", 7, 10), true);
    memory.write(fact("i", group::EDGES, "aws", "", 8, 20), true);
    memory.write(fact("i", group::EDGES, "otlp", "", 9, 5), true);
    let sets = memory.sets("i", At::Now);
    assert_eq!((sets["aws"].0, sets["otlp"].0), (8, 9));
    assert_eq!(memory.sets("i", At::Time(UnixNanos(15)))["aws"].0, 7);
}

#[test]
fn the_end_of_what_came_and_went_stays_where_it_was() {
    let mut memory = Memory::default();
    seen(&mut memory, "a", "s", 7, 5);
    memory.complete(scan("s", 5, &[("a", 7)]));
    seen(&mut memory, "b", "s", 7, 10);
    memory.complete(scan("s", 10, &[("a", 7), ("b", 7)]));
    for began in [20, 30, 40] {
        memory.complete(scan("s", began, &[("a", 7)]));
        assert_eq!(
            memory.node("b", At::Now).unwrap().ended,
            Some(UnixNanos(20))
        );
    }
    assert_eq!(
        memory.node("b", At::Time(UnixNanos(15))).unwrap().ended,
        None
    );
    assert_eq!(
        memory.node("b", At::Time(UnixNanos(25))).unwrap().ended,
        Some(UnixNanos(20))
    );
}

#[test]
fn what_one_scan_missed_is_missed_for_that_time_alone() {
    let mut memory = Memory::default();
    seen(&mut memory, "b", "s", 7, 10);
    memory.complete(scan("s", 10, &[("b", 7)]));
    memory.complete(scan("s", 30, &[]));
    for began in [40, 50, 1000] {
        seen(&mut memory, "b", "s", 7, began);
        memory.complete(scan("s", began, &[("b", 7)]));
    }
    let ended = |at| memory.node("b", At::Time(UnixNanos(at))).unwrap().ended;
    assert_eq!(ended(35), Some(UnixNanos(30)));
    assert_eq!((ended(500), ended(25)), (None, None));
}

proptest! {
    #[test]
    fn the_past_is_what_the_last_scan_before_it_saw(
        scans in proptest::collection::btree_map(0..40u64, any::<[bool; 2]>(), 1..12),
        seed in any::<u64>(),
        at in 0..45u64,
    ) {
        let uids = ["a", "b"];
        let told: Vec<history::Telling> = scans
            .iter()
            .flat_map(|(began, there)| {
                let states = there.iter().map(|there| there.then_some(7)).collect();
                history::told_by(&(0, *began, states), &uids)
            })
            .collect();
        let mut memory = Memory::default();
        for telling in shuffled(&told, seed) {
            memory.tell(&telling);
        }
        let last = scans.range(..=at).next_back();
        for (index, uid) in uids.iter().enumerate() {
            let known = scans.range(..=at).any(|(_, there)| there[index]);
            let exists = last.is_some_and(|(_, there)| there[index]);
            let node = memory.node(uid, At::Time(UnixNanos(at)));
            prop_assert_eq!(node.is_some(), known);
            prop_assert_eq!(node.is_some_and(|node| node.ended.is_none()), exists);
        }
    }
}
