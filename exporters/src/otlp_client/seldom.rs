//! Keeps a log line that each request could write from being written for each.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_secs(10);

/// Lets one through in ten seconds.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    suppressed: u64,
}

impl Seldom {
    /// Where it is time again: how many were kept back since.
    pub(crate) fn passes(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.last.is_some_and(|last| last.elapsed() < INTERVAL) {
            state.suppressed += 1;
            return None;
        }
        state.last = Some(Instant::now());
        Some(std::mem::take(&mut state.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::Seldom;

    #[test]
    fn one_passes_and_those_right_after_do_not() {
        let seldom = Seldom::default();
        assert_eq!(seldom.passes(), Some(0));
        assert_eq!(seldom.passes(), None);
    }
}
