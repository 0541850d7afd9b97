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

/// The same of a clock that is further ahead, and how long nothing may have kept house before the start.
const LONG_JUMP: Duration = Duration::from_secs(24 * 60 * 60);

/// Compares the clock with the time that has passed. What is removed under a wrong clock is lost, and the
/// horizon never goes back: with a clock that was a year ahead, no report would be new enough for a year.
/// But a machine that slept, or was off, has a clock that is right.
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

    /// Of a process that starts. `last` is what the clock said when housekeeping last ran on the file.
    fn start_after(last: Option<UnixNanos>, now: Instant, wall: UnixNanos) -> Clock {
        let long_ago = last.filter(|last| wall > last.after(LONG_JUMP));
        Clock::start(now, long_ago.unwrap_or(wall))
    }

    /// Whether the clock jumped ahead in the last hour, or by more than a day in the last day, and is not
    /// back.
    fn has_jumped(&mut self, exporter: &str, now: Instant, wall: UnixNanos) -> bool {
        let expected = self.wall.after(now - self.since);
        if wall <= expected.after(JUMP) {
            self.jumped = None;
            return false;
        }
        let is_long = wall > expected.after(LONG_JUMP);
        let wait = if is_long { LONG_JUMP } else { JUMP };
        let jumped = *self.jumped.get_or_insert_with(|| {
            tracing::warn!(
                exporter,
                hours = wait.as_secs() / 3600,
                "the clock is ahead of what has passed since housekeeping last ran: nothing is removed in the \
                 next hours, so that nothing is lost if it goes back"
            );
            now
        });
        if now - jumped < wait {
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
        let (mut has_failed, mut shown) = (false, None::<Instant>);
        let mut clock = None::<Clock>;
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
                let (now, wall) = (Instant::now(), UnixNanos::now());
                let clock = match &mut clock {
                    Some(clock) => clock,
                    None => {
                        let last = self.store.last_turn().await?;
                        clock.insert(Clock::start_after(last, now, wall))
                    }
                };
                match clock.has_jumped(&self.id, now, wall) {
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

    use pipeline::component::{Exporter as _, UnixNanos};
    use pipeline::store::Retention;

    use super::{BETWEEN_STEPS, Clock, REST, Upkeep};
    use crate::sqlite::Sqlite;
    use crate::sqlite::tests::start;
    use crate::sqlite::tests::telling::fact;

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
        assert!(has_jumped(6, 100), "by days");
        assert!(has_jumped(29, 123));
        assert!(!has_jumped(30, 124), "a day later");
    }

    #[test]
    fn a_process_that_starts_with_a_clock_that_is_a_year_ahead_removes_nothing_for_a_day() {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let (start, last) = (Instant::now(), UnixNanos(1_700_000_000_000_000_000));
        let year = last.after(hours(366 * 24));
        let mut clock = Clock::start_after(Some(last), start, year);
        let mut has_jumped = |passed: u64, wall: UnixNanos| {
            clock.has_jumped("sqlite", start + hours(passed), wall.after(hours(passed)))
        };
        assert!(has_jumped(0, year));
        assert!(has_jumped(23, year));
        assert!(!has_jumped(23, last), "it is right again");
        assert!(has_jumped(24, year));
        assert!(!has_jumped(48, year), "the machine was off for a year");
        // In 1970 nothing is old enough to go. Then the clock is set.
        let mut clock = Clock::start_after(Some(last), start, UnixNanos(0));
        assert!(!clock.has_jumped("sqlite", start, UnixNanos(0)));
        assert!(clock.has_jumped("sqlite", start, year));
        // Without a start that went before, or soon after it, the clock is believed.
        for last in [None, Some(last)] {
            let wall = UnixNanos(1_700_000_000_000_000_000).after(hours(20));
            let mut clock = Clock::start_after(last, start, wall);
            assert!(!clock.has_jumped("sqlite", start, wall));
        }
    }

    #[tokio::test]
    async fn housekeeping_under_a_clock_of_1970_removes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = start(&folder.path().join("graph.db")).await.unwrap();
        let old = fact("a", "actual", "observed", "aws", "a", 10);
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
