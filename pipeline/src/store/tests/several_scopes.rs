//! Several scopes and sources report one uid: its existence does not flap, it ends with the last claim, and it does not
//! end while another source still sees it.

use std::collections::BTreeMap;

use crate::claims::{ClaimClass, Existence, Removal, Report, ReportedBy};
use crate::component::UnixNanos;
use crate::graph_store::{AsOf, GraphStore};
use crate::reports::ReportBatch;
use crate::store::Store;
use crate::store::memory::MemoryBackend;
use crate::store::rows::{Backend as _, Listing, ReadRows as _};
use crate::testing::memory_store;

const MINUTE: u64 = 60_000_000_000;
const HOUR: u64 = 60 * MINUTE;
const UID: &str = "arn:aws:ec2:eu-west-1:1:security-group/sg-1";

fn at(time: u64) -> AsOf {
    AsOf::Time(UnixNanos(time))
}

/// A store in memory. All reports of the tests are about [`UID`].
struct TestStore(Store<MemoryBackend>);

impl TestStore {
    fn new() -> TestStore {
        TestStore(memory_store())
    }

    async fn report(&self, report: Report) {
        let reports = [report];
        let batch = ReportBatch::from_reports(&reports);
        self.0.write(&batch).await.unwrap();
    }

    /// Reports a complete scan of a scope that sees the uid in a state, or does not see it.
    async fn scan(
        &self,
        class: ClaimClass,
        source: &str,
        scope: &str,
        began: u64,
        state: Option<u64>,
    ) {
        if let Some(state) = state {
            self.report_sighting(class, source, scope, began, state)
                .await;
        }
        self.report_completion(class, source, scope, began, state, Removal::Deleted)
            .await;
    }

    async fn report_sighting(
        &self,
        class: ClaimClass,
        source: &str,
        scope: &str,
        time: u64,
        state: u64,
    ) {
        self.report(Report::Seen {
            uid: UID.to_owned(),
            class,
            source: source.to_owned(),
            scope: scope.to_owned(),
            time: UnixNanos(time),
            state,
            by: ReportedBy::Scan,
        })
        .await;
    }

    async fn report_completion(
        &self,
        class: ClaimClass,
        source: &str,
        scope: &str,
        began: u64,
        state: Option<u64>,
        miss: Removal,
    ) {
        let members: BTreeMap<String, u64> = state
            .map(|state| (UID.to_owned(), state))
            .into_iter()
            .collect();
        self.report(Report::Completion {
            source: source.to_owned(),
            scope: scope.to_owned(),
            class,
            began: UnixNanos(began),
            members,
            miss,
        })
        .await;
    }

    async fn existence(&self, at: AsOf) -> Existence {
        let inspected = self.0.inspect(UID).await.unwrap();
        inspected.map_or(Existence::Unknown, |it| it.existence(at))
    }

    async fn current_listing(&self) -> Listing {
        self.0.inspect(UID).await.unwrap().unwrap().row.listing
    }

    async fn commit_count(&self) -> usize {
        self.0.backend().commits(0, 1000).await.unwrap().len()
    }
}

#[tokio::test]
async fn uid_that_moved_between_two_scopes_does_not_flap() {
    let store = TestStore::new();
    for (scope, began) in [("1/eu", 1), ("1/us", 2)] {
        store
            .scan(ClaimClass::Actual, "aws", scope, began * HOUR, Some(7))
            .await;
    }
    let before = store.commit_count().await;
    // The uid moved: from now on only one scope sees it.
    for round in 3..8 {
        store
            .scan(ClaimClass::Actual, "aws", "1/eu", round * HOUR, None)
            .await;
        store
            .scan(ClaimClass::Actual, "aws", "1/us", round * HOUR + 1, Some(7))
            .await;
        assert_eq!(store.existence(AsOf::Now).await, Existence::Exists);
        assert_eq!(store.current_listing().await, Listing::Current);
    }
    for time in 2..8 {
        assert_eq!(
            store.existence(at(time * HOUR + 1)).await,
            Existence::Exists
        );
    }
    assert!(
        store.commit_count().await <= before + 1,
        "existence does not flap"
    );
}

#[tokio::test]
async fn uid_that_a_new_filter_excludes_becomes_unobserved_and_does_not_end() {
    let store = TestStore::new();
    store
        .scan(ClaimClass::Actual, "aws", "1/eu/sg/filter-a", HOUR, Some(7))
        .await;
    // The new filter excludes the uid.
    store
        .report(Report::Removed {
            uid: UID.to_owned(),
            class: ClaimClass::Actual,
            source: "aws".to_owned(),
            scope: "1/eu/sg/filter-a".to_owned(),
            time: UnixNanos(2 * HOUR),
            how: Removal::Released,
        })
        .await;
    store
        .scan(
            ClaimClass::Actual,
            "aws",
            "1/eu/sg/filter-b",
            2 * HOUR,
            None,
        )
        .await;
    let unobserved = Existence::Unobserved(UnixNanos(2 * HOUR));
    assert_eq!(store.existence(AsOf::Now).await, unobserved);
    assert_eq!(store.current_listing().await, Listing::Current);
    // A scan without a filter sees the uid again.
    store
        .scan(ClaimClass::Actual, "aws", "1/eu/sg", 3 * HOUR, Some(7))
        .await;
    assert_eq!(store.existence(AsOf::Now).await, Existence::Exists);
}

#[tokio::test]
async fn scan_completion_ends_claims_in_scopes_below_its_own() {
    let store = TestStore::new();
    store
        .scan(ClaimClass::Actual, "aws", "1/eu/sg/filter-a", HOUR, Some(7))
        .await;
    store
        .scan(ClaimClass::Actual, "aws", "1/eu/sg", 2 * HOUR, None)
        .await;
    let ended = Existence::Ended(UnixNanos(2 * HOUR));
    assert_eq!(
        store.existence(AsOf::Now).await,
        ended,
        "the scan of the parent scope lacks the uid"
    );
}

#[tokio::test]
async fn resource_that_moves_between_two_terraform_states_stays_desired() {
    let store = TestStore::new();
    store
        .scan(
            ClaimClass::Desired,
            "terraform",
            "states/app",
            HOUR,
            Some(7),
        )
        .await;
    store
        .scan(ClaimClass::Desired, "terraform", "states/net", HOUR, None)
        .await;
    // `terraform state mv`: the receiver reads both states in one round with one time.
    store
        .scan(
            ClaimClass::Desired,
            "terraform",
            "states/app",
            2 * HOUR,
            None,
        )
        .await;
    store
        .scan(
            ClaimClass::Desired,
            "terraform",
            "states/net",
            2 * HOUR,
            Some(7),
        )
        .await;
    for round in 3..6 {
        store
            .scan(
                ClaimClass::Desired,
                "terraform",
                "states/app",
                round * HOUR,
                None,
            )
            .await;
        store
            .scan(
                ClaimClass::Desired,
                "terraform",
                "states/net",
                round * HOUR,
                Some(7),
            )
            .await;
        let inspected = store.0.inspect(UID).await.unwrap().unwrap();
        for time in [HOUR, 2 * HOUR - 1, 2 * HOUR, round * HOUR] {
            let states: Vec<_> = inspected.snapshots(at(time)).collect();
            assert_eq!(states.len(), 1, "at {time}: {states:?}");
        }
        assert_eq!(inspected.row.listing, Listing::Current);
    }
}

#[tokio::test]
async fn resources_of_a_removed_receiver_become_unobserved() {
    let store = TestStore::new();
    store
        .scan(ClaimClass::Actual, "aws/old", "1/eu", HOUR, Some(7))
        .await;
    store
        .report_completion(
            ClaimClass::Actual,
            "aws/old",
            "1/eu",
            2 * HOUR,
            None,
            Removal::Released,
        )
        .await;
    let unobserved = Existence::Unobserved(UnixNanos(2 * HOUR));
    assert_eq!(store.existence(AsOf::Now).await, unobserved);
    store
        .scan(ClaimClass::Actual, "aws/new", "1/eu", 3 * HOUR, None)
        .await;
    assert_eq!(
        store.existence(AsOf::Now).await,
        unobserved,
        "a scan that lacks a uid ends no claim of another source"
    );
}

#[tokio::test]
async fn scan_reopens_a_uid_after_a_delete_event_only_once_the_event_has_settled() {
    let store = TestStore::new();
    store
        .scan(ClaimClass::Actual, "aws", "1/eu", HOUR, Some(7))
        .await;
    let deleted = 2 * HOUR;
    store
        .report(Report::DeleteEvent {
            uid: UID.to_owned(),
            source: "cloudtrail".to_owned(),
            time: UnixNanos(deleted),
        })
        .await;
    store
        .report_completion(
            ClaimClass::Actual,
            "aws",
            "1/eu",
            deleted + MINUTE,
            Some(7),
            Removal::Deleted,
        )
        .await;
    let ended = Existence::Ended(UnixNanos(deleted));
    assert_eq!(store.existence(AsOf::Now).await, ended);
    // The members are unchanged, but this scan began after the event had settled.
    store
        .report_completion(
            ClaimClass::Actual,
            "aws",
            "1/eu",
            deleted + 6 * MINUTE,
            Some(7),
            Removal::Deleted,
        )
        .await;
    assert_eq!(store.existence(AsOf::Now).await, Existence::Exists);
    assert_eq!(store.existence(at(deleted + 5 * MINUTE)).await, ended);
}

#[tokio::test]
async fn uid_ends_when_the_last_source_misses_it() {
    let store = TestStore::new();
    store
        .scan(ClaimClass::Actual, "aws/a", "1/eu", HOUR, Some(7))
        .await;
    store
        .scan(ClaimClass::Actual, "aws/b", "1/eu", HOUR, Some(8))
        .await;
    store
        .scan(ClaimClass::Actual, "aws/a", "1/eu", 2 * HOUR, None)
        .await;
    assert_eq!(store.existence(AsOf::Now).await, Existence::Exists);
    store
        .scan(ClaimClass::Actual, "aws/b", "1/eu", 2 * HOUR + 1, Some(8))
        .await;
    store
        .scan(ClaimClass::Actual, "aws/b", "1/eu", 3 * HOUR, None)
        .await;
    let ended = Existence::Ended(UnixNanos(3 * HOUR));
    assert_eq!(
        store.existence(AsOf::Now).await,
        ended,
        "it ended at the scan of the last source"
    );
}

#[tokio::test]
async fn unchanged_scan_writes_no_claim() {
    let store = TestStore::new();
    for round in 1..40 {
        store
            .report_completion(
                ClaimClass::Actual,
                "aws",
                "1/eu",
                round * HOUR,
                Some(7),
                Removal::Deleted,
            )
            .await;
        if round == 1 {
            store
                .report_sighting(ClaimClass::Actual, "aws", "1/eu", HOUR, 7)
                .await;
        }
    }
    let mut rows = store.0.backend().read().await.unwrap();
    let claims = rows.claims(&[1]).await.unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0].interval.since, UnixNanos(HOUR));
    assert_eq!(rows.past_claims(&[1], UnixNanos(0)).await.unwrap(), []);
    let scopes = rows.scopes(None).await.unwrap();
    assert_eq!(scopes.len(), 1);
    assert_eq!(scopes[0].scans.len(), 16);
    assert_eq!(store.commit_count().await, 1);
}

#[tokio::test]
async fn uid_that_one_scope_misses_while_another_claims_it_is_refreshed() {
    let store = TestStore::new();
    let mut commits = GraphStore::commits(&store.0);
    let mut to_refresh = || {
        let mut all = Vec::new();
        while let Ok(commit) = commits.try_recv() {
            all.extend(commit.to_refresh.clone());
        }
        all
    };
    for scope in ["1/eu", "1/us"] {
        store
            .scan(ClaimClass::Actual, "aws", scope, HOUR, Some(7))
            .await;
    }
    assert_eq!(to_refresh(), [""; 0]);
    store
        .scan(ClaimClass::Actual, "aws", "1/eu", 2 * HOUR, None)
        .await;
    assert_eq!(to_refresh(), [UID]);
    for round in 3..5 {
        store
            .scan(ClaimClass::Actual, "aws", "1/eu", round * HOUR, None)
            .await;
    }
    assert_eq!(
        to_refresh(),
        [""; 0],
        "a refresh is requested once per ended claim"
    );
    store
        .scan(ClaimClass::Actual, "aws", "1/us", 5 * HOUR, None)
        .await;
    assert_eq!(to_refresh(), [""; 0], "no claim is open");

    // A released claim requests no refresh.
    for scope in ["1/eu", "1/us"] {
        store
            .scan(ClaimClass::Actual, "aws", scope, 6 * HOUR, Some(7))
            .await;
    }
    store
        .report_completion(
            ClaimClass::Actual,
            "aws",
            "1/eu",
            7 * HOUR,
            None,
            Removal::Released,
        )
        .await;
    assert_eq!(to_refresh(), [""; 0]);
}
