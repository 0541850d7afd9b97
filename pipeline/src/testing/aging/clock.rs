//! Properties of a store that got scans with times a day ahead, and then scans with right times.

use std::sync::Arc;

use super::fixture::{DAY, HOUR, MINUTE, seen, store, write};
use crate::claims::{ClaimClass, Removal};
use crate::component::UnixNanos;
use crate::graph_store::{AsOf, GraphStore};
use crate::reports::{ReportBatch, ScanCompletion};
use crate::scan_members::Members;
use crate::store::Store;
use crate::store::rows::Backend;
use crate::uid;

/// Writes a scan of `members` that began at `time`, with rows for `new` only. Returns the number of late completions.
async fn scan<B: Backend>(store: &Store<B>, time: u64, new: &[&str], members: &[&str]) -> u64 {
    let report = ReportBatch {
        sightings: new
            .iter()
            .map(|uid| seen(uid, ClaimClass::Actual, "s", time, 1))
            .collect(),
        completions: vec![ScanCompletion {
            class: ClaimClass::Actual,
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

/// The uids of the properties that exist now.
async fn existing_uids<B: Backend>(store: &Store<B>) -> Vec<String> {
    let uids = ["old", "gone", "ahead", "new"].map(str::to_owned);
    let nodes = store.nodes(&uids, AsOf::Now).await.unwrap();
    let existing = nodes.into_iter().flatten().filter(|it| it.ended.is_none());
    existing.map(|node| node.uid).collect()
}

/// A scan with a future time is not applied before that time. A later scan with a right time is applied. A uid that was
/// first seen with a future time exists immediately, and it can end only once that time has passed.
pub(super) async fn scans_apply_after_scans_with_future_times<B: Backend>(one: B, _: B) {
    let store = store(one);
    check_scans_ahead(3, &store).await;
}

/// A scope keeps its newest 16 scans; here, 20 scans have future times.
pub(super) async fn scans_apply_after_more_future_scans_than_a_scope_keeps<B: Backend>(
    one: B,
    _: B,
) {
    let store = store(one);
    check_scans_ahead(20, &store).await;
}

/// Writes this number of scans with times that are a day ahead, then scans with right times.
async fn check_scans_ahead<B: Backend>(scans: u64, store: &Store<B>) {
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
        (late, existing_uids(store).await),
        (0, members.map(str::to_owned).into())
    );
    // More scans with right times than a scope keeps.
    for number in 1..20 {
        let time = right + number * 5 * MINUTE;
        let late = scan(store, time, &[], &["old", "new"]).await;
        assert_eq!(
            (late, existing_uids(store).await),
            (0, members.map(str::to_owned).into())
        );
    }
    let late = scan(store, 3 * DAY, &[], &["old", "new"]).await;
    let remaining = ["old", "new"].map(str::to_owned);
    assert_eq!((late, existing_uids(store).await), (0, remaining.into()));
    let report = store.check(false).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
}
