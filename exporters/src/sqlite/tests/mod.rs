//! A real file, written by batches and asked as everybody asks it.

mod copying;
mod damage;
mod faults;
mod interrupting;
pub(super) mod killed;
mod log;
mod merging;
pub(super) mod small_disk;
mod starting;
pub(super) mod telling;
mod together;

use std::path::Path;
use std::sync::Arc;

use pipeline::component::{Exporter, Host, StartError, Tasks, UnixNanos};
use pipeline::graph_store::{At, GraphStore, Node};
use pipeline::registry::BuildExporter;
use pipeline::{Batch, SignalSet};
use tokio_util::sync::CancellationToken;

use super::database::Database;
use super::{Config, Sqlite, SqliteBackend, Store};

/// A statement that ends only by being interrupted.
const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

/// An open store in a folder of its own.
struct Open {
    sqlite: Sqlite,
    folder: tempfile::TempDir,
}

impl Open {
    async fn new() -> Open {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = start(&folder.path().join("graph.db")).await.unwrap();
        Open { sqlite, folder }
    }

    async fn tell(&self, batch: Batch) {
        self.sqlite.export(&batch).await.unwrap();
    }

    fn store(&self) -> &Arc<Store<SqliteBackend>> {
        &self.sqlite.store
    }

    fn database(&self) -> &Database {
        self.store().backend().database().unwrap()
    }

    async fn node(&self, uid: &str, at: At) -> Option<Node> {
        let uids = [uid.to_owned()];
        self.store().nodes(&uids, at).await.unwrap().remove(0)
    }

    /// Rows that were inserted, updated or deleted since the file was opened.
    async fn rows_written(&self) -> i64 {
        let database = self.database();
        let mut transaction = database.writer.begin().await.unwrap();
        let changes = sqlx::query_scalar("SELECT total_changes()");
        let changes = changes.fetch_one(transaction.connection()).await;
        transaction.finish(changes).await.unwrap()
    }
}

pub(super) async fn start(path: &Path) -> Result<Sqlite, StartError> {
    let host = Host::new("sqlite".parse().unwrap(), SignalSet::NONE, Arc::default());
    let config = Config {
        path: path.to_owned(),
        seen_for: std::time::Duration::from_secs(3600),
        retention: pipeline::store::Retention::default(),
    };
    let mut sqlite = Sqlite::build(config, &host).unwrap();
    let mut tasks = Tasks::new(CancellationToken::new());
    sqlite.start(&mut tasks).await?;
    Ok(sqlite)
}

fn at(time: u64) -> At {
    At::Time(UnixNanos(time))
}
