//! Processes that die by SIGKILL while they upgrade a file or do housekeeping. This test binary runs itself: a child
//! does the work, and the parent kills it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pipeline::claims::{ClaimClass, ReportedBy};
use pipeline::component::{Exporter, UnixNanos};
use pipeline::graph_store::{AsOf, Directions, GraphStore};
use pipeline::reports::{
    EdgeItem, NodeContent, ReportBatch, Sighting, SnapshotItems, SnapshotReport,
};
use pipeline::store::Retention;
use pipeline::store::rows::{Backend as _, ReadRows as _};
use pipeline::testing;

use super::start;
use crate::sqlite::{Sqlite, SqliteBackend, Store};

const HOUR: u64 = 3_600_000_000_000;
const DAY: u64 = 24 * HOUR;

/// The variables that name the task of a child process, and its file.
const TASK: &str = "AIRDIG_TEST_TASK";
const FILE: &str = "AIRDIG_TEST_FILE";

/// Milliseconds after the spawn at which the parent kills a child; starting the child takes some of them.
const KILL_DELAYS: [u64; 5] = [40, 80, 160, 320, 640];

const STATES: u64 = 30;
const NODES: usize = 40;
/// The retention keeps the last four states.
const KEPT_STATES: u64 = 4;

fn spawn(task: &str, file: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "--exact", "sqlite::tests::killed::child"]);
    child.env(TASK, task).env(FILE, file).stdout(Stdio::null());
    child.spawn().unwrap()
}

/// Starts children with a task on a file, one after the other, and kills each after a delay.
pub(in crate::sqlite) fn kill_repeatedly(task: &str, file: &Path) {
    let mut killed = 0;
    for delay in KILL_DELAYS {
        let mut child = spawn(task, file);
        std::thread::sleep(Duration::from_millis(delay));
        // Sends SIGKILL; the child may already have ended.
        child.kill().unwrap();
        killed += usize::from(child.wait().unwrap().code().is_none());
    }
    assert!(killed > 0, "each child ended before its kill");
}

#[tokio::test]
#[ignore = "other tests run it as a process"]
async fn child() {
    let (Ok(task), Ok(file)) = (std::env::var(TASK), std::env::var(FILE)) else {
        return;
    };
    let sqlite = start(Path::new(&file)).await.unwrap();
    if task == "housekeeping" {
        run_housekeeping(&sqlite).await;
    }
}

fn retention() -> Retention {
    let kept = Duration::from_nanos(KEPT_STATES * DAY);
    Retention {
        history: kept,
        edge_stats: kept,
        edge_stats_hourly: kept,
        records: kept,
    }
}

async fn run_housekeeping(sqlite: &Sqlite) {
    let now = UnixNanos((STATES + 1) * DAY);
    let steps = testing::run_housekeeping(&sqlite.store, now, &retention()).await;
    steps.unwrap();
}

fn uids() -> Vec<String> {
    (0..NODES).map(|node| format!("node-{node}")).collect()
}

/// Writes a new state of each node per day, each with an edge that no other state has.
async fn write_days(store: &Store<SqliteBackend>) {
    let uids = uids();
    for day in 1..=STATES {
        let time = UnixNanos(day * DAY);
        let to = format!("end-{day}");
        let edge = |to| EdgeItem {
            kind: "USES",
            to,
            confidence: 1.0,
            properties: None,
        };
        let report = ReportBatch {
            sightings: uids.iter().map(|uid| sighting(uid, time, day)).collect(),
            snapshots: uids
                .iter()
                .map(|uid| SnapshotReport {
                    uid,
                    source: "aws",
                    scope: "s",
                    time,
                    state: Some(day),
                    items: SnapshotItems::Edges(vec![edge("all"), edge(&to)]),
                })
                .collect(),
            ..ReportBatch::default()
        };
        store.write_at(&report, time).await.unwrap();
    }
}

fn sighting(uid: &str, time: UnixNanos, state: u64) -> Sighting<'_> {
    Sighting {
        uid,
        class: ClaimClass::Actual,
        source: "aws",
        scope: "s",
        time,
        state,
        by: ReportedBy::Scan,
        content: Some(NodeContent {
            kind: Some("thing"),
            name: Some(uid),
            ..NodeContent::default()
        }),
    }
}

/// The nodes and edges as of each kept day and now.
async fn answers(store: &Store<SqliteBackend>) -> String {
    let uids = uids();
    let mut answers = String::new();
    let moments = (STATES - KEPT_STATES + 2..=STATES).map(|day| AsOf::Time(UnixNanos(day * DAY)));
    for at in moments.chain([AsOf::Now]) {
        let nodes = store.nodes(&uids, at).await.unwrap();
        let edges = store.edges(&uids, Directions::Out, &[], 1000, at).await;
        let ends = ["all".to_owned()];
        let back = store.edges(&ends, Directions::In, &[], 1000, at).await;
        answers += &format!("{nodes:?}\n{:?}\n{:?}\n", edges.unwrap(), back.unwrap());
    }
    answers
}

#[tokio::test]
async fn killed_housekeeping_resumes_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.db");
    let sqlite = start(&path).await.unwrap();
    write_days(&sqlite.store).await;
    let before = answers(&sqlite.store).await;
    sqlite.stop().await.unwrap();

    let file = path.clone();
    let killing = tokio::task::spawn_blocking(move || kill_repeatedly("housekeeping", &file));
    killing.await.unwrap();
    let sqlite = start(&path).await.unwrap();
    assert_eq!(answers(&sqlite.store).await, before, "after the kills");
    run_housekeeping(&sqlite).await;
    assert_eq!(
        answers(&sqlite.store).await,
        before,
        "after the remaining housekeeping"
    );
    let report = sqlite.store.check(false).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    let mut rows = sqlite.store.backend().read().await.unwrap();
    let ids = rows.find_nodes(&uids()).await.unwrap();
    let ids: Vec<_> = ids.into_iter().flatten().collect();
    let left = rows.past_claims(&ids, UnixNanos(0)).await.unwrap().len();
    assert_eq!(
        left,
        KEPT_STATES as usize * NODES,
        "without the last interval of each claim"
    );
}
