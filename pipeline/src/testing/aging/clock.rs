//! A clock that was a day ahead for a while, and is right again.

use std::sync::Arc;

use super::fixture::{DAY, HOUR, MINUTE, seen, store, write};
use crate::claims::{Class, Removal};
use crate::component::UnixNanos;
use crate::graph_store::{At, GraphStore};
use crate::members::Members;
use crate::reports::{Completion, ReportBatch};
use crate::store::Store;
use crate::store::rows::Backend;
use crate::uid;

/// A scan that sees `members`, and sends rows of those that are new or changed.
async fn scan<B: Backend>(store: &Store<B>, time: u64, new: &[&str], members: &[&str]) -> u64 {
    let report = ReportBatch {
        sightings: new
            .iter()
            .map(|uid| seen(uid, Class::Actual, "s", time, 1))
            .collect(),
        completions: vec![Completion {
            class: Class::Actual,
            source: "aws",
            scope: "s",
            began: UnixNanos(time),
            members: Arc::new(Members::new(
                members.iter().map(|uid| (uid::hash(uid), 1)).collect(),
            )),
            miss: Removal::Deleted,
        }],
        ..ReportBatch::default()
    };
    write(store, time, report).await.late_completions
}

async fn there<B: Backend>(store: &Store<B>) -> Vec<String> {
    let uids = ["old", "gone", "ahead", "new"].map(str::to_owned);
    let nodes = store.nodes(&uids, At::Now).await.unwrap();
    let there = nodes.into_iter().flatten().filter(|it| it.ended.is_none());
    there.map(|node| node.uid).collect()
}

/// What was dated ahead has not happened yet: the scans that come once the clock is right count. What was
/// first seen under the wrong clock exists until its time has come, and is not lost.
pub(super) async fn scans_count_after_a_clock_was_ahead<B: Backend>(one: B, _: B) {
    let store = store(one);
    clock_is_ahead_for(3, &store).await;
}

/// As many as a scope keeps, and more.
pub(super) async fn scans_count_after_many_were_ahead<B: Backend>(one: B, _: B) {
    let store = store(one);
    clock_is_ahead_for(20, &store).await;
}

async fn clock_is_ahead_for<B: Backend>(scans: u64, store: &Store<B>) {
    scan(store, DAY, &["old", "gone"], &["old", "gone"]).await;
    for number in 0..scans {
        let new: &[&str] = if number == 0 { &["ahead"] } else { &[] };
        let time = 2 * DAY + number * 5 * MINUTE;
        scan(store, time, new, &["old", "gone", "ahead"]).await;
    }
    let right = DAY + 2 * HOUR;
    let members = ["old", "ahead", "new"];
    let late = scan(store, right, &["new"], &members).await;
    assert_eq!(
        (late, there(store).await),
        (0, members.map(str::to_owned).into())
    );
    // From then on as many scans as a scope keeps.
    for number in 1..20 {
        let time = right + number * 5 * MINUTE;
        let late = scan(store, time, &[], &["old", "new"]).await;
        assert_eq!(
            (late, there(store).await),
            (0, members.map(str::to_owned).into())
        );
    }
    let late = scan(store, 3 * DAY, &[], &["old", "new"]).await;
    let left = ["old", "new"].map(str::to_owned);
    assert_eq!((late, there(store).await), (0, left.into()));
    let report = store.check(false).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
}
