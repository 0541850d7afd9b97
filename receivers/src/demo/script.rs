//! What happens when: a pure function of the time of the story.
//!
//! | at | what |
//! |---|---|
//! | 0 s | nothing yet |
//! | 60 s | a new version of `catalog` is deployed |
//! | 120 s | somebody opens the database's security group to the world |
//! | 120–150 s | a scanner finds it and floods the database more and more |
//! | 600 s | somebody else closes it; within 20 s the database recovers |
//! | 900 s | the story goes on from 60 s |

use std::time::Duration;

/// One round of the story begins here and takes [`ROUND`].
const ROUND_BEGINS: f64 = 60.0;
const ROUND: f64 = 840.0;
/// Since the beginning of a round.
const OPENED: f64 = 60.0;
const CLOSED: f64 = 540.0;
const FLOOD_RISES: f64 = 30.0;
const FLOOD_FALLS: f64 = 20.0;

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Deploys a new version of `catalog`: so many came before.
    Deploy {
        before: u64,
    },
    Open,
    Close,
}

/// How things stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Situation {
    /// How often `catalog` was deployed.
    pub(super) deploys: u64,
    /// Whether the world reaches the database.
    pub(super) open: bool,
    /// How hard the database is flooded, 0 to 1.
    pub(super) flood: f64,
}

/// Deeds at `from <= time < to`, in order, each with its time and the number of its round.
pub(super) fn deeds(from: Duration, to: Duration) -> Vec<(Duration, u64, Deed)> {
    let mut found = Vec::new();
    let mut round = round_of(from).map_or(0, |(round, _)| round);
    loop {
        let begins = ROUND_BEGINS + round as f64 * ROUND;
        let deeds = [
            (begins, Deed::Deploy { before: round }),
            (begins + OPENED, Deed::Open),
            (begins + CLOSED, Deed::Close),
        ];
        for (at, deed) in deeds {
            let at = Duration::from_secs_f64(at);
            if at >= to {
                return found;
            }
            if at >= from {
                found.push((at, round, deed));
            }
        }
        round += 1;
    }
}

pub(super) fn situation(at: Duration) -> Situation {
    let Some((round, since)) = round_of(at) else {
        return Situation {
            deploys: 0,
            open: false,
            flood: 0.0,
        };
    };
    let rises = (since - OPENED) / FLOOD_RISES;
    let falls = 1.0 - (since - CLOSED) / FLOOD_FALLS;
    Situation {
        deploys: round + 1,
        open: (OPENED..CLOSED).contains(&since),
        flood: rises.min(falls).clamp(0.0, 1.0),
    }
}

/// Number of the round, and seconds since it began; none before the first.
fn round_of(at: Duration) -> Option<(u64, f64)> {
    let since = at.as_secs_f64() - ROUND_BEGINS;
    (since >= 0.0).then(|| ((since / ROUND) as u64, since % ROUND))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Deed, deeds, situation};

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn each_deed_happens_at_its_time_and_again_each_round() {
        let all = [
            (seconds(60), 0, Deed::Deploy { before: 0 }),
            (seconds(120), 0, Deed::Open),
            (seconds(600), 0, Deed::Close),
            (seconds(900), 1, Deed::Deploy { before: 1 }),
            (seconds(960), 1, Deed::Open),
            (seconds(1440), 1, Deed::Close),
        ];
        assert_eq!(deeds(seconds(0), seconds(1740)), all);
        assert_eq!(deeds(seconds(120), seconds(121)), all[1..2]);
        assert_eq!(deeds(seconds(121), seconds(600)), []);
    }

    #[test]
    fn time_in_small_steps_misses_no_deed_and_repeats_none() {
        let step = |index: u64| Duration::from_millis(index * 37);
        let stepped: Vec<_> = (0..100_000)
            .flat_map(|index| deeds(step(index), step(index + 1)))
            .collect();
        assert_eq!(stepped, deeds(seconds(0), step(100_000)));
    }

    #[test]
    fn the_flood_rises_after_the_opening_and_falls_after_the_closing() {
        let flood = |at| situation(seconds(at)).flood;
        assert_eq!([flood(0), flood(119), flood(150)], [0.0, 0.0, 1.0]);
        assert!((0.4..0.6).contains(&flood(135)));
        assert!((0.4..0.6).contains(&flood(610)));
        assert_eq!([flood(599), flood(620), flood(900)], [1.0, 0.0, 0.0]);
        assert_eq!(flood(990), 1.0);
        let open = |at| situation(seconds(at)).open;
        assert_eq!([open(119), open(120), open(600)], [false, true, false]);
        assert_eq!(situation(seconds(59)).deploys, 0);
        assert_eq!(situation(seconds(60)).deploys, 1);
        assert_eq!(situation(seconds(900)).deploys, 2);
    }
}
