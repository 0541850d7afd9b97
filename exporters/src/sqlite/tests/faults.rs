//! Failing writes: the error that the sender gets, and the writes after it.

use std::fs;
use std::time::Duration;

use pipeline::component::{ErrorChain, ExportError, Exporter, UnixNanos};
use pipeline::graph_store::{AsOf, GraphStore};
use pipeline::rows::{Cell, Rows};
use pipeline::schema::nodes;
use pipeline::testing::run_housekeeping;
use pipeline::{Batch, Delivery, Signal};
use tokio::time::timeout;

use super::batches::node_batch;
use super::small_disk::SmallDisk;
use super::{log, start};
use crate::sqlite::Sqlite;

/// The number of nodes of a batch. Their names make a batch 100 kB long.
const NODES: usize = 100;

/// A step that takes longer counts as hanging.
const HANG_TIMEOUT: Duration = Duration::from_secs(4);

fn uid(batch: usize, node: usize) -> String {
    format!("{batch}-{node}")
}

pub(super) fn batch(number: usize) -> Batch {
    let mut rows = Rows::new(Signal::Nodes);
    let name = "n".repeat(1000);
    let cells = [
        (nodes::OP, Cell::Text("observed")),
        (nodes::GROUP, Cell::Text("actual")),
        (nodes::NAME, Cell::Text(&name)),
    ];
    for node in 0..NODES {
        let uid = uid(number, node);
        rows.push(Some(UnixNanos(10)), Some(&uid), "aws", &cells);
    }
    rows.finish(Delivery::untracked())
}

/// Exports a batch that fails; returns the reason that the sender gets.
pub(super) async fn export_error(sqlite: &Sqlite, batch: &Batch) -> String {
    match sqlite.export(batch).await.unwrap_err() {
        ExportError::Retryable { reason, .. } => reason,
        ExportError::Permanent { reason, .. } => panic!("a permanent error: {reason}"),
    }
}

/// Panics unless all nodes of these batches are in the store.
pub(super) async fn assert_has_batches(sqlite: &Sqlite, batches: &[usize]) {
    for &batch in batches {
        let uids: Vec<String> = (0..NODES).map(|node| uid(batch, node)).collect();
        let found = sqlite.store.nodes(&uids, AsOf::Now).await.unwrap();
        let missing = found.iter().filter(|node| node.is_none()).count();
        assert_eq!(missing, 0, "nodes of batch {batch}");
    }
}

/// Prevents the database from growing, so that the next write fails as on a full disk. Only the current connection has
/// the limit, and the failed write discards this connection.
async fn limit_size(sqlite: &Sqlite) {
    let database = sqlite.store.backend().database().unwrap();
    let mut transaction = database.writer.begin().await.unwrap();
    let limit = sqlx::query("PRAGMA max_page_count = 1");
    let limited = limit.execute(transaction.connection()).await;
    transaction.finish(limited).await.unwrap();
}

/// Writes batches numbered from `first` until one fails; returns the numbers of the written ones, and the error.
async fn fill(sqlite: &Sqlite, first: usize) -> (Vec<usize>, String) {
    let mut written = Vec::new();
    for number in first..first + 1000 {
        match sqlite.export(&batch(number)).await {
            Ok(()) => written.push(number),
            Err(error) => return (written, error.to_string()),
        }
    }
    panic!("the disk never fills");
}

#[tokio::test]
async fn a_full_database_is_reported_to_the_sender_and_the_next_write_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.db");
    let sqlite = start(&path).await.unwrap();
    sqlite.export(&batch(0)).await.unwrap();
    for number in 1..4 {
        limit_size(&sqlite).await;
        let reason = export_error(&sqlite, &batch(number)).await;
        let expected = format!(
            "write 100 rows of nodes: {}: database or disk is full",
            path.display()
        );
        assert_eq!(reason, expected);
        sqlite.export(&batch(number)).await.unwrap();
    }
    assert_has_batches(&sqlite, &[0, 1, 2, 3]).await;
    timeout(HANG_TIMEOUT, sqlite.stop()).await.unwrap().unwrap();
    assert_has_batches(&start(&path).await.unwrap(), &[0, 1, 2, 3]).await;
}

#[tokio::test]
async fn writing_resumes_when_a_full_disk_has_space_again() {
    let disk = SmallDisk::mount();
    let path = disk.database();
    // The batches then fill the other half of the disk.
    disk.fill(SmallDisk::BYTES / 2);
    let sqlite = start(&path).await.unwrap();
    let (mut written, error) = fill(&sqlite, 0).await;
    assert!(error.contains("disk is full"), "{error}");
    for _ in 0..3 {
        let reason = export_error(&sqlite, &batch(written.len())).await;
        let names_both = reason.contains(path.to_str().unwrap()) && reason.contains("disk is full");
        assert!(names_both, "{reason}");
    }
    assert_has_batches(&sqlite, &written).await;
    disk.empty();
    let (more, _) = fill(&sqlite, written.len()).await;
    assert!(more.len() > 2, "{more:?}");
    written.extend(more);
    assert_has_batches(&sqlite, &written).await;
    timeout(HANG_TIMEOUT, sqlite.stop()).await.unwrap().unwrap();
}

#[tokio::test]
async fn stop_on_a_full_disk_is_prompt_and_keeps_written_batches() {
    let disk = SmallDisk::mount();
    let path = disk.database();
    disk.fill(SmallDisk::BYTES / 2);
    let sqlite = start(&path).await.unwrap();
    let (written, _) = fill(&sqlite, 0).await;
    timeout(HANG_TIMEOUT, sqlite.stop()).await.unwrap().unwrap();
    disk.empty();
    let again = start(&path).await.unwrap();
    assert!(!written.is_empty());
    assert_has_batches(&again, &written).await;
    again.export(&batch(written.len())).await.unwrap();
}

#[tokio::test]
async fn housekeeping_fails_on_a_full_disk_and_resumes_when_there_is_space() {
    let disk = SmallDisk::mount();
    let path = disk.database();
    let mut sqlite = start(&path).await.unwrap();
    for number in 0..8 {
        sqlite.export(&batch(number)).await.unwrap();
    }
    // The stop emptied the write-ahead log, so the next write needs space.
    sqlite.stop().await.unwrap();
    sqlite = start(&path).await.unwrap();
    disk.fill(SmallDisk::BYTES);
    // No claim has ended, so housekeeping removes no node. But it writes its position.
    let now = UnixNanos(400 * 24 * 3_600_000_000_000);
    let retention = pipeline::store::Retention::default();
    let mut failed = None;
    for _ in 0..200 {
        match sqlite.store.housekeep(now, &retention).await {
            Ok(step) if step.is_done => break,
            Ok(_) => {}
            Err(error) => failed = Some(ErrorChain(&error).to_string()),
        }
    }
    let failed = failed.expect("the disk has no space for the position");
    let names_cause_and_path =
        failed.contains("disk is full") && failed.contains(path.to_str().unwrap());
    assert!(names_cause_and_path, "{failed}");
    assert_has_batches(&sqlite, &[0, 7]).await;
    disk.empty();
    let steps = run_housekeeping(&sqlite.store, now, &retention).await;
    steps.unwrap();
    assert_has_batches(&sqlite, &[0, 7]).await;
    let report = sqlite.store.check(false).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    timeout(HANG_TIMEOUT, sqlite.stop()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_deleted_file_is_reported_with_its_path_and_not_recreated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.db");
    let sqlite = start(&path).await.unwrap();
    sqlite.export(&batch(0)).await.unwrap();
    fs::remove_file(&path).unwrap();
    let expected = format!(
        "{} was deleted or moved while airdig was running",
        path.display()
    );
    for _ in 0..2 {
        let reason = export_error(&sqlite, &batch(1)).await;
        assert!(reason.contains(&expected), "{reason}");
    }
    let read = sqlite
        .store
        .nodes(&[uid(0, 0)], AsOf::Now)
        .await
        .unwrap_err();
    let read = ErrorChain(&read).to_string();
    assert!(read.contains(&expected), "{read}");
    assert!(!path.exists());
    timeout(HANG_TIMEOUT, sqlite.stop()).await.unwrap().unwrap();
    let again = start(&path).await.unwrap();
    again.export(&batch(1)).await.unwrap();
    assert_has_batches(&again, &[1]).await;
}

#[tokio::test]
async fn reads_report_a_deleted_file_after_about_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.db");
    let sqlite = start(&path).await.unwrap();
    sqlite.export(&batch(0)).await.unwrap();
    assert_has_batches(&sqlite, &[0]).await;
    fs::remove_file(&path).unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let error = sqlite
        .store
        .nodes(&[uid(0, 0)], AsOf::Now)
        .await
        .unwrap_err();
    let error = ErrorChain(&error).to_string();
    assert!(error.contains("was deleted or moved"), "{error}");
}

#[tokio::test]
async fn a_file_that_replaced_the_database_is_reported_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let [path, other] = ["graph.db", "other.db"].map(|name| folder.path().join(name));
    let first = start(&other).await.unwrap();
    first.export(&batch(7)).await.unwrap();
    first.stop().await.unwrap();
    let sqlite = start(&path).await.unwrap();
    sqlite.export(&batch(0)).await.unwrap();
    let before = fs::read(&other).unwrap();
    fs::rename(&other, &path).unwrap();
    for _ in 0..2 {
        let reason = export_error(&sqlite, &batch(1)).await;
        let expected = format!("{} was replaced by another file", path.display());
        assert!(reason.contains(&expected), "{reason}");
    }
    sqlite.stop().await.unwrap();
    assert!(
        fs::read(&path).unwrap() == before,
        "the exporter wrote to it"
    );
}

#[tokio::test]
async fn another_error_in_an_outage_also_names_the_first_cause() {
    let folder = tempfile::tempdir().unwrap();
    let [path, away] = ["graph.db", "away.db"].map(|name| folder.path().join(name));
    let sqlite = start(&path).await.unwrap();
    limit_size(&sqlite).await;
    export_error(&sqlite, &batch(0)).await;
    fs::rename(&path, &away).unwrap();
    let reason = export_error(&sqlite, &batch(0)).await;
    let both = reason.contains("was deleted or moved")
        && reason.ends_with("(first error: database or disk is full)");
    assert!(both, "{reason}");
}

#[tokio::test]
async fn an_outage_is_logged_once_and_so_is_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let [path, away] = ["graph.db", "away.db"].map(|name| folder.path().join(name));
    let sqlite = start(&path).await.unwrap();
    sqlite.export(&batch(0)).await.unwrap();
    log::begin();
    fs::rename(&path, &away).unwrap();
    for _ in 0..3 {
        export_error(&sqlite, &batch(1)).await;
    }
    fs::rename(&away, &path).unwrap();
    sqlite.export(&batch(1)).await.unwrap();
    sqlite.export(&batch(2)).await.unwrap();
    assert_eq!(
        log::logged(),
        [
            "ERROR writing to the database failed",
            "INFO writing to the database works again"
        ]
    );
    assert_has_batches(&sqlite, &[0, 1, 2]).await;
}

#[tokio::test]
async fn a_constraint_error_is_attributed_to_the_rows_and_later_writes_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = start(&folder.path().join("graph.db")).await.unwrap();
    let database = sqlite.store.backend().database().unwrap();
    let mut transaction = database.writer.begin().await.unwrap();
    let wrong = sqlx::query("INSERT INTO nodes DEFAULT VALUES");
    let written = wrong.execute(transaction.connection()).await;
    let error = transaction.finish(written).await.unwrap_err();
    assert!(error.is_caused_by_rows(), "{error}");
    sqlite.export(&batch(0)).await.unwrap();
    assert_has_batches(&sqlite, &[0]).await;
}

#[tokio::test]
async fn a_dropped_write_transaction_does_not_delay_the_next_write() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = start(&folder.path().join("graph.db")).await.unwrap();
    let database = sqlite.store.backend().database().unwrap();
    let mut transaction = database.writer.begin().await.unwrap();
    let endless = sqlx::query(super::ENDLESS).execute(transaction.connection());
    timeout(Duration::from_millis(100), endless)
        .await
        .unwrap_err();
    drop(transaction);
    let one = node_batch("a", "actual", "observed", "aws", "a", 10);
    timeout(HANG_TIMEOUT, sqlite.export(&one))
        .await
        .unwrap()
        .unwrap();
}
