//! What was told of late, so that it is not told again.

use std::collections::VecDeque;
use std::time::Duration;

use hashbrown::HashMap;
use pipeline::component::UnixNanos;

/// How long what was told is not told again, by the time of what is seen.
pub(super) const QUIET: Duration = Duration::from_secs(60);
/// How much is remembered; what was told longest ago is forgotten first.
const MOST: usize = 1 << 16;

#[derive(Debug, Default)]
pub(super) struct Recent {
    told: HashMap<u64, Span>,
    /// In which order it was told; a turn that is not its span's is out of date.
    turns: VecDeque<(u64, u64)>,
    turn: u64,
    /// What was told since it was last asked.
    fresh: Vec<u64>,
}

/// Between which times it was told to hold: a store takes it to hold at all times between.
#[derive(Clone, Copy, Debug)]
struct Span {
    first: UnixNanos,
    last: UnixNanos,
    turn: u64,
}

impl Recent {
    /// Whether what has this hash, seen to hold at this time, is to be told. Late rows are told
    /// once a minute like all others, not whenever they alternate with newer ones.
    pub(super) fn is_due(&mut self, hash: u64, time: UnixNanos) -> bool {
        let turn = self.turn + 1;
        match self.told.get_mut(&hash) {
            None => {
                let (first, last) = (time, time);
                self.told.insert(hash, Span { first, last, turn });
            }
            Some(span) if time >= span.last.after(QUIET) => {
                (span.last, span.turn) = (time, turn);
            }
            Some(span) if time.after(QUIET) <= span.first => {
                (span.first, span.turn) = (time, turn);
            }
            Some(_) => return false,
        }
        self.turn = turn;
        self.turns.push_back((hash, turn));
        self.fresh.push(hash);
        self.forget();
        true
    }

    /// What was told since this was last asked.
    pub(super) fn take_fresh(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.fresh)
    }

    /// Takes back that these were told: they are due again.
    pub(super) fn take_back(&mut self, hashes: &[u64]) {
        for hash in hashes {
            self.told.remove(hash);
        }
    }

    fn forget(&mut self) {
        while self.told.len() > MOST || self.turns.len() > 2 * MOST {
            let Some((hash, turn)) = self.turns.pop_front() else {
                return;
            };
            if self.told.get(&hash).is_some_and(|span| span.turn == turn) {
                self.told.remove(&hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Recent, UnixNanos};

    const SECOND: u64 = 1_000_000_000;

    fn at(second: u64) -> UnixNanos {
        UnixNanos(second * SECOND)
    }

    #[test]
    fn the_same_is_told_once_a_minute() {
        let mut recent = Recent::default();
        let due = [100, 100, 159, 160, 200, 220].map(|second| recent.is_due(7, at(second)));
        assert_eq!(due, [true, false, false, true, false, true]);
    }

    #[test]
    fn rows_that_are_late_do_not_make_it_told_again_and_again() {
        let mut recent = Recent::default();
        let due = [400, 100, 401, 101, 402, 250].map(|second| recent.is_due(7, at(second)));
        assert_eq!(due, [true, true, false, false, false, false]);
    }

    #[test]
    fn what_was_told_longest_ago_is_forgotten_first() {
        let mut recent = Recent::default();
        let most = MOST as u64;
        for hash in 0..most {
            assert!(recent.is_due(hash, at(0)));
        }
        assert!(recent.is_due(0, at(60)), "told again: the newest now");
        assert!(recent.is_due(most, at(60)));
        assert!(!recent.is_due(0, at(60)));
        assert!(recent.is_due(1, at(0)), "it was forgotten");
        assert!(recent.told.len() <= MOST);
    }

    #[test]
    fn memory_stays_bounded_whatever_is_told() {
        let mut recent = Recent::default();
        for minute in 0..3 * MOST as u64 {
            assert!(recent.is_due(minute % 2, at(60 * minute)));
        }
        assert!(recent.turns.len() <= 2 * MOST);
    }
}
