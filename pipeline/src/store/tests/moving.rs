//! What several scopes and sources report of one uid: nothing flaps, no ghost stays, nothing ends that
//! another source still sees.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::claims::{By, Class, Existence, Removal, Report};
use crate::component::UnixNanos;
use crate::graph_store::{At, GraphStore};
use crate::reports::ReportBatch;
use crate::store::memory::MemoryBackend;
use crate::store::rows::{Backend as _, Listing, ReadRows as _};
use crate::store::{Settings, Store};

const MINUTE: u64 = 60_000_000_000;
const HOUR: u64 = 60 * MINUTE;
const UID: &str = "arn:aws:ec2:eu-west-1:1:security-group/sg-1";

fn at(time: u64) -> At {
    At::Time(UnixNanos(time))
}

struct Open(Store<MemoryBackend>);

impl Open {
    fn new() -> Open {
        let settings = Settings {
            seen_for: Duration::ZERO,
        };
        Open(Store::new(MemoryBackend::default(), settings))
    }

    async fn report(&self, report: Report) {
        let reports = [report];
        let batch = ReportBatch::of_reports(&reports);
        self.0.write(&batch).await.unwrap();
    }

    /// A scan of a scope that sees the uid in a state, or does not see it.
    async fn scan(&self, class: Class, source: &str, scope: &str, began: u64, state: Option<u64>) {
        if let Some(state) = state {
            self.seen(class, source, scope, began, state).await;
        }
        self.complete(class, source, scope, began, state, Removal::Deleted)
            .await;
    }

    async fn seen(&self, class: Class, source: &str, scope: &str, time: u64, state: u64) {
        self.report(Report::Seen {
            uid: UID.to_owned(),
            class,
            source: source.to_owned(),
            scope: scope.to_owned(),
            time: UnixNanos(time),
            state,
            by: By::Scan,
        })
        .await;
    }

    async fn complete(
        &self,
        class: Class,
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

    async fn existence(&self, at: At) -> Existence {
        let inspected = self.0.inspect(UID).await.unwrap();
        inspected.map_or(Existence::Unknown, |it| it.existence(at))
    }

    async fn listing(&self) -> Listing {
        self.0.inspect(UID).await.unwrap().unwrap().row.listing
    }

    async fn commits(&self) -> usize {
        self.0.backend().commits(0, 1000).await.unwrap().len()
    }
}

#[tokio::test]
async fn two_living_scopes_do_not_end_in_turn_what_both_once_saw() {
    let open = Open::new();
    for (scope, began) in [("1/eu", 1), ("1/us", 2)] {
        open.scan(Class::Actual, "aws", scope, began * HOUR, Some(7))
            .await;
    }
    let before = open.commits().await;
    // It moved: only one scope sees it from now on.
    for round in 3..8 {
        open.scan(Class::Actual, "aws", "1/eu", round * HOUR, None)
            .await;
        open.scan(Class::Actual, "aws", "1/us", round * HOUR + 1, Some(7))
            .await;
        assert_eq!(open.existence(At::Now).await, Existence::Exists);
        assert_eq!(open.listing().await, Listing::Current);
    }
    for time in 2..8 {
        assert_eq!(open.existence(at(time * HOUR + 1)).await, Existence::Exists);
    }
    assert!(open.commits().await <= before + 1, "nothing flaps");
}

#[tokio::test]
async fn a_filter_that_a_receiver_leaves_releases_and_ends_nothing() {
    let open = Open::new();
    open.scan(Class::Actual, "aws", "1/eu/sg/filter-a", HOUR, Some(7))
        .await;
    // The new filter does not take it.
    open.report(Report::Removed {
        uid: UID.to_owned(),
        class: Class::Actual,
        source: "aws".to_owned(),
        scope: "1/eu/sg/filter-a".to_owned(),
        time: UnixNanos(2 * HOUR),
        how: Removal::Released,
    })
    .await;
    open.scan(Class::Actual, "aws", "1/eu/sg/filter-b", 2 * HOUR, None)
        .await;
    let unobserved = Existence::Unobserved(UnixNanos(2 * HOUR));
    assert_eq!(open.existence(At::Now).await, unobserved);
    assert_eq!(open.listing().await, Listing::Current);
    // Without any filter it is seen again.
    open.scan(Class::Actual, "aws", "1/eu/sg", 3 * HOUR, Some(7))
        .await;
    assert_eq!(open.existence(At::Now).await, Existence::Exists);
}

#[tokio::test]
async fn a_scan_without_a_filter_covers_the_scopes_below_it() {
    let open = Open::new();
    open.scan(Class::Actual, "aws", "1/eu/sg/filter-a", HOUR, Some(7))
        .await;
    open.scan(Class::Actual, "aws", "1/eu/sg", 2 * HOUR, None)
        .await;
    let ended = Existence::Ended(UnixNanos(2 * HOUR));
    assert_eq!(open.existence(At::Now).await, ended, "no ghost stays");
}

#[tokio::test]
async fn a_resource_that_moves_between_two_states_is_desired_throughout() {
    let open = Open::new();
    open.scan(Class::Desired, "terraform", "states/app", HOUR, Some(7))
        .await;
    open.scan(Class::Desired, "terraform", "states/net", HOUR, None)
        .await;
    // `terraform state mv`, read in one round with one time, in either order.
    open.scan(Class::Desired, "terraform", "states/app", 2 * HOUR, None)
        .await;
    open.scan(Class::Desired, "terraform", "states/net", 2 * HOUR, Some(7))
        .await;
    for round in 3..6 {
        open.scan(
            Class::Desired,
            "terraform",
            "states/app",
            round * HOUR,
            None,
        )
        .await;
        open.scan(
            Class::Desired,
            "terraform",
            "states/net",
            round * HOUR,
            Some(7),
        )
        .await;
        let inspected = open.0.inspect(UID).await.unwrap().unwrap();
        for time in [HOUR, 2 * HOUR - 1, 2 * HOUR, round * HOUR] {
            let states: Vec<_> = inspected.snapshots(at(time)).collect();
            assert_eq!(states.len(), 1, "at {time}: {states:?}");
        }
        assert_eq!(inspected.row.listing, Listing::Current);
    }
}

#[tokio::test]
async fn a_retired_receiver_leaves_what_it_saw_unobserved() {
    let open = Open::new();
    open.scan(Class::Actual, "aws/old", "1/eu", HOUR, Some(7))
        .await;
    open.complete(
        Class::Actual,
        "aws/old",
        "1/eu",
        2 * HOUR,
        None,
        Removal::Released,
    )
    .await;
    let unobserved = Existence::Unobserved(UnixNanos(2 * HOUR));
    assert_eq!(open.existence(At::Now).await, unobserved);
    open.scan(Class::Actual, "aws/new", "1/eu", 3 * HOUR, None)
        .await;
    assert_eq!(open.existence(At::Now).await, unobserved, "it never saw it");
}

#[tokio::test]
async fn a_stale_list_does_not_reopen_what_an_event_deleted_and_a_settled_one_does() {
    let open = Open::new();
    open.scan(Class::Actual, "aws", "1/eu", HOUR, Some(7)).await;
    let deleted = 2 * HOUR;
    open.report(Report::DeleteEvent {
        uid: UID.to_owned(),
        source: "cloudtrail".to_owned(),
        time: UnixNanos(deleted),
    })
    .await;
    open.complete(
        Class::Actual,
        "aws",
        "1/eu",
        deleted + MINUTE,
        Some(7),
        Removal::Deleted,
    )
    .await;
    let ended = Existence::Ended(UnixNanos(deleted));
    assert_eq!(open.existence(At::Now).await, ended);
    // The list is unchanged, and by now it counts.
    open.complete(
        Class::Actual,
        "aws",
        "1/eu",
        deleted + 6 * MINUTE,
        Some(7),
        Removal::Deleted,
    )
    .await;
    assert_eq!(open.existence(At::Now).await, Existence::Exists);
    assert_eq!(open.existence(at(deleted + 5 * MINUTE)).await, ended);
}

#[tokio::test]
async fn claims_that_end_while_another_source_sees_the_uid_end_nothing() {
    let open = Open::new();
    open.scan(Class::Actual, "aws/a", "1/eu", HOUR, Some(7))
        .await;
    open.scan(Class::Actual, "aws/b", "1/eu", HOUR, Some(8))
        .await;
    open.scan(Class::Actual, "aws/a", "1/eu", 2 * HOUR, None)
        .await;
    assert_eq!(open.existence(At::Now).await, Existence::Exists);
    open.scan(Class::Actual, "aws/b", "1/eu", 2 * HOUR + 1, Some(8))
        .await;
    open.scan(Class::Actual, "aws/b", "1/eu", 3 * HOUR, None)
        .await;
    let ended = Existence::Ended(UnixNanos(3 * HOUR));
    assert_eq!(
        open.existence(At::Now).await,
        ended,
        "when the last one missed it"
    );
}

#[tokio::test]
async fn an_unchanged_scan_changes_no_claim() {
    let open = Open::new();
    for round in 1..40 {
        open.complete(
            Class::Actual,
            "aws",
            "1/eu",
            round * HOUR,
            Some(7),
            Removal::Deleted,
        )
        .await;
        if round == 1 {
            open.seen(Class::Actual, "aws", "1/eu", HOUR, 7).await;
        }
    }
    let mut rows = open.0.backend().read().await.unwrap();
    let claims = rows.claims(&[1]).await.unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0].stretch.since, UnixNanos(HOUR));
    assert_eq!(rows.past_claims(&[1], UnixNanos(0)).await.unwrap(), []);
    let scopes = rows.scopes(None).await.unwrap();
    assert_eq!(scopes.len(), 1);
    assert_eq!(scopes[0].scans.len(), 16);
    assert_eq!(open.commits().await, 1);
}

#[tokio::test]
async fn a_uid_that_one_scope_misses_while_another_has_it_is_to_be_looked_at() {
    let open = Open::new();
    let mut commits = GraphStore::commits(&open.0);
    let mut to_refresh = || {
        let mut all = Vec::new();
        while let Ok(commit) = commits.try_recv() {
            all.extend(commit.to_refresh.clone());
        }
        all
    };
    for scope in ["1/eu", "1/us"] {
        open.scan(Class::Actual, "aws", scope, HOUR, Some(7)).await;
    }
    assert_eq!(to_refresh(), [""; 0]);
    open.scan(Class::Actual, "aws", "1/eu", 2 * HOUR, None)
        .await;
    assert_eq!(to_refresh(), [UID]);
    for round in 3..5 {
        open.scan(Class::Actual, "aws", "1/eu", round * HOUR, None)
            .await;
    }
    assert_eq!(to_refresh(), [""; 0], "once a miss");
    open.scan(Class::Actual, "aws", "1/us", 5 * HOUR, None)
        .await;
    assert_eq!(to_refresh(), [""; 0], "none has it any more");

    // What is released is not missed.
    for scope in ["1/eu", "1/us"] {
        open.scan(Class::Actual, "aws", scope, 6 * HOUR, Some(7))
            .await;
    }
    open.complete(
        Class::Actual,
        "aws",
        "1/eu",
        7 * HOUR,
        None,
        Removal::Released,
    )
    .await;
    assert_eq!(to_refresh(), [""; 0]);
}
