//! The graph store: one logic over any backend that keeps rows.
//!
//! ```text
//!  ReportBatch ──write/──▶ rows of a Backend ──read/──▶ GraphStore
//! ```

use std::sync::Arc;
use std::time::Duration;

mod inspect;
mod leases;
pub mod memory;
mod read;
pub mod rows;
mod snapshot;
mod texts;
mod words;
mod write;

use tokio::sync::broadcast;

use crate::graph_store::Commit;
use crate::reports::ReportBatch;
pub use inspect::Inspection;
use rows::{Backend, RowsError, WriteRows};
pub use write::Counted;

/// A graph kept by a backend.
#[derive(Debug)]
pub struct Store<B> {
    backend: B,
    settings: Settings,
    commits: broadcast::Sender<Arc<Commit>>,
}

/// Commits that a follower may be behind.
const COMMITS: usize = 256;

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long an edge that was seen by itself, and a node that only telemetry names, is current after
    /// it was last seen; for ever where zero.
    pub seen_for: Duration,
}

impl<B: Backend> Store<B> {
    pub fn new(backend: B, settings: Settings) -> Store<B> {
        Store {
            backend,
            settings,
            commits: broadcast::Sender::new(COMMITS),
        }
    }

    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// Writes all that a batch reports, in a transaction of the caller: it is neither durable nor announced.
    ///
    /// # Errors
    /// When the transaction must not be committed.
    pub async fn write_in(
        rows: &mut B::Write,
        reports: &ReportBatch<'_>,
    ) -> Result<(Commit, Counted), RowsError> {
        write::write(rows, reports).await
    }

    /// Writes all that a batch reports, durably.
    ///
    /// # Errors
    /// When nothing of it was written.
    pub async fn write(&self, reports: &ReportBatch<'_>) -> Result<(Commit, Counted), RowsError> {
        let mut rows = self.backend.write().await?;
        let (mut commit, counted) = write::write(&mut rows, reports).await?;
        commit.truncate();
        if !commit.is_empty() {
            let body = serde_json::to_vec(&commit).unwrap_or_default();
            commit.sequence = rows.append_commit(&body).await?;
        }
        rows.commit().await?;
        if !commit.is_empty() {
            // An error means that there are no followers.
            let _ = self.commits.send(Arc::new(commit.clone()));
        }
        Ok((commit, counted))
    }
}

#[cfg(test)]
mod tests;
