//! Remembers which rows were emitted recently, so that the processor does not emit them again.

use std::collections::VecDeque;
use std::time::Duration;

use hashbrown::HashMap;
use pipeline::component::UnixNanos;

/// The minimum time between two emitted rows with the same fact, edge or alias, by the times of the rows.
const REPEAT_INTERVAL: Duration = Duration::from_secs(60);
/// The maximum number of hashes. Beyond that, the hash whose last emission is the oldest is evicted.
const MAX_HASHES: usize = 1 << 16;

/// The hashes of the facts, edges and aliases that were emitted recently.
#[derive(Debug, Default)]
pub(super) struct RecentlyEmitted {
    by_hash: HashMap<u64, EmittedPeriod>,
    /// Hashes in the order of emission, each with the number of the emission. An entry is stale if the hash has no
    /// period, or a period with another number.
    order: VecDeque<(u64, u64)>,
    /// The number of the last emission.
    sequence: u64,
    /// Hashes that were emitted since the last [`RecentlyEmitted::take_fresh`].
    fresh: Vec<u64>,
}

/// The earliest and the latest time of the emitted rows with a hash. A store assumes that the fact, edge or alias was
/// valid from the earliest to the latest time.
#[derive(Clone, Copy, Debug)]
struct EmittedPeriod {
    first: UnixNanos,
    last: UnixNanos,
    /// The number of the last emission of the hash.
    sequence: u64,
}

impl RecentlyEmitted {
    /// Whether to emit a row with this hash and time; if so, records the emission. A row is emitted if it is at least
    /// [`REPEAT_INTERVAL`] newer than the newest emitted row with its hash, or older than the oldest one by as much.
    /// So late rows that alternate with newer rows are not emitted each time.
    pub(super) fn record_if_due(&mut self, hash: u64, time: UnixNanos) -> bool {
        let sequence = self.sequence + 1;
        match self.by_hash.get_mut(&hash) {
            None => {
                let (first, last) = (time, time);
                let period = EmittedPeriod {
                    first,
                    last,
                    sequence,
                };
                self.by_hash.insert(hash, period);
            }
            Some(period) if time >= period.last + REPEAT_INTERVAL => {
                (period.last, period.sequence) = (time, sequence);
            }
            Some(period) if time + REPEAT_INTERVAL <= period.first => {
                (period.first, period.sequence) = (time, sequence);
            }
            Some(_) => return false,
        }
        self.sequence = sequence;
        self.order.push_back((hash, sequence));
        self.fresh.push(hash);
        self.evict();
        true
    }

    /// Takes the hashes that were emitted since the last call.
    pub(super) fn take_fresh(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.fresh)
    }

    /// Makes these hashes due again.
    pub(super) fn revoke(&mut self, hashes: &[u64]) {
        for hash in hashes {
            self.by_hash.remove(hash);
        }
    }

    fn evict(&mut self) {
        while self.by_hash.len() > MAX_HASHES || self.order.len() > 2 * MAX_HASHES {
            let Some((hash, sequence)) = self.order.pop_front() else {
                return;
            };
            let period = self.by_hash.get(&hash);
            if period.is_some_and(|period| period.sequence == sequence) {
                self.by_hash.remove(&hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_HASHES, RecentlyEmitted, UnixNanos};

    const SECOND: u64 = 1_000_000_000;

    fn at(second: u64) -> UnixNanos {
        UnixNanos(second * SECOND)
    }

    #[test]
    fn the_same_content_is_emitted_once_a_minute() {
        let mut recent = RecentlyEmitted::default();
        let due = [100, 100, 159, 160, 200, 220].map(|second| recent.record_if_due(7, at(second)));
        assert_eq!(due, [true, false, false, true, false, true]);
    }

    #[test]
    fn a_row_between_the_oldest_and_the_newest_emitted_row_is_not_emitted() {
        let mut recent = RecentlyEmitted::default();
        let due = [400, 100, 401, 101, 402, 250].map(|second| recent.record_if_due(7, at(second)));
        assert_eq!(due, [true, true, false, false, false, false]);
    }

    #[test]
    fn the_hash_that_was_emitted_longest_ago_is_evicted_first() {
        let mut recent = RecentlyEmitted::default();
        let new_hash = MAX_HASHES as u64;
        for hash in 0..new_hash {
            assert!(recent.record_if_due(hash, at(0)));
        }
        assert!(
            recent.record_if_due(0, at(60)),
            "hash 0 is emitted again, so it is the newest"
        );
        assert!(recent.record_if_due(new_hash, at(60)));
        assert!(!recent.record_if_due(0, at(60)));
        assert!(recent.record_if_due(1, at(0)), "hash 1 was evicted");
        assert!(recent.by_hash.len() <= MAX_HASHES);
    }

    #[test]
    fn the_queue_of_emissions_stays_bounded_with_few_hashes() {
        let mut recent = RecentlyEmitted::default();
        for minute in 0..3 * MAX_HASHES as u64 {
            assert!(recent.record_if_due(minute % 2, at(60 * minute)));
        }
        assert!(recent.order.len() <= 2 * MAX_HASHES);
    }
}
