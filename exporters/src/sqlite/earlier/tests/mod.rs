//! Upgrades of a file of version 1. `version_1.sql` is the output of `sqlite3 graph.db .dump` for a file that version 1
//! wrote: two scans of a scope, a node that changed and changed back, a node that ended, a node that moved to another
//! scope, a service, a deleted rule, statistics of an edge, a change.

use std::path::Path;
use std::time::Duration;

use pipeline::component::{Exporter, UnixNanos};
use pipeline::graph_store::{AsOf, Directions, GraphStore};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::time::timeout;

use crate::sqlite::Sqlite;
use crate::sqlite::tests::killed::kill_repeatedly;
use crate::sqlite::tests::small_disk::SmallDisk;
use crate::sqlite::tests::start;

const VERSION_1: &str = include_str!("version_1.sql");

/// Adds 4,000 nodes.
const ADD_MANY_NODES: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
    INSERT INTO facts (uid, grp, source, scope, hash, first_seen, last_seen, kind)
    SELECT 'arn:aws:ec2:eu-west-1:1:instance/i-' || i, 'actual', 'aws', '', 5, 600000000000,
           600000000000, 'thing' FROM n";
/// The uid of the last of these nodes.
const LAST_UID: &str = "arn:aws:ec2:eu-west-1:1:instance/i-4000";

const MINUTE: u64 = 60_000_000_000;

async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path);
    options.create_if_missing(true).connect().await.unwrap()
}

async fn execute(path: &Path, sql: &str) {
    let mut connection = connect(path).await;
    let sql = AssertSqlSafe(sql.to_owned());
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn number(path: &Path, sql: &'static str) -> i64 {
    let mut connection = connect(path).await;
    let number = sqlx::query_scalar(sql).fetch_one(&mut connection).await;
    connection.close().await.unwrap();
    number.unwrap()
}

/// The minute at which a node ended; 0 if the node exists, `None` if it is unknown.
async fn ended(sqlite: &Sqlite, uid: &str, at: AsOf) -> Option<u64> {
    let nodes = sqlite.store.nodes(&[uid.to_owned()], at).await.unwrap();
    let node = nodes.into_iter().flatten().next()?;
    Some(node.ended.map_or(0, |ended| ended.0 / MINUTE))
}

async fn edges(sqlite: &Sqlite, uid: &str, at: AsOf) -> Vec<(String, String)> {
    let uids = [uid.to_owned()];
    let edges = sqlite
        .store
        .edges(&uids, Directions::Out, &[], 10, at)
        .await;
    let edges = edges.unwrap().into_iter();
    edges.map(|edge| (edge.kind, edge.to)).collect()
}

fn minute(minute: u64) -> AsOf {
    AsOf::Time(UnixNanos(minute * MINUTE))
}

async fn assert_results_of_version_1(sqlite: &Sqlite) {
    assert_eq!(ended(sqlite, "sg", AsOf::Now).await, Some(0));
    assert_eq!(ended(sqlite, "i-2", AsOf::Now).await, Some(30));
    assert_eq!(ended(sqlite, "i-2", minute(25)).await, Some(0));
    assert_eq!(ended(sqlite, "i-1", AsOf::Now).await, Some(0), "it moved");
    assert_eq!(ended(sqlite, "rule", AsOf::Now).await, Some(15));
    assert_eq!(ended(sqlite, "i-1", minute(5)).await, None);

    let pair = |kind: &str, to: &str| (kind.to_owned(), to.to_owned());
    let subnet = pair("PART_OF", "subnet");
    let both = [subnet.clone(), pair("SECURED_BY", "sg")];
    assert_eq!(edges(sqlite, "i-1", minute(15)).await, both);
    assert_eq!(edges(sqlite, "i-1", AsOf::Now).await, [subnet]);

    let names = ["web", "10.0.0.1"].map(str::to_owned);
    let owners = sqlite.store.resolve(&names, AsOf::Now).await.unwrap();
    assert_eq!(owners, [["i-1"], ["i-1"]]);

    let (from, to) = (UnixNanos(0), UnixNanos(100 * MINUTE));
    let timeline = sqlite.store.timeline("sg", from, to, 10).await.unwrap();
    let timeline = timeline.iter();
    let timeline: Vec<(u64, &str)> = timeline
        .map(|entry| (entry.time.0 / MINUTE, entry.kind.as_str()))
        .collect();
    let expected = [
        (40, "node_changed"),
        (30, "node_changed"),
        (29, "change"),
        (10, "node_appeared"),
        (10, "node_appeared"),
    ];
    assert_eq!(timeline, expected);

    let stats = sqlite.store.edge_stats(from, to).await.unwrap();
    assert_eq!((stats[0].calls, stats[0].errors), (12, 1));
}

#[tokio::test]
async fn an_upgraded_file_of_version_1_returns_the_same_results() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.db");
    execute(&path, VERSION_1).await;
    for _ in 0..2 {
        let sqlite = start(&path).await.unwrap();
        assert_results_of_version_1(&sqlite).await;
        sqlite.stop().await.unwrap();
    }
    let earlier = "SELECT count(*) FROM sqlite_master WHERE name LIKE 'earlier%' OR name = 'facts'";
    assert_eq!(number(&path, earlier).await, 0);
    let auto_vacuum = number(&path, "SELECT auto_vacuum FROM pragma_auto_vacuum()").await;
    assert_eq!(auto_vacuum, 2, "incremental");
}

#[tokio::test]
async fn a_failed_upgrade_loses_nothing_and_the_next_start_repeats_it() {
    let disk = SmallDisk::mount();
    let path = disk.database();
    execute(&path, VERSION_1).await;
    execute(&path, ADD_MANY_NODES).await;
    disk.fill(6 << 20);
    let error = start(&path).await.unwrap_err().to_string();
    let parts = ["disk is full", path.to_str().unwrap(), "free disk space"];
    for part in parts {
        assert!(error.contains(part), "{error}");
    }
    disk.empty();
    let sqlite = start(&path).await.unwrap();
    assert_results_of_version_1(&sqlite).await;
    assert_eq!(ended(&sqlite, LAST_UID, AsOf::Now).await, Some(0));
}

#[tokio::test]
async fn a_cancelled_upgrade_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.db");
    execute(&path, VERSION_1).await;
    execute(&path, ADD_MANY_NODES).await;
    for milliseconds in [50, 100, 200, 400] {
        let limit = Duration::from_millis(milliseconds);
        // The upgrade may also finish before the limit.
        let _ = timeout(limit, start(&path)).await;
    }
    let sqlite = start(&path).await.unwrap();
    assert_results_of_version_1(&sqlite).await;
    assert_eq!(ended(&sqlite, LAST_UID, AsOf::Now).await, Some(0));
}

#[tokio::test]
async fn a_killed_upgrade_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.db");
    execute(&path, VERSION_1).await;
    execute(&path, ADD_MANY_NODES).await;
    let file = path.clone();
    let killing = tokio::task::spawn_blocking(move || kill_repeatedly("upgrade", &file));
    killing.await.unwrap();
    let sqlite = start(&path).await.unwrap();
    assert_results_of_version_1(&sqlite).await;
    assert_eq!(ended(&sqlite, LAST_UID, AsOf::Now).await, Some(0));
    let report = sqlite.store.check(false).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_rejected_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.db");
    start(&path).await.unwrap().stop().await.unwrap();
    let newer =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (99, 'newer', 1, x'00', 0)";
    execute(&path, newer).await;
    let error = start(&path).await.unwrap_err().to_string();
    let parts = [
        "newer version of airdig",
        "version 99",
        "exporters.sqlite.path",
    ];
    for part in parts {
        assert!(error.contains(part), "{error}");
    }
}
