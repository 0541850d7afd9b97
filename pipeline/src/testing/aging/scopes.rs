//! Scopes that are not scanned any more.

use std::sync::Arc;

use super::fixture::{DAY, keep_house, kept, seen, store, write};
use crate::claims::{Class, Removal};
use crate::component::UnixNanos;
use crate::members::Members;
use crate::reports::{Completion, ReportBatch};
use crate::store::Store;
use crate::store::rows::{Backend, ReadRows as _};
use crate::uid;

/// A scan of a scope that sees these uids.
async fn scan<B: Backend>(store: &Store<B>, scope: &str, time: u64, uids: &[&str]) {
    let members = uids.iter().map(|uid| (uid::hash(uid), 1));
    let report = ReportBatch {
        sightings: uids
            .iter()
            .map(|uid| seen(uid, Class::Actual, scope, time, 1))
            .collect(),
        completions: vec![Completion {
            class: Class::Actual,
            source: "aws",
            scope,
            began: UnixNanos(time),
            members: Arc::new(Members::new(members.collect())),
            miss: Removal::Deleted,
        }],
        ..ReportBatch::default()
    };
    write(store, time, report).await;
}

/// The names of the scopes that the store knows.
async fn known<B: Backend>(store: &Store<B>) -> Vec<String> {
    let mut rows = store.backend().read().await.unwrap();
    let scopes = rows.scopes(None).await.unwrap();
    let names: Vec<_> = scopes.iter().map(|row| row.key.scope).collect();
    let mut names = rows.texts(&names).await.unwrap();
    names.sort();
    names
}

pub(super) async fn retired_scopes_are_removed<B: Backend>(one: B, _: B) {
    let store = store(one);
    let created = ReportBatch {
        sightings: vec![seen("made", Class::Created, "created", DAY, 1)],
        ..ReportBatch::default()
    };
    write(&store, DAY, created).await;
    for scope in ["retired", "empty", "created", "silent", "living"] {
        scan(&store, scope, DAY, &[scope]).await;
    }
    for scope in ["retired", "empty", "created"] {
        scan(&store, scope, 2 * DAY, &[]).await;
    }
    scan(&store, "living", 19 * DAY, &["living"]).await;
    // What the create event opened ended with the scan; then all that ended goes, and what named it.
    for day in 19..23 {
        keep_house(&store, day * DAY, &kept(2 * DAY)).await;
    }
    assert_eq!(known(&store).await, ["living", "silent"]);
    let report = store.check(false).await.unwrap();
    assert!(report.is_clean(), "{report:?}");

    // One that is scanned again is as one that never was.
    scan(&store, "retired", 23 * DAY, &["retired"]).await;
    assert_eq!(known(&store).await, ["living", "retired", "silent"]);
    keep_house(&store, 24 * DAY, &kept(2 * DAY)).await;
    assert_eq!(known(&store).await, ["living", "retired", "silent"]);
}
