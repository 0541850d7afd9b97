//! Opens files for commands, beside an airdig that has them open.

use std::path::Path;
use std::time::Duration;

use pipeline::component::StartError;
use pipeline::store::{Settings, Store};

use super::SqliteBackend;
use super::database::Database;

/// A day, as the exporter's default; no command depends on it.
const SEEN_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// Opens the store in a file, which is not created.
///
/// # Errors
/// When there is no such file, or it is not the graph of this version of airdig. Each says what to do.
pub async fn open_existing(path: &Path) -> Result<Store<SqliteBackend>, StartError> {
    let backend = SqliteBackend::default();
    backend.open(Database::open_existing(path).await?);
    let seen_for = SEEN_FOR;
    Ok(Store::new(backend, Settings { seen_for }))
}

/// Closes the file.
pub async fn close(store: &Store<SqliteBackend>) {
    if let Ok(database) = store.backend().database() {
        database.close().await;
    }
}
