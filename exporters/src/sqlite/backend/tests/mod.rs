//! Tests the contract of every backend, and what only this backend has: query plans, cached words, and nodes whose rows
//! are written when the session commits.

use std::path::Path;

use pipeline::component::UnixNanos;
use pipeline::store::rows::{Backend as _, Listing, NodeId, NodeRow, WriteRows as _};
use pipeline::testing::{aging, rows};
use tempfile::TempDir;

use super::SqliteBackend;
use crate::sqlite::database::Database;

mod housekeeping;
mod nodes;
mod plans;
mod replay;
mod texts;
mod words;

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_fulfills_the_contract_of_backends() {
    let folder = tempfile::tempdir().unwrap();
    let files = std::cell::Cell::new(0);
    rows::check_all(async || {
        files.set(files.get() + 1);
        open(&folder.path().join(files.get().to_string())).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aged_store_in_a_file_stays_correct() {
    let folder = tempfile::tempdir().unwrap();
    let files = std::cell::Cell::new(0);
    aging::check_all(async || {
        files.set(files.get() + 1);
        let path = folder.path().join(files.get().to_string());
        let first = open(&path).await;
        (first, open(&path).await)
    })
    .await;
}

/// A backend with a file in a temporary folder.
struct TestBackend {
    backend: SqliteBackend,
    folder: TempDir,
}

impl TestBackend {
    async fn new() -> TestBackend {
        let folder = tempfile::tempdir().unwrap();
        let backend = open(&folder.path().join("graph.db")).await;
        TestBackend { backend, folder }
    }

    /// Opens the same file again, as another process does.
    async fn reopen(&self) -> SqliteBackend {
        open(&self.folder.path().join("graph.db")).await
    }

    /// Writes nodes, with the ids that the backend assigns.
    async fn put_nodes(&self, rows: &[NodeRow]) {
        let mut session = self.backend.write().await.unwrap();
        let uids: Vec<String> = rows.iter().map(|row| row.uid.clone()).collect();
        let ids = session.node_ids(&uids).await.unwrap();
        let rows = rows.iter().zip(ids);
        let rows = rows.map(|(row, (id, _))| NodeRow { id, ..row.clone() });
        session.put_nodes(&rows.collect::<Vec<_>>()).await.unwrap();
        session.commit().await.unwrap();
    }
}

async fn open(path: &Path) -> SqliteBackend {
    let backend = SqliteBackend::default();
    backend.open(Database::open_without_sync(path).await.unwrap());
    backend
}

async fn execute(backend: &SqliteBackend, sql: &'static str) {
    let mut session = backend.write().await.unwrap();
    let result = sqlx::query(sql).execute(session.sqlite()).await;
    result.unwrap();
    session.commit().await.unwrap();
}

/// The number of rows that this backend inserted, updated or deleted since it was opened.
async fn rows_written(backend: &SqliteBackend) -> i64 {
    let mut session = backend.write().await.unwrap();
    let changes = sqlx::query_scalar("SELECT total_changes()");
    let changes = changes.fetch_one(session.sqlite()).await.unwrap();
    session.commit().await.unwrap();
    changes
}

fn node(id: NodeId, uid: &str) -> NodeRow {
    NodeRow {
        id,
        uid: uid.to_owned(),
        listing: Listing::Current,
        first_seen: UnixNanos(1),
        last_seen: UnixNanos(2),
        ..NodeRow::default()
    }
}

fn strings<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}
