//! The contract of every backend, and what is SQL's own: plans, words across sessions, nodes that are
//! written late.

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
async fn sqlite_keeps_the_contract_of_rows() {
    let folder = tempfile::tempdir().unwrap();
    let files = std::cell::Cell::new(0);
    rows::all(async || {
        files.set(files.get() + 1);
        open(&folder.path().join(files.get().to_string())).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn store_in_a_file_ages_well() {
    let folder = tempfile::tempdir().unwrap();
    let files = std::cell::Cell::new(0);
    aging::all(async || {
        files.set(files.get() + 1);
        let path = folder.path().join(files.get().to_string());
        let first = open(&path).await;
        (first, open(&path).await)
    })
    .await;
}

/// A backend in a folder of its own.
struct Open {
    backend: SqliteBackend,
    folder: TempDir,
}

impl Open {
    async fn new() -> Open {
        let folder = tempfile::tempdir().unwrap();
        let backend = open(&folder.path().join("graph.db")).await;
        Open { backend, folder }
    }

    /// As another process opens the same file.
    async fn again(&self) -> SqliteBackend {
        open(&self.folder.path().join("graph.db")).await
    }

    /// Gives them their numbers.
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
    backend.open(Database::open_unsafely(path).await.unwrap());
    backend
}

async fn execute(backend: &SqliteBackend, sql: &'static str) {
    let mut session = backend.write().await.unwrap();
    let done = sqlx::query(sql).execute(session.sqlite()).await;
    done.unwrap();
    session.commit().await.unwrap();
}

/// Rows that this backend inserted, updated or deleted since it was opened.
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
