//! The contract of every backend, and what is SQL's own: plans, words across sessions, nodes that are
//! written late.

use std::path::Path;
use std::time::Duration;

use pipeline::component::UnixNanos;
use pipeline::store::rows::{Backend as _, Listing, NodeId, NodeRow, WriteRows as _};
use pipeline::testing::{aging, rows};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tempfile::TempDir;

use super::SqliteBackend;

mod housekeeping;
mod nodes;
mod plans;
mod replay;
mod texts;
mod words;

const SCHEMA: &str = include_str!("../schema.sql");

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_keeps_the_contract_of_rows() {
    let folder = tempfile::tempdir().unwrap();
    let files = std::cell::Cell::new(0);
    rows::all(async || {
        files.set(files.get() + 1);
        create(&folder.path().join(files.get().to_string())).await
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
        let first = create(&path).await;
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
        let backend = create(&folder.path().join("graph.db")).await;
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

async fn create(path: &Path) -> SqliteBackend {
    let backend = open(path).await;
    let sql = AssertSqlSafe(format!("BEGIN; {SCHEMA} COMMIT"));
    sqlx::raw_sql(sql).execute(&backend.writer).await.unwrap();
    backend
}

async fn open(path: &Path) -> SqliteBackend {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Off)
        .busy_timeout(Duration::from_millis(100));
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options.clone())
        .await
        .unwrap();
    let readers = SqlitePoolOptions::new()
        .max_connections(3)
        .connect_with(options.read_only(true))
        .await
        .unwrap();
    SqliteBackend::new(writer, readers)
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
