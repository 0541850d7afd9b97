//! Writes that fail: what the sender gets, and what comes after.

use std::fs;
use std::time::Duration;

use pipeline::component::{Chain, ExportError, Exporter, UnixNanos};
use pipeline::graph_store::{At, GraphStore};
use pipeline::rows::{Cell, Rows};
use pipeline::schema::nodes;
use pipeline::{Batch, Delivery, Signal};
use tokio::time::timeout;

use super::super::Sqlite;
use super::small_disk::SmallDisk;
use super::telling::fact;
use super::{log, start};

/// Nodes of a batch; with their names it has 100 kB.
const NODES: usize = 100;

/// More than a step needs that does not hang.
const SOON: Duration = Duration::from_secs(4);

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
    rows.finish(Delivery::nobody())
}

/// What the sender is told.
pub(super) async fn refused(sqlite: &Sqlite, batch: &Batch) -> String {
    match sqlite.export(batch).await.unwrap_err() {
        ExportError::Retryable { reason, .. } => reason,
        ExportError::Permanent { reason, .. } => panic!("never sent again: {reason}"),
    }
}

/// Fails unless all nodes of these batches are in the store.
pub(super) async fn assert_holds(sqlite: &Sqlite, batches: &[usize]) {
    for &batch in batches {
        let uids: Vec<String> = (0..NODES).map(|node| uid(batch, node)).collect();
        let found = sqlite.store.nodes(&uids, At::Now).await.unwrap();
        let missing = found.iter().filter(|node| node.is_none()).count();
        assert_eq!(missing, 0, "nodes of batch {batch}");
    }
}

/// Lets the database not grow, as on a full disk. It holds for the present connection only.
async fn limit_size(sqlite: &Sqlite) {
    let database = sqlite.store.backend().database().unwrap();
    let mut transaction = database.writer.begin().await.unwrap();
    let limit = sqlx::query("PRAGMA max_page_count = 1");
    let limited = limit.execute(transaction.connection()).await;
    transaction.finish(limited).await.unwrap();
}

/// Writes batches with numbers from `first` on until one is refused: which ones were not.
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
        let reason = refused(&sqlite, &batch(number)).await;
        let expected = format!(
            "write 100 rows of nodes: {}: database or disk is full",
            path.display()
        );
        assert_eq!(reason, expected);
        sqlite.export(&batch(number)).await.unwrap();
    }
    assert_holds(&sqlite, &[0, 1, 2, 3]).await;
    timeout(SOON, sqlite.stop()).await.unwrap().unwrap();
    assert_holds(&start(&path).await.unwrap(), &[0, 1, 2, 3]).await;
}

#[tokio::test]
async fn writing_resumes_when_a_full_disk_has_space_again() {
    let disk = SmallDisk::mount();
    let path = disk.database();
    disk.fill(4 << 20);
    let sqlite = start(&path).await.unwrap();
    let (mut written, first) = fill(&sqlite, 0).await;
    assert!(first.contains("disk is full"), "{first}");
    for _ in 0..3 {
        let reason = refused(&sqlite, &batch(written.len())).await;
        let names_both = reason.contains(path.to_str().unwrap()) && reason.contains("disk is full");
        assert!(names_both, "{reason}");
    }
    assert_holds(&sqlite, &written).await;
    disk.empty();
    let (more, _) = fill(&sqlite, written.len()).await;
    assert!(more.len() > 2, "{more:?}");
    written.extend(more);
    assert_holds(&sqlite, &written).await;
    timeout(SOON, sqlite.stop()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_full_disk_does_not_hold_up_the_stop_and_what_was_written_stays() {
    let disk = SmallDisk::mount();
    let path = disk.database();
    disk.fill(4 << 20);
    let sqlite = start(&path).await.unwrap();
    let (written, _) = fill(&sqlite, 0).await;
    timeout(SOON, sqlite.stop()).await.unwrap().unwrap();
    disk.empty();
    let again = start(&path).await.unwrap();
    assert!(!written.is_empty());
    assert_holds(&again, &written).await;
    again.export(&batch(written.len())).await.unwrap();
}

#[tokio::test]
async fn housekeeping_on_a_full_disk_fails_with_the_cause_and_goes_on_when_there_is_space() {
    let disk = SmallDisk::mount();
    let path = disk.database();
    let mut sqlite = start(&path).await.unwrap();
    for number in 0..8 {
        sqlite.export(&batch(number)).await.unwrap();
    }
    // Its log is empty from then on, so the next write needs space.
    sqlite.stop().await.unwrap();
    sqlite = start(&path).await.unwrap();
    disk.fill(SmallDisk::BYTES);
    // Nothing of the nodes is over, but where housekeeping is has to be written.
    let now = UnixNanos(400 * 24 * 3_600_000_000_000);
    let retention = pipeline::store::Retention::default();
    let mut failed = None;
    for _ in 0..200 {
        match sqlite.store.housekeep(now, &retention).await {
            Ok(step) if step.is_done => break,
            Ok(_) => {}
            Err(error) => failed = Some(Chain(&error).to_string()),
        }
    }
    let failed = failed.expect("there is no space for what is written");
    let says = failed.contains("disk is full") && failed.contains(path.to_str().unwrap());
    assert!(says, "{failed}");
    assert_holds(&sqlite, &[0, 7]).await;
    disk.empty();
    while !sqlite
        .store
        .housekeep(now, &retention)
        .await
        .unwrap()
        .is_done
    {}
    assert_holds(&sqlite, &[0, 7]).await;
    let report = sqlite.store.check(false).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    timeout(SOON, sqlite.stop()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_deleted_file_is_reported_with_its_path_and_no_other_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.db");
    let sqlite = start(&path).await.unwrap();
    sqlite.export(&batch(0)).await.unwrap();
    fs::remove_file(&path).unwrap();
    let told = format!("{} was deleted or moved while airdig runs", path.display());
    for _ in 0..2 {
        let reason = refused(&sqlite, &batch(1)).await;
        assert!(reason.contains(&told), "{reason}");
    }
    let read = sqlite.store.nodes(&[uid(0, 0)], At::Now).await.unwrap_err();
    let read = Chain(&read).to_string();
    assert!(read.contains(&told), "{read}");
    assert!(!path.exists());
    timeout(SOON, sqlite.stop()).await.unwrap().unwrap();
    let again = start(&path).await.unwrap();
    again.export(&batch(1)).await.unwrap();
    assert_holds(&again, &[1]).await;
}

#[tokio::test]
async fn reads_report_a_deleted_file_within_a_second_or_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.db");
    let sqlite = start(&path).await.unwrap();
    sqlite.export(&batch(0)).await.unwrap();
    assert_holds(&sqlite, &[0]).await;
    fs::remove_file(&path).unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let error = sqlite.store.nodes(&[uid(0, 0)], At::Now).await.unwrap_err();
    let error = Chain(&error).to_string();
    assert!(error.contains("was deleted or moved"), "{error}");
}

#[tokio::test]
async fn a_file_that_replaced_the_database_is_reported_and_left_as_it_is() {
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
        let reason = refused(&sqlite, &batch(1)).await;
        let told = format!("{} was replaced by another file", path.display());
        assert!(reason.contains(&told), "{reason}");
    }
    sqlite.stop().await.unwrap();
    assert!(fs::read(&path).unwrap() == before, "it was written to");
}

#[tokio::test]
async fn the_first_cause_is_reported_beside_a_later_one() {
    let folder = tempfile::tempdir().unwrap();
    let [path, away] = ["graph.db", "away.db"].map(|name| folder.path().join(name));
    let sqlite = start(&path).await.unwrap();
    limit_size(&sqlite).await;
    refused(&sqlite, &batch(0)).await;
    fs::rename(&path, &away).unwrap();
    let reason = refused(&sqlite, &batch(0)).await;
    let both = reason.contains("was deleted or moved")
        && reason.ends_with("(at first: database or disk is full)");
    assert!(both, "{reason}");
}

#[tokio::test]
async fn a_failure_is_logged_once_and_so_is_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let [path, away] = ["graph.db", "away.db"].map(|name| folder.path().join(name));
    let sqlite = start(&path).await.unwrap();
    sqlite.export(&batch(0)).await.unwrap();
    log::begin();
    fs::rename(&path, &away).unwrap();
    for _ in 0..3 {
        refused(&sqlite, &batch(1)).await;
    }
    fs::rename(&away, &path).unwrap();
    sqlite.export(&batch(1)).await.unwrap();
    sqlite.export(&batch(2)).await.unwrap();
    assert_eq!(
        log::logged(),
        ["ERROR writing fails", "INFO writing works again"]
    );
    assert_holds(&sqlite, &[0, 1, 2]).await;
}

#[tokio::test]
async fn rows_at_fault_are_refused_for_good_and_others_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = start(&folder.path().join("graph.db")).await.unwrap();
    let database = sqlite.store.backend().database().unwrap();
    let mut transaction = database.writer.begin().await.unwrap();
    let wrong = sqlx::query("INSERT INTO nodes DEFAULT VALUES");
    let written = wrong.execute(transaction.connection()).await;
    let error = transaction.finish(written).await.unwrap_err();
    assert!(error.concerns_rows(), "{error}");
    sqlite.export(&batch(0)).await.unwrap();
    assert_holds(&sqlite, &[0]).await;
}

#[tokio::test]
async fn a_write_that_is_given_up_does_not_hold_up_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = start(&folder.path().join("graph.db")).await.unwrap();
    let database = sqlite.store.backend().database().unwrap();
    let mut transaction = database.writer.begin().await.unwrap();
    let endless = sqlx::query(super::ENDLESS).execute(transaction.connection());
    timeout(Duration::from_millis(100), endless)
        .await
        .unwrap_err();
    drop(transaction);
    let one = fact("a", "actual", "observed", "aws", "a", 10);
    timeout(SOON, sqlite.export(&one)).await.unwrap().unwrap();
}
