//! What the exporter does beside reads and writes: it removes what is older than its retention, shows how
//! large the store is, and sends its subscribers what other processes write.

use std::sync::Arc;
use std::time::{Duration, Instant};

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

/// Before the first step: the clock of a machine that has just booted may still be wrong.
const BEFORE_FIRST: Duration = Duration::from_secs(60);

/// What the clock may differ from the time that has passed, and how long it has to stay so to be believed.
const JUMP: Duration = Duration::from_secs(60 * 60);

/// Compares the clock with the time that has passed. What is removed under a wrong clock is lost, and the
/// horizon never goes back; but a machine that slept has a clock that is right.
#[derive(Debug)]
struct Clock {
    since: Instant,
    wall: UnixNanos,
    jumped: Option<Instant>,
}

impl Clock {
    fn start(now: Instant, wall: UnixNanos) -> Clock {
        Clock {
            since: now,
            wall,
            jumped: None,
        }
    }

    /// Whether the clock jumped ahead in the last hour, and is not back.
    fn has_jumped(&mut self, exporter: &str, now: Instant, wall: UnixNanos) -> bool {
        let expected = self.wall.after(now - self.since);
        if wall <= expected.after(JUMP) {
            self.jumped = None;
            return false;
        }
        let jumped = *self.jumped.get_or_insert_with(|| {
            tracing::warn!(
                exporter,
                "the clock jumped ahead by more than an hour: nothing is removed in the next hour, so that \
                 nothing is lost if it goes back"
            );
            now
        });
        if now - jumped < JUMP {
            return true;
        }
        *self = Clock::start(now, wall);
        false
    }
}

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
        let mut clock = Clock::start(Instant::now(), UnixNanos::now());
        let (mut has_failed, mut shown) = (false, None::<Instant>);
        let wait = stop.run_until_cancelled(tokio::time::sleep(BEFORE_FIRST));
        if wait.await.is_none() {
            return Ok(());
        }
        loop {
            let step = async {
                if shown.is_none_or(|shown| shown.elapsed() > REST) {
                    shown = Some(Instant::now());
                    self.show().await?;
                }
                match clock.has_jumped(&self.id, Instant::now(), UnixNanos::now()) {
                    true => Ok(REST),
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

    /// One step, where it is this process's turn; how long to pause after it.
    async fn step(&self) -> Result<Duration, RowsError> {
        let now = UnixNanos::now();
        if !self.store.take_turn(now).await? {
            return Ok(REST);
        }
        let progress = self.store.housekeep(now, &self.retention);
        Ok(match progress.await?.is_done {
            true => REST,
            false => BETWEEN_STEPS,
        })
    }

    async fn show(&self) -> Result<(), RowsError> {
        let figures = self.store.figures(UnixNanos::now(), &self.retention);
        let figures = figures.await?;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use pipeline::component::UnixNanos;
    use pipeline::store::Retention;

    use super::{BETWEEN_STEPS, Clock, REST, Upkeep};
    use crate::sqlite::Sqlite;
    use crate::sqlite::tests::start;

    #[test]
    fn a_clock_that_jumps_a_day_ahead_is_not_believed_before_an_hour() {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let (start, wall) = (Instant::now(), UnixNanos(1_700_000_000_000_000_000));
        let mut clock = Clock::start(start, wall);
        let mut has_jumped = |passed: u64, shown: u64| {
            clock.has_jumped("sqlite", start + hours(passed), wall.after(hours(shown)))
        };
        assert!(!has_jumped(1, 1));
        assert!(has_jumped(2, 26), "a day ahead");
        assert!(!has_jumped(2, 2), "and back");
        assert!(has_jumped(3, 27));
        assert!(!has_jumped(4, 28), "it stayed: the machine slept");
        assert!(!has_jumped(5, 29));
    }

    #[tokio::test]
    async fn of_two_processes_one_keeps_house() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("graph.db");
        let [one, other] = [start(&path).await.unwrap(), start(&path).await.unwrap()];
        let upkeep = |sqlite: &Sqlite| Upkeep {
            id: "sqlite".to_owned(),
            store: Arc::clone(&sqlite.store),
            retention: Retention::default(),
            gauges: sqlite.gauges.clone(),
        };
        assert_eq!(upkeep(&one).step().await.unwrap(), BETWEEN_STEPS);
        assert_eq!(upkeep(&other).step().await.unwrap(), REST);
        assert_eq!(upkeep(&one).step().await.unwrap(), BETWEEN_STEPS);
    }
}
