//! Properties of scopes that are no longer scanned.

use std::sync::Arc;

use super::fixture::{DAY, retention_of, run_housekeeping, seen, store, write};
use crate::claims::{ClaimClass, Removal};
use crate::component::UnixNanos;
use crate::reports::{ReportBatch, ScanCompletion};
use crate::scan_members::Members;
use crate::store::Store;
use crate::store::rows::{Backend, ReadRows as _};
use crate::uid;

/// Writes a complete scan of a scope with these uids.
async fn scan<B: Backend>(store: &Store<B>, scope: &str, time: u64, uids: &[&str]) {
    let members = uids.iter().map(|uid| (uid::hash(uid), 1));
    let report = ReportBatch {
        sightings: uids
            .iter()
            .map(|uid| seen(uid, ClaimClass::Actual, scope, time, 1))
            .collect(),
        completions: vec![ScanCompletion {
            class: ClaimClass::Actual,
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

/// The names of all stored scopes, sorted.
async fn stored_scopes<B: Backend>(store: &Store<B>) -> Vec<String> {
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
        sightings: vec![seen("made", ClaimClass::Created, "created", DAY, 1)],
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
    // The scan without `made` ended the claim of the create event. Housekeeping first removes the ended claims, then
    // the scopes that no claim names.
    for day in 19..23 {
        run_housekeeping(&store, day * DAY, &retention_of(2 * DAY)).await;
    }
    assert_eq!(stored_scopes(&store).await, ["living", "silent"]);
    let report = store.check(false).await.unwrap();
    assert!(report.is_clean(), "{report:?}");

    // A removed scope that is scanned again is stored like a new one.
    scan(&store, "retired", 23 * DAY, &["retired"]).await;
    assert_eq!(stored_scopes(&store).await, ["living", "retired", "silent"]);
    run_housekeeping(&store, 24 * DAY, &retention_of(2 * DAY)).await;
    assert_eq!(stored_scopes(&store).await, ["living", "retired", "silent"]);
}
