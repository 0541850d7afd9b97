//! The wait before the next attempt: the Collector's exponential back-off.

use std::time::Duration;

use crate::exporter_settings::RetryOnFailure;

/// The shortest wait, so that an interval of 0 does not make a busy loop.
const MIN_WAIT: Duration = Duration::from_millis(1);

/// The state of the back-off of one batch.
pub(super) struct Backoff<'a> {
    settings: &'a RetryOnFailure,
    interval: Duration,
}

impl<'a> Backoff<'a> {
    pub(super) fn new(settings: &'a RetryOnFailure) -> Backoff<'a> {
        Backoff {
            settings,
            interval: settings.initial_interval,
        }
    }

    /// Returns the wait after one more failure. It is at least `requested`, the wait that the destination requests.
    pub(super) fn next(&mut self, requested: Option<Duration>) -> Duration {
        let spread = self.settings.randomization_factor.clamp(0.0, 1.0);
        let factor = 1.0 + spread * (2.0 * rand::random::<f64>() - 1.0);
        let wait = self.scaled(self.interval, factor);
        let grown = self.scaled(self.interval, self.settings.multiplier);
        self.interval = grown.min(self.settings.max_interval);
        wait.max(requested.unwrap_or_default()).max(MIN_WAIT)
    }

    /// Multiplies an interval. Returns `max_interval` if the product is not a valid duration.
    fn scaled(&self, interval: Duration, factor: f64) -> Duration {
        Duration::try_from_secs_f64(interval.as_secs_f64() * factor)
            .unwrap_or(self.settings.max_interval)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Backoff;
    use crate::exporter_settings::RetryOnFailure;

    const SECOND: Duration = Duration::from_secs(1);

    fn settings() -> RetryOnFailure {
        RetryOnFailure {
            initial_interval: SECOND,
            multiplier: 2.0,
            max_interval: 3 * SECOND,
            randomization_factor: 0.0,
            ..RetryOnFailure::default()
        }
    }

    #[test]
    fn waits_grow_up_to_max_interval() {
        let settings = settings();
        let mut backoff = Backoff::new(&settings);
        let waits: Vec<u64> = (0..4).map(|_| backoff.next(None).as_secs()).collect();
        assert_eq!(waits, [1, 2, 3, 3]);
    }

    #[test]
    fn destination_can_lengthen_a_wait_but_not_shorten_it() {
        let settings = settings();
        let mut backoff = Backoff::new(&settings);
        assert_eq!(backoff.next(Some(9 * SECOND)), 9 * SECOND);
        assert_eq!(backoff.next(Some(SECOND)), 2 * SECOND);
    }

    #[test]
    fn waits_are_randomized() {
        let settings = RetryOnFailure {
            randomization_factor: 0.5,
            ..settings()
        };
        for _ in 0..100 {
            let wait = Backoff::new(&settings).next(None);
            assert!((SECOND / 2..=SECOND * 3 / 2).contains(&wait), "{wait:?}");
        }
    }

    #[test]
    fn no_setting_causes_a_busy_loop_or_a_panic() {
        for multiplier in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            let settings = RetryOnFailure {
                initial_interval: Duration::ZERO,
                randomization_factor: f64::NAN,
                multiplier,
                ..settings()
            };
            let mut backoff = Backoff::new(&settings);
            for _ in 0..3 {
                assert!(backoff.next(None) >= super::MIN_WAIT);
            }
        }
    }
}
