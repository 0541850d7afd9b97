//! Detects a wall clock that jumped ahead.

use std::time::{Duration, Instant};

use pipeline::component::UnixNanos;

/// How far the wall clock may be ahead of the elapsed time. A clock that is further ahead must stay ahead for the same
/// duration before housekeeping trusts it.
const JUMP: Duration = Duration::from_secs(60 * 60);

/// A clock that is further ahead than this must stay ahead for this duration. When a process starts, the clock also
/// counts as jumped if the last housekeeping is longer ago than this.
const LONG_JUMP: Duration = Duration::from_secs(24 * 60 * 60);

/// Compares the wall clock with the elapsed time, to suspend housekeeping while the clock may be wrong.
///
/// Rows that housekeeping removes under a wrong clock are lost, and the horizon never goes back. After housekeeping
/// with a clock that is a year ahead, the store would reject all reports of a year as too old. But the clock of a
/// machine that slept or was off is right, so the guard trusts a clock that stays ahead for [`JUMP`] or [`LONG_JUMP`].
#[derive(Debug)]
pub(super) struct ClockGuard {
    /// When the elapsed time began.
    since: Instant,
    /// The time that the guard assumes for `since`; the elapsed time is added to it.
    wall: UnixNanos,
    /// When the guard first saw the clock ahead; `None` while the clock is not ahead.
    jumped: Option<Instant>,
}

impl ClockGuard {
    /// A guard that assumes that the time is `wall` at `now`.
    fn start(now: Instant, wall: UnixNanos) -> ClockGuard {
        ClockGuard {
            since: now,
            wall,
            jumped: None,
        }
    }

    /// The guard of a process that starts. `last` is the time of the last housekeeping on the file, by the clock of
    /// that process. If it is more than [`LONG_JUMP`] ago, the clock counts as jumped.
    pub(super) fn start_after(
        last: Option<UnixNanos>,
        now: Instant,
        wall: UnixNanos,
    ) -> ClockGuard {
        let long_ago = last.filter(|last| wall > *last + LONG_JUMP);
        ClockGuard::start(now, long_ago.unwrap_or(wall))
    }

    /// Whether housekeeping must wait: the clock has been ahead by more than an hour for less than an hour, or by more
    /// than a day for less than a day. Logs the beginning of a jump.
    pub(super) fn has_jumped(&mut self, exporter: &str, now: Instant, wall: UnixNanos) -> bool {
        let expected = self.wall + (now - self.since);
        if wall <= expected + JUMP {
            self.jumped = None;
            return false;
        }
        let is_long = wall > expected + LONG_JUMP;
        let wait = if is_long { LONG_JUMP } else { JUMP };
        let jumped = *self.jumped.get_or_insert_with(|| {
            tracing::warn!(
                exporter,
                hours = wait.as_secs() / 3600,
                "the clock is ahead of the time that elapsed since housekeeping last ran (it jumped, or airdig was \
                 not running): housekeeping removes nothing for these hours; check the clock of this machine"
            );
            now
        });
        if now - jumped < wait {
            return true;
        }
        *self = ClockGuard::start(now, wall);
        false
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use pipeline::component::UnixNanos;

    use super::ClockGuard;

    #[test]
    fn a_jump_of_a_day_is_trusted_after_an_hour_and_a_longer_one_after_a_day() {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let (start, wall) = (Instant::now(), UnixNanos(1_700_000_000_000_000_000));
        let mut guard = ClockGuard::start(start, wall);
        let mut has_jumped = |passed: u64, shown: u64| {
            guard.has_jumped("sqlite", start + hours(passed), wall + hours(shown))
        };
        assert!(!has_jumped(1, 1));
        assert!(has_jumped(2, 26), "a day ahead");
        assert!(!has_jumped(2, 2), "it is back");
        assert!(has_jumped(3, 27));
        assert!(!has_jumped(4, 28), "it stayed ahead: the machine slept");
        assert!(!has_jumped(5, 29));
        assert!(has_jumped(6, 100), "days ahead");
        assert!(has_jumped(29, 123));
        assert!(!has_jumped(30, 124), "trusted after a day");
    }

    #[test]
    fn a_clock_a_year_ahead_at_the_start_is_trusted_after_a_day() {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let (start, last) = (Instant::now(), UnixNanos(1_700_000_000_000_000_000));
        let year = last + hours(366 * 24);
        let mut guard = ClockGuard::start_after(Some(last), start, year);
        let mut has_jumped = |passed: u64, wall: UnixNanos| {
            guard.has_jumped("sqlite", start + hours(passed), wall + hours(passed))
        };
        assert!(has_jumped(0, year));
        assert!(has_jumped(23, year));
        assert!(!has_jumped(23, last), "it is right again");
        assert!(has_jumped(24, year));
        assert!(!has_jumped(48, year), "the machine was off for a year");
        // A clock of 1970 is behind, which removes nothing. Then the clock is set.
        let mut guard = ClockGuard::start_after(Some(last), start, UnixNanos(0));
        assert!(!guard.has_jumped("sqlite", start, UnixNanos(0)));
        assert!(guard.has_jumped("sqlite", start, year));
        // The guard trusts the clock if housekeeping never ran before, or ran recently.
        for last in [None, Some(last)] {
            let wall = UnixNanos(1_700_000_000_000_000_000) + hours(20);
            let mut guard = ClockGuard::start_after(last, start, wall);
            assert!(!guard.has_jumped("sqlite", start, wall));
        }
    }
}
