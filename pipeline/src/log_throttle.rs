//! Limits the rate of log lines that every request, batch or row could write.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::sync::lock;

/// Allows the first line, then at most one line per interval, and counts the lines that it suppresses.
///
/// A line that reports a number of rows or spans should include the numbers of the suppressed lines, so its caller sums
/// them up until the next line is allowed. Intervals are real time and not event time, since they protect the log.
#[derive(Debug)]
pub struct LogThrottle {
    interval: Duration,
    state: Mutex<ThrottleState>,
}

#[derive(Debug, Default)]
struct ThrottleState {
    last: Option<Instant>,
    suppressed: u64,
}

impl Default for LogThrottle {
    /// Allows one line per [`LogThrottle::INTERVAL`].
    fn default() -> LogThrottle {
        LogThrottle::new(LogThrottle::INTERVAL)
    }
}

impl LogThrottle {
    /// The interval that applies unless a log needs a longer one.
    pub const INTERVAL: Duration = Duration::from_secs(10);

    /// Allows one line per `interval`.
    pub fn new(interval: Duration) -> LogThrottle {
        LogThrottle {
            interval,
            state: Mutex::default(),
        }
    }

    /// Returns `None` if the line must not be written; otherwise the number of lines that were suppressed since the
    /// last written line.
    pub fn allow(&self) -> Option<u64> {
        let mut state = lock(&self.state);
        if state
            .last
            .is_some_and(|last| last.elapsed() < self.interval)
        {
            state.suppressed += 1;
            return None;
        }
        state.last = Some(Instant::now());
        Some(std::mem::take(&mut state.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::LogThrottle;

    #[test]
    fn the_first_line_is_allowed_and_the_next_is_suppressed() {
        let throttle = LogThrottle::default();
        assert_eq!(throttle.allow(), Some(0));
        assert_eq!(throttle.allow(), None);
    }

    #[test]
    fn an_allowed_line_gets_the_number_of_lines_suppressed_before_it() {
        let throttle = LogThrottle::new(Duration::from_millis(20));
        assert_eq!(throttle.allow(), Some(0));
        let mut suppressed = 0;
        let reported = loop {
            match throttle.allow() {
                None => suppressed += 1,
                Some(count) => break count,
            }
        };
        assert_eq!(reported, suppressed);
    }
}
