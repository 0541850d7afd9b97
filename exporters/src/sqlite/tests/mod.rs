//! Tests of the exporter on real files: they write batches and read through the public interface.

pub(super) mod batches;
mod copying;
mod damage;
mod faults;
mod interrupting;
mod joined_batches;
pub(super) mod killed;
mod log;
mod merging;
pub(super) mod small_disk;
mod starting;

use std::path::Path;
use std::sync::Arc;

use pipeline::component::{Exporter, Host, StartError, Tasks, UnixNanos};
use pipeline::graph_store::{AsOf, GraphStore, Node};
use pipeline::registry::BuildExporter;
use pipeline::{Batch, SignalSet};
use tokio_util::sync::CancellationToken;

use super::database::Database;
use super::{Config, Sqlite, SqliteBackend, Store};

/// A statement that runs until it is interrupted.
const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

/// An exporter with a file in a temporary folder.
struct TestStore {
    sqlite: Sqlite,
    folder: tempfile::TempDir,
}

impl TestStore {
    async fn new() -> TestStore {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = start(&folder.path().join("graph.db")).await.unwrap();
        TestStore { sqlite, folder }
    }

    async fn export(&self, batch: Batch) {
        self.sqlite.export(&batch).await.unwrap();
    }

    fn store(&self) -> &Arc<Store<SqliteBackend>> {
        &self.sqlite.store
    }

    fn database(&self) -> &Database {
        self.store().backend().database().unwrap()
    }

    async fn node(&self, uid: &str, at: AsOf) -> Option<Node> {
        let uids = [uid.to_owned()];
        self.store().nodes(&uids, at).await.unwrap().remove(0)
    }

    /// The number of rows that the exporter inserted, updated or deleted since it opened the file.
    async fn rows_written(&self) -> i64 {
        let database = self.database();
        let mut transaction = database.writer.begin().await.unwrap();
        let changes = sqlx::query_scalar("SELECT total_changes()");
        let changes = changes.fetch_one(transaction.connection()).await;
        transaction.finish(changes).await.unwrap()
    }
}

/// Starts an exporter on a file.
pub(super) async fn start(path: &Path) -> Result<Sqlite, StartError> {
    let host = Host::new("sqlite".parse().unwrap(), SignalSet::NONE, Arc::default());
    let config = Config {
        path: path.to_owned(),
        observed_edge_ttl: std::time::Duration::from_secs(3600),
        retention: pipeline::store::Retention::default(),
    };
    let mut sqlite = Sqlite::build(config, &host).unwrap();
    let mut tasks = Tasks::new(CancellationToken::new());
    sqlite.start(&mut tasks).await?;
    Ok(sqlite)
}

fn at(time: u64) -> AsOf {
    AsOf::Time(UnixNanos(time))
}
