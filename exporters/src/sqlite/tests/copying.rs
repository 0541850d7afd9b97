//! A command that opens a file creates none, and a copy is complete.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use pipeline::component::Exporter;
use pipeline::graph_store::{AsOf, GraphStore};
use pipeline::schema::nodes;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::batches::node_batch;
use super::small_disk::SmallDisk;
use super::start;
use crate::sqlite::{Sqlite, close, copy, open_existing};

async fn export_node(sqlite: &Sqlite, uid: &str) {
    let batch = node_batch(uid, nodes::group::ACTUAL, "observed", "aws", uid, 10);
    sqlite.export(&batch).await.unwrap();
}

async fn execute(path: &Path, sql: &str) {
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = options.create_if_missing(true).connect().await.unwrap();
    let sql = AssertSqlSafe(sql.to_owned());
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_every_row_acknowledged_before_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("a.db"), folder.path().join("b.db"));
    let sqlite = start(&from).await.unwrap();
    for number in 0..50 {
        export_node(&sqlite, &format!("n{number}")).await;
    }
    let (written, is_over) = (AtomicUsize::new(50), AtomicBool::new(false));
    let writing = async {
        while !is_over.load(Ordering::Relaxed) {
            let number = written.load(Ordering::Relaxed);
            export_node(&sqlite, &format!("n{number}")).await;
            written.fetch_add(1, Ordering::Relaxed);
        }
    };
    let copying = async {
        while written.load(Ordering::Relaxed) < 60 {
            tokio::task::yield_now().await;
        }
        let before = written.load(Ordering::Relaxed);
        let bytes = copy(&from, &to).await.unwrap();
        is_over.store(true, Ordering::Relaxed);
        (before, bytes)
    };
    let ((), (before, bytes)) = tokio::join!(writing, copying);
    assert_eq!(fs::metadata(&to).unwrap().len(), bytes);
    let store = open_existing(&to).await.unwrap();
    let uids: Vec<String> = (0..before).map(|number| format!("n{number}")).collect();
    let found = store.nodes(&uids, AsOf::Now).await.unwrap();
    assert!(found.iter().all(Option::is_some), "of {before} nodes");
    let checked = store.check(false).await.unwrap();
    assert!(checked.is_clean(), "{checked:?}");
    close(&store).await;
    // An exporter can continue in the copy.
    let second = start(&to).await.unwrap();
    export_node(&second, "after").await;
    let error = copy(&from, &to).await.unwrap_err().to_string();
    assert!(error.contains("b.db already exists"), "{error}");
    second.stop().await.unwrap();
    assert_eq!(
        names(folder.path())
            .iter()
            .filter(|it| it.contains("tmp"))
            .count(),
        0
    );
}

#[tokio::test]
async fn commands_reject_and_keep_files_that_are_not_the_graph() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(
        path("text"),
        "not a database, but longer than a header".repeat(200),
    )
    .unwrap();
    execute(&path("other"), "CREATE TABLE t (a)").await;
    execute(&path("newer"), "CREATE TABLE t (a)").await;
    for name in ["newer", "first"] {
        start(&path(name)).await.unwrap().stop().await.unwrap();
    }
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (99, '', 1, x'00', 0)";
    execute(&path("newer"), newer).await;
    execute(
        &path("first"),
        "DELETE FROM _sqlx_migrations WHERE version > 1",
    )
    .await;
    let cases = [
        ("missing", "there is no file"),
        ("text", "is not a SQLite database"),
        ("other", "no `sqlite` exporter wrote it"),
        (
            "newer",
            "newer version of airdig (its schema has version 99)",
        ),
        ("first", "start airdig with it once"),
    ];
    for (name, reason) in cases {
        let before = fs::read(path(name)).ok();
        let error = open_existing(&path(name)).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{name}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        let error = copy(&path(name), &path("copy")).await.unwrap_err();
        assert!(error.to_string().contains(reason), "{name}: {error}");
        assert_eq!(fs::read(path(name)).ok(), before, "{name}");
    }
    assert_eq!(
        names(folder.path())
            .iter()
            .filter(|it| it.starts_with("copy"))
            .count(),
        0
    );
}

#[tokio::test]
async fn a_failed_copy_reports_the_cause_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("a.db");
    let sqlite = start(&from).await.unwrap();
    export_node(&sqlite, "a").await;
    let error = copy(&from, &folder.path().join("none/b.db")).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("there is no folder"), "{error}");
    fs::write(folder.path().join("c.db-wal"), "of another file").unwrap();
    let error = copy(&from, &folder.path().join("c.db")).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("c.db-wal already exists"), "{error}");
    sqlite.stop().await.unwrap();
}

#[tokio::test]
async fn a_copy_to_a_full_disk_reports_the_space_that_it_needs() {
    let disk = SmallDisk::mount();
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("a.db");
    let sqlite = start(&from).await.unwrap();
    export_node(&sqlite, "a").await;
    disk.fill(SmallDisk::BYTES);
    let error = copy(&from, &disk.path().join("b.db")).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("the disk is full: free up to"), "{error}");
    disk.empty();
    assert_eq!(names(disk.path()), [""; 0]);
    copy(&from, &disk.path().join("b.db")).await.unwrap();
}
