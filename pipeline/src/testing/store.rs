//! Graph stores for tests: in memory, with reads that block or fail, and with housekeeping that runs to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::error_cause::ErrorChain;
use crate::store::memory::{MemoryBackend, MemorySession, ReadAccess, WriteAccess};
use crate::store::rows::{Backend, RowsError, StoreSize};
use crate::store::{Retention, Store, StoreSettings};
use crate::unix_nanos::UnixNanos;

/// More steps than the housekeeping of any test takes.
const MAX_STEPS: usize = 100_000;

/// Returns a store in memory. Its observed edges never expire.
pub fn memory_store() -> Store<MemoryBackend> {
    store_over(MemoryBackend::default(), Duration::ZERO)
}

/// Returns a store over a backend. An observed edge expires when no source has observed it for `observed_edge_ttl`; if
/// that is zero, it never expires.
pub fn store_over<B: Backend>(backend: B, observed_edge_ttl: Duration) -> Store<B> {
    Store::new(backend, StoreSettings { observed_edge_ttl })
}

/// Runs all housekeeping that is due at `now`. Returns the number of steps that did something.
///
/// # Errors
/// If a step fails, or housekeeping does not end.
pub async fn run_housekeeping<B: Backend>(
    store: &Store<B>,
    now: UnixNanos,
    retention: &Retention,
) -> Result<usize, String> {
    for steps in 0..MAX_STEPS {
        let progress = store.housekeep(now, retention).await;
        let progress =
            progress.map_err(|error| format!("housekeeping failed: {}", ErrorChain(&error)))?;
        if progress.is_done {
            return Ok(steps);
        }
    }
    Err("housekeeping does not end".to_owned())
}

/// A backend in memory whose reads a test can block or make fail. Clones share the rows.
#[derive(Clone, Debug, Default)]
pub struct GatedBackend {
    rows: MemoryBackend,
    /// Reads wait until this token is cancelled.
    pub gate: CancellationToken,
    /// The number of the next reads that fail.
    pub failures: Arc<AtomicUsize>,
}

impl GatedBackend {
    /// The backend with the same rows whose reads neither block nor fail, for writes by another process.
    pub fn rows(&self) -> &MemoryBackend {
        &self.rows
    }
}

#[async_trait]
impl Backend for GatedBackend {
    type Read = MemorySession<ReadAccess>;
    type Write = MemorySession<WriteAccess>;

    async fn read(&self) -> Result<MemorySession<ReadAccess>, RowsError> {
        self.gate.cancelled().await;
        let decrement = |failures: usize| failures.checked_sub(1);
        let order = Ordering::Relaxed;
        if self.failures.fetch_update(order, order, decrement).is_ok() {
            return Err(RowsError {
                action: "read".to_owned(),
                is_retryable: true,
                source: "gone".into(),
            });
        }
        self.rows.read().await
    }

    async fn write(&self) -> Result<MemorySession<WriteAccess>, RowsError> {
        self.rows.write().await
    }

    async fn commits(&self, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, RowsError> {
        self.rows.commits(after, limit).await
    }

    async fn last_commit(&self) -> Result<u64, RowsError> {
        self.rows.last_commit().await
    }

    async fn store_size(&self) -> Result<StoreSize, RowsError> {
        self.rows.store_size().await
    }
}
