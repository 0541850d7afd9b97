//! What the exporter does beside reads and writes: it removes what is older than its retention, shows how
//! large the store is, and sends its subscribers what other processes write.

use std::sync::Arc;
use std::time::Duration;

use pipeline::component::{Chain, RunError, Tasks, UnixNanos};
use pipeline::counters::Gauges;
use pipeline::store::rows::RowsError;
use pipeline::store::{Retention, Store};
use tokio_util::sync::CancellationToken;

use super::SqliteBackend;

/// Between two steps while there is more to remove: writers come first.
const BETWEEN_STEPS: Duration = Duration::from_millis(75);

/// After all is removed, and after a failure.
const REST: Duration = Duration::from_secs(60);

pub(super) struct Upkeep {
    pub(super) id: String,
    pub(super) store: Arc<Store<SqliteBackend>>,
    pub(super) retention: Retention,
    pub(super) gauges: Gauges,
}

impl Upkeep {
    pub(super) fn spawn(self, tasks: &mut Tasks) {
        let (store, stop) = (Arc::clone(&self.store), tasks.stop());
        tasks.spawn("follow the commits of all processes", async move {
            let followed = stop.run_until_cancelled(store.follow()).await;
            let _: Option<_> = followed;
            Ok(())
        });
        let stop = tasks.stop();
        tasks.spawn("housekeeping", self.run(stop));
    }

    async fn run(self, stop: CancellationToken) -> Result<(), RunError> {
        let mut has_failed = false;
        loop {
            let pause = match self.step().await {
                Ok(pause) => {
                    has_failed = false;
                    pause
                }
                Err(error) => {
                    if !has_failed {
                        let (exporter, error) = (&self.id, Chain(&error).to_string());
                        tracing::warn!(exporter, error, "housekeeping failed, and is tried again");
                    }
                    has_failed = true;
                    REST
                }
            };
            let pause = stop.run_until_cancelled(tokio::time::sleep(pause));
            if pause.await.is_none() {
                return Ok(());
            }
        }
    }

    /// One step; how long to pause after it.
    async fn step(&self) -> Result<Duration, RowsError> {
        let progress = self.store.housekeep(UnixNanos::now(), &self.retention);
        if !progress.await?.is_done {
            return Ok(BETWEEN_STEPS);
        }
        self.show().await?;
        Ok(REST)
    }

    async fn show(&self) -> Result<(), RowsError> {
        let figures = self.store.figures().await?;
        for (table, rows) in figures.rows {
            self.gauges
                .set("airdig_store_rows", Some(("table", table)), rows);
        }
        let set = |name, value| self.gauges.set(name, None, value);
        set("airdig_store_bytes", figures.bytes);
        set("airdig_store_free_bytes", figures.free_bytes);
        let oldest = figures
            .oldest_history
            .map(|oldest| oldest.0 / 1_000_000_000);
        set(
            "airdig_store_oldest_history_timestamp_seconds",
            oldest.unwrap_or_default(),
        );
        let lag = figures.housekeeping_lag.as_secs();
        set("airdig_store_housekeeping_lag_seconds", lag);
        Ok(())
    }
}
