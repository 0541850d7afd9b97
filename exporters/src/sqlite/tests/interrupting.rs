//! Interrupted reads: after a timeout, after a drop, and at the stop.

use std::time::Duration;

use pipeline::component::Exporter;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Row};
use tokio::time::{Instant, timeout};

use super::batches::node_batch;
use super::{ENDLESS, TestStore};

/// A step that takes longer counts as hanging.
const HANG_TIMEOUT: Duration = Duration::from_secs(4);

#[tokio::test]
async fn slow_reads_that_time_out_free_their_connections() {
    let test_store = TestStore::new().await;
    let readers = &test_store.database().readers;
    let slow = || async {
        let mut session = readers.session().await.unwrap();
        let rows = sqlx::query_scalar::<_, i64>(ENDLESS).fetch_one(session.connection());
        rows.await
    };
    // Each round uses all four connections.
    for _ in 0..3 {
        let all = futures::future::join_all((0..4).map(|_| slow()));
        timeout(Duration::from_millis(100), all).await.unwrap_err();
    }
    let began = Instant::now();
    let mut sessions = Vec::new();
    for _ in 0..4 {
        let session = timeout(HANG_TIMEOUT, readers.session()).await;
        sessions.push(session.expect("a connection is free").unwrap());
    }
    for session in &mut sessions {
        let one = sqlx::query_scalar::<_, i64>("SELECT 1").fetch_one(session.connection());
        assert_eq!(timeout(HANG_TIMEOUT, one).await.unwrap().unwrap(), 1);
    }
    assert!(began.elapsed() < HANG_TIMEOUT);
}

#[tokio::test]
async fn a_dropped_session_does_not_block_checkpoints() {
    let test_store = TestStore::new().await;
    test_store
        .export(node_batch("a", "actual", "observed", "aws", "a", 10))
        .await;
    let database = test_store.database();
    let mut session = database.readers.session().await.unwrap();
    let read = sqlx::query("SELECT * FROM nodes").execute(session.connection());
    read.await.unwrap();
    drop(session);
    test_store
        .export(node_batch("b", "actual", "observed", "aws", "b", 10))
        .await;
    let path = test_store.folder.path().join("graph.db");
    let mut other = SqliteConnection::connect(path.to_str().unwrap())
        .await
        .unwrap();
    let checkpoint = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
    let row = checkpoint.fetch_one(&mut other).await.unwrap();
    assert_eq!(row.get::<i64, _>("busy"), 0);
}

#[tokio::test]
async fn a_slow_read_does_not_delay_the_stop() {
    let test_store = TestStore::new().await;
    let readers = &test_store.database().readers;
    let mut session = readers.session().await.unwrap();
    let read = async move {
        let rows = sqlx::query_scalar::<_, i64>(ENDLESS).fetch_one(session.connection());
        let error = rows.await.unwrap_err().to_string();
        assert!(error.contains("interrupted"), "{error}");
    };
    let both = futures::future::join(read, test_store.sqlite.stop());
    timeout(HANG_TIMEOUT, both).await.unwrap().1.unwrap();
}
