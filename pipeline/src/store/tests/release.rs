//! Release of the scopes of a removed receiver.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::claims::{ClaimClass, Existence, Removal, Report, ReportedBy};
use crate::component::UnixNanos;
use crate::graph_store::AsOf;
use crate::reports::ReportBatch;
use crate::store::memory::MemoryBackend;
use crate::store::{ReleaseError, ReleasedScope, Store};
use crate::testing::memory_store;

/// Writes a complete scan of a scope that sees these uids.
async fn scan(store: &Store<MemoryBackend>, source: &str, scope: &str, uids: &[&str]) {
    let time = UnixNanos(UnixNanos::now().0 - 1);
    let seen = uids.iter().map(|uid| Report::Seen {
        uid: (*uid).to_owned(),
        class: ClaimClass::Actual,
        source: source.to_owned(),
        scope: scope.to_owned(),
        time,
        state: 7,
        by: ReportedBy::Scan,
    });
    let members: BTreeMap<String, u64> = uids.iter().map(|uid| ((*uid).to_owned(), 7)).collect();
    let completion = Report::Completion {
        source: source.to_owned(),
        scope: scope.to_owned(),
        class: ClaimClass::Actual,
        began: time,
        members,
        miss: Removal::Deleted,
    };
    let reports: Vec<Report> = seen.chain([completion]).collect();
    let batch = ReportBatch::from_reports(&reports);
    store.write(&batch).await.unwrap();
}

/// A store with three scopes of `aws/old` and one of `aws/new`.
async fn store_with_scans() -> Store<MemoryBackend> {
    let store = memory_store();
    scan(
        &store,
        "aws/old",
        "1/eu/sg",
        &["a", "b", "c", "d", "shared"],
    )
    .await;
    scan(&store, "aws/old", "1/us/sg", &["e"]).await;
    scan(&store, "aws/old", "1/us/sg/filter", &["f"]).await;
    scan(&store, "aws/new", "1/eu/sg", &["shared"]).await;
    store
}

async fn existence_of(store: &Store<MemoryBackend>, uid: &str) -> Existence {
    store
        .inspect(uid)
        .await
        .unwrap()
        .unwrap()
        .existence(AsOf::Now)
}

fn released(scope: &str, unobserved: u64) -> ReleasedScope {
    ReleasedScope {
        scope: scope.to_owned(),
        unobserved,
    }
}

#[tokio::test]
async fn resources_of_a_released_source_become_unobserved_and_do_not_end() {
    let store = store_with_scans().await;
    let all = store.release("aws/old", None).await.unwrap();
    assert_eq!(all[0], released("1/eu/sg", 4));
    assert_eq!(all[1], released("1/us/sg", 1));
    assert!(matches!(
        existence_of(&store, "a").await,
        Existence::Unobserved(_)
    ));
    assert!(matches!(
        existence_of(&store, "f").await,
        Existence::Unobserved(_)
    ));
    assert_eq!(existence_of(&store, "shared").await, Existence::Exists);
    assert_eq!(store.release("aws/old", None).await.unwrap(), []);
    assert!(store.check(false).await.unwrap().is_clean());
}

#[tokio::test]
async fn release_of_a_scope_includes_the_scopes_below_it() {
    let store = store_with_scans().await;
    let some = store.release("aws/old", Some("1/us")).await.unwrap();
    let names: Vec<&str> = some.iter().map(|it| it.scope.as_str()).collect();
    assert_eq!(names, ["1/us/sg", "1/us/sg/filter"]);
    assert_eq!(some.iter().map(|it| it.unobserved).sum::<u64>(), 2);
    assert_eq!(existence_of(&store, "a").await, Existence::Exists);
}

#[tokio::test]
async fn release_of_an_unknown_name_fails_and_lists_the_known_names() {
    let store = store_with_scans().await;
    let error = store.release("aws", None).await.unwrap_err().to_string();
    assert!(error.contains("`aws/new`, `aws/old`"), "{error}");
    let unknown = store.release("aws/new", Some("2/eu/sg")).await;
    let error = unknown.unwrap_err().to_string();
    assert!(error.ends_with("its scopes are `1/eu/sg`"), "{error}");
}

#[tokio::test]
async fn scope_whose_lease_another_process_holds_is_not_released() {
    let store = store_with_scans().await;
    let scope = ("aws/new", "1/eu/sg");
    let lease = store.acquire_lease(scope, "p1", Duration::from_secs(60));
    assert_eq!(lease.await.unwrap(), None);
    let error = store.release("aws/new", None).await.unwrap_err();
    assert!(matches!(error, ReleaseError::LeaseHeld { .. }), "{error}");
    assert!(error.to_string().contains("`p1`"), "{error}");
    assert_eq!(existence_of(&store, "shared").await, Existence::Exists);
}
