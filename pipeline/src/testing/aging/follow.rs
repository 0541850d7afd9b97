//! Properties of following the commits of several processes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::broadcast::Receiver;

use super::fixture::{DAY, HOUR, retention_of, run_housekeeping, seen, store, write};
use crate::claims::ClaimClass;
use crate::graph_store::{Commit, GraphStore as _};
use crate::reports::ReportBatch;
use crate::store::Store;
use crate::store::rows::Backend;

/// Writes a sighting of the uid, which is one commit.
async fn report<B: Backend>(store: &Store<B>, uid: &str) {
    let report = ReportBatch {
        sightings: vec![seen(uid, ClaimClass::Actual, "s", DAY, 1)],
        ..ReportBatch::default()
    };
    write(store, DAY, report).await;
}

/// The next commit. Panics if there is none within 2 s, or if the subscriber missed one.
async fn next(commits: &mut Receiver<Arc<Commit>>) -> Arc<Commit> {
    let next = tokio::time::timeout(Duration::from_secs(2), commits.recv()).await;
    next.expect("a commit within 2 s")
        .expect("the subscriber misses no commit")
}

/// Runs the future while both stores follow commits.
async fn following<B: Backend, T>(stores: [&Store<B>; 2], future: impl Future<Output = T>) -> T {
    tokio::select! {
        () = stores[0].follow() => unreachable!("follow never returns"),
        () = stores[1].follow() => unreachable!("follow never returns"),
        output = future => output,
    }
}

pub(super) async fn commits_of_other_processes_arrive_in_order<B: Backend>(one: B, other: B) {
    let (one, other) = (store(one), store(other));
    report(&other, "before").await;
    let mut commits = one.commits();
    following([&one, &other], async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let began = Instant::now();
        report(&other, "a").await;
        // The first subscriber may also receive the commit that was written just before it subscribed.
        let mut first = next(&mut commits).await;
        if first.nodes == ["before"] {
            first = next(&mut commits).await;
        }
        assert_eq!(first.nodes, ["a"]);
        assert!(
            began.elapsed() < Duration::from_secs(1),
            "{:?}",
            began.elapsed()
        );

        let uids: Vec<String> = (0..12).map(|number| format!("n{number}")).collect();
        for (number, uid) in uids.iter().enumerate() {
            let writer = if number % 3 == 0 { &one } else { &other };
            report(writer, uid).await;
        }
        for (number, uid) in (1..).zip(&uids) {
            let commit = next(&mut commits).await;
            assert_eq!(commit.nodes, std::slice::from_ref(uid));
            assert_eq!(commit.sequence, first.sequence + number);
            assert_eq!((commit.missed, commit.is_own), (0, (number - 1) % 3 == 0));
        }
        // A store sends its own commit before the write returns.
        let began = Instant::now();
        report(&one, "own").await;
        assert_eq!(
            commits.try_recv().unwrap().nodes,
            ["own"],
            "{:?}",
            began.elapsed()
        );
        let mut second = other.commits();
        report(&other, "last").await;
        while next(&mut second).await.nodes != ["last"] {}
        assert_eq!(next(&mut commits).await.nodes, ["last"]);
        assert!(commits.is_empty(), "each commit is sent once");
    })
    .await;
}

pub(super) async fn commits_removed_from_the_log_are_counted_as_missed<B: Backend>(
    one: B,
    other: B,
) {
    let (one, other) = (store(one), store(other));
    let mut commits = one.commits();
    report(&one, "first").await;
    assert_eq!(next(&mut commits).await.nodes, ["first"]);
    // `one` does not follow commits. Meanwhile `other` writes, and its housekeeping removes the oldest commits of the
    // log.
    for uid in ["a", "b", "c"] {
        report(&other, uid).await;
    }
    run_housekeeping(&other, 2 * DAY, &retention_of(100 * DAY)).await;
    report(&other, "d").await;
    run_housekeeping(&other, 2 * DAY + 3 * HOUR, &retention_of(100 * DAY)).await;
    report(&other, "e").await;
    following([&one, &other], async {
        let commit = next(&mut commits).await;
        assert_eq!((commit.missed, &commit.nodes), (3, &vec!["d".to_owned()]));
        let commit = next(&mut commits).await;
        assert_eq!((commit.missed, &commit.nodes), (0, &vec!["e".to_owned()]));
    })
    .await;
}

pub(super) async fn commit_log_is_kept_for_an_hour<B: Backend>(one: B, _: B) {
    let store = store(one);
    let kept = retention_of(100 * DAY);
    let first = async || store.backend().commits(0, 1).await.unwrap()[0].0;
    for round in 0..30 {
        report(&store, &format!("n{round}")).await;
        run_housekeeping(&store, DAY + round * HOUR / 6, &kept).await;
    }
    let last = store.backend().last_commit().await.unwrap();
    assert_eq!(last, 30);
    let first = first().await;
    assert!((20..=26).contains(&first), "{first} is the first of {last}");
}
