//! Failing disks, damaged files, and a full disk while the file shrinks: the writer discards the connection, and
//! writing resumes when the cause is gone.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use pipeline::component::{ErrorChain, Exporter};
use pipeline::store::rows::Backend as _;

use super::faults::{assert_has_batches, batch, export_error};
use super::small_disk::SmallDisk;
use super::start;
use crate::sqlite::Sqlite;

/// The variable that names the file of a child process.
const FILE: &str = "AIRDIG_TEST_FILE";

async fn execute(sqlite: &Sqlite, sql: &'static str) {
    let database = sqlite.store.backend().database().unwrap();
    let mut transaction = database.writer.begin().await.unwrap();
    let result = sqlx::query(sql).execute(transaction.connection()).await;
    transaction.finish(result).await.unwrap();
}

async fn number(sqlite: &Sqlite, sql: &'static str) -> usize {
    let database = sqlite.store.backend().database().unwrap();
    let mut transaction = database.writer.begin().await.unwrap();
    let number = sqlx::query_scalar::<_, i64>(sql).fetch_one(transaction.connection());
    let number = number.await;
    let number = transaction.finish(number).await.unwrap();
    usize::try_from(number).unwrap()
}

/// Overwrites a part of the file in another process: opening and closing the file in this process would drop
/// SQLite's locks.
fn overwrite(path: &Path, at: usize, bytes: &[u8]) {
    let mut dd = Command::new("dd");
    dd.arg(format!("of={}", path.display()));
    dd.args([format!("seek={at}"), "oflag=seek_bytes".to_owned()]);
    dd.args(["conv=notrunc", "status=none"]);
    let mut dd = dd.stdin(Stdio::piped()).spawn().unwrap();
    dd.stdin.take().unwrap().write_all(bytes).unwrap();
    assert!(dd.wait().unwrap().success());
}

#[tokio::test]
async fn writes_to_a_damaged_page_fail_until_it_is_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.db");
    let first = start(&path).await.unwrap();
    for number in 0..3 {
        first.export(&batch(number)).await.unwrap();
    }
    first.stop().await.unwrap();
    let whole = fs::read(&path).unwrap();
    let sqlite = start(&path).await.unwrap();
    let page = "SELECT rootpage FROM sqlite_master WHERE name = 'nodes'";
    let page = number(&sqlite, page).await;
    let size = number(&sqlite, "PRAGMA page_size").await;
    let at = (page - 1) * size;
    overwrite(&path, at, &vec![0xff; size]);
    for _ in 0..2 {
        let reason = export_error(&sqlite, &batch(3)).await;
        let expected = format!("{}: database disk image is malformed", path.display());
        assert!(reason.contains(&expected), "{reason}");
    }
    overwrite(&path, at, &whole[at..at + size]);
    sqlite.export(&batch(3)).await.unwrap();
    assert_has_batches(&sqlite, &[0, 1, 2, 3]).await;
    let report = sqlite.store.check(false).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
}

/// Limits the length of the files that this process writes.
fn limit_files(length: &str) {
    let mut prlimit = Command::new("prlimit");
    prlimit.args(["--pid", &std::process::id().to_string()]);
    prlimit.arg(format!("--fsize={length}:unlimited"));
    assert!(prlimit.status().unwrap().success());
}

#[tokio::test]
#[ignore = "another test runs it as a process, since it limits the whole process"]
async fn child() {
    let Ok(file) = std::env::var(FILE) else {
        return;
    };
    let path = Path::new(&file);
    let sqlite = start(path).await.unwrap();
    sqlite.export(&batch(0)).await.unwrap();
    let log = path.with_extension("db-wal").metadata().unwrap().len();
    limit_files(&log.to_string());
    for _ in 0..3 {
        let reason = export_error(&sqlite, &batch(1)).await;
        let expected = format!("{file}: disk I/O error");
        assert!(reason.contains(&expected), "{reason}");
    }
    assert_has_batches(&sqlite, &[0]).await;
    limit_files("unlimited");
    sqlite.export(&batch(1)).await.unwrap();
    assert_has_batches(&sqlite, &[0, 1]).await;
    sqlite.stop().await.unwrap();
}

#[tokio::test]
async fn writing_resumes_after_the_disk_failed_a_commit() {
    let version = Command::new("prlimit").arg("--version").output();
    assert!(
        version.is_ok_and(|version| version.status.success()),
        "this test runs prlimit, which is part of util-linux"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.db");
    let test = std::env::current_exe().unwrap();
    let mut shell = Command::new("sh");
    // Without this signal a write fails with an error.
    shell
        .args(["-c", r#"trap "" XFSZ; exec "$0" "$@""#])
        .arg(test);
    shell.args(["--ignored", "--exact", "sqlite::tests::damage::child"]);
    let output = shell.env(FILE, &path).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_has_batches(&start(&path).await.unwrap(), &[0, 1]).await;
}

#[tokio::test]
async fn compaction_fails_on_a_full_disk_and_resumes_when_there_is_space() {
    let disk = SmallDisk::mount();
    let path = disk.database();
    let mut sqlite = start(&path).await.unwrap();
    execute(&sqlite, "CREATE TABLE large (bytes BLOB)").await;
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
                INSERT INTO large SELECT randomblob(3000) FROM n";
    execute(&sqlite, many).await;
    // Compaction moves the pages of these batches to the front of the file.
    for number in 0..4 {
        sqlite.export(&batch(number)).await.unwrap();
    }
    execute(&sqlite, "DROP TABLE large").await;
    sqlite.stop().await.unwrap();
    sqlite = start(&path).await.unwrap();
    let before = path.metadata().unwrap().len();
    disk.fill(SmallDisk::BYTES);
    for _ in 0..2 {
        let error = sqlite.store.backend().compact(200).await.unwrap_err();
        let error = ErrorChain(&error).to_string();
        let names_cause_and_path =
            error.contains("disk is full") && error.contains(path.to_str().unwrap());
        assert!(names_cause_and_path, "{error}");
    }
    assert_has_batches(&sqlite, &[0, 1, 2, 3]).await;
    disk.empty();
    while sqlite.store.backend().compact(200).await.unwrap() {}
    sqlite.export(&batch(4)).await.unwrap();
    sqlite.stop().await.unwrap();
    let after = path.metadata().unwrap().len();
    assert!(after + (1 << 20) < before, "{before} became {after}");
    sqlite = start(&path).await.unwrap();
    assert_has_batches(&sqlite, &[0, 1, 2, 3, 4]).await;
    let report = sqlite.store.check(false).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
}
