//! Runs the exporter's background tasks: housekeeping, the metrics of the store, and a follower that sends the
//! commits of other processes to subscribers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pipeline::component::{ErrorChain, RunError, Tasks, UnixNanos};
use pipeline::counters::Gauges;
use pipeline::store::rows::RowsError;
use pipeline::store::{Retention, Store};
use tokio_util::sync::CancellationToken;

use super::SqliteBackend;
use super::clock_guard::ClockGuard;

/// The pause between two steps while there are more rows to remove. It lets writers take the write lock.
const STEP_PAUSE: Duration = Duration::from_millis(75);

/// The pause after a complete round, and after a failure.
const ROUND_PAUSE: Duration = Duration::from_secs(60);

/// The pause before the first step: the clock of a machine that has just booted may still be wrong.
const START_DELAY: Duration = Duration::from_secs(60);

/// What the background tasks work on.
pub(super) struct BackgroundTasks {
    pub(super) id: String,
    pub(super) store: Arc<Store<SqliteBackend>>,
    pub(super) retention: Retention,
    pub(super) gauges: Gauges,
}

impl BackgroundTasks {
    /// Starts the tasks; they end when `tasks` stops.
    pub(super) fn spawn(self, tasks: &mut Tasks) {
        let (store, stop) = (Arc::clone(&self.store), tasks.stop());
        tasks.spawn("follow the commits of all processes", async move {
            let followed = stop.run_until_cancelled(store.follow()).await;
            let _: Option<_> = followed;
            Ok(())
        });
        let stop = tasks.stop();
        tasks.spawn("housekeeping", self.run_housekeeping(stop));
    }

    /// Runs steps of housekeeping and updates the metrics of the store until `stop`.
    async fn run_housekeeping(self, stop: CancellationToken) -> Result<(), RunError> {
        let (mut has_failed, mut measured) = (false, None::<Instant>);
        let mut guard = None::<ClockGuard>;
        let wait = stop.run_until_cancelled(tokio::time::sleep(START_DELAY));
        if wait.await.is_none() {
            return Ok(());
        }
        loop {
            let step = async {
                if measured.is_none_or(|measured| measured.elapsed() > ROUND_PAUSE) {
                    measured = Some(Instant::now());
                    self.update_metrics().await?;
                }
                let (now, wall) = (Instant::now(), UnixNanos::now());
                let guard = match &mut guard {
                    Some(guard) => guard,
                    None => {
                        let last = self.store.last_housekeeping().await?;
                        guard.insert(ClockGuard::start_after(last, now, wall))
                    }
                };
                match guard.has_jumped(&self.id, now, wall) {
                    true => Ok(ROUND_PAUSE),
                    false => self.step().await,
                }
            };
            let Some(step) = stop.run_until_cancelled(step).await else {
                return Ok(());
            };
            let pause = match step {
                Ok(pause) => {
                    has_failed = false;
                    pause
                }
                Err(error) => {
                    if !has_failed {
                        let (exporter, error) = (&self.id, ErrorChain(&error).to_string());
                        tracing::warn!(
                            exporter,
                            error,
                            "housekeeping failed and old rows stay: fix the cause; it retries every minute"
                        );
                    }
                    has_failed = true;
                    ROUND_PAUSE
                }
            };
            let pause = stop.run_until_cancelled(tokio::time::sleep(pause));
            if pause.await.is_none() {
                return Ok(());
            }
        }
    }

    /// Runs one step of housekeeping if this process holds the housekeeping lease; returns the pause until the
    /// next step.
    async fn step(&self) -> Result<Duration, RowsError> {
        let now = UnixNanos::now();
        if !self.store.acquire_housekeeping_lease(now).await? {
            return Ok(ROUND_PAUSE);
        }
        let progress = self.store.housekeep(now, &self.retention);
        Ok(match progress.await?.is_done {
            true => ROUND_PAUSE,
            false => STEP_PAUSE,
        })
    }

    /// Sets the gauges `airdig_store_…`.
    async fn update_metrics(&self) -> Result<(), RowsError> {
        let metrics = self.store.metrics(UnixNanos::now(), &self.retention);
        let metrics = metrics.await?;
        for (table, rows) in metrics.rows {
            self.gauges
                .set("airdig_store_rows", Some(("table", table)), rows);
        }
        let set = |name, value| self.gauges.set(name, None, value);
        set("airdig_store_bytes", metrics.bytes);
        set("airdig_store_free_bytes", metrics.free_bytes);
        let oldest = metrics
            .oldest_history
            .map(|oldest| oldest.0 / 1_000_000_000);
        set(
            "airdig_store_oldest_history_timestamp_seconds",
            oldest.unwrap_or_default(),
        );
        let lag = metrics.housekeeping_lag.as_secs();
        set("airdig_store_housekeeping_lag_seconds", lag);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pipeline::component::{Exporter as _, UnixNanos};
    use pipeline::store::Retention;

    use super::{BackgroundTasks, ROUND_PAUSE, STEP_PAUSE};
    use crate::sqlite::Sqlite;
    use crate::sqlite::tests::batches::node_batch;
    use crate::sqlite::tests::start;

    #[tokio::test]
    async fn housekeeping_with_a_clock_of_1970_removes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = start(&folder.path().join("graph.db")).await.unwrap();
        let old = node_batch("a", "actual", "observed", "aws", "a", 10);
        sqlite.export(&old).await.unwrap();
        let retention = Retention::default();
        for now in [UnixNanos(0), UnixNanos(60_000_000_000)] {
            loop {
                let step = sqlite.store.housekeep(now, &retention).await.unwrap();
                assert_eq!(step.removed, 0);
                if step.is_done {
                    break;
                }
            }
        }
        assert_eq!(sqlite.store.horizon().await.unwrap().history().0, 0);
    }

    #[tokio::test]
    async fn only_one_of_two_processes_does_housekeeping() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("graph.db");
        let [one, other] = [start(&path).await.unwrap(), start(&path).await.unwrap()];
        let background_tasks = |sqlite: &Sqlite| BackgroundTasks {
            id: "sqlite".to_owned(),
            store: Arc::clone(&sqlite.store),
            retention: Retention::default(),
            gauges: sqlite.gauges.clone(),
        };
        assert_eq!(background_tasks(&one).step().await.unwrap(), STEP_PAUSE);
        assert_eq!(background_tasks(&other).step().await.unwrap(), ROUND_PAUSE);
        assert_eq!(background_tasks(&one).step().await.unwrap(), STEP_PAUSE);
    }
}
