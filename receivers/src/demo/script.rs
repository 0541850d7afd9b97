//! The script: the changes and the situation, as pure functions of script time.
//!
//! | at | event |
//! |---|---|
//! | 0 s | the simulation starts; nothing changes yet |
//! | 60 s | CI deploys a new version of `catalog` |
//! | 120 s | a developer opens the database's security group to the world |
//! | 120–600 s | a scanner finds the open port and floods the database; the load rises for the first 30 s |
//! | 600 s | the on-call engineer closes the security group; within 20 s the database recovers |
//! | 900 s | the script repeats from 60 s |

use std::time::Duration;

/// The start of the first round, in seconds of script time.
const FIRST_ROUND_START: f64 = 60.0;
/// The length of a round, in seconds.
const ROUND_LENGTH: f64 = 840.0;
/// The time of [`ScriptedChange::Open`], in seconds since the start of the round.
const OPENED: f64 = 60.0;
/// The time of [`ScriptedChange::Close`], in seconds since the start of the round.
const CLOSED: f64 = 540.0;
/// How long the load of the flood rises after the opening, in seconds.
const FLOOD_RISE: f64 = 30.0;
/// How long the load of the flood falls after the closing, in seconds.
const FLOOD_FALL: f64 = 20.0;

/// A change in the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScriptedChange {
    /// A deploy of a new version of `catalog`, with the number of deploys before it.
    Deploy { earlier_deploys: u64 },
    /// The database's security group is opened to the world.
    Open,
    /// The database's security group is closed again.
    Close,
}

/// The state of the script at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Situation {
    /// The number of deploys of `catalog`.
    pub(super) deploys: u64,
    /// Whether the database's security group is open to the world.
    pub(super) open: bool,
    /// The load of the flood on the database, 0 to 1.
    pub(super) flood: f64,
}

/// The changes at `from <= time < to`, in order, each with its time and the number of its round.
pub(super) fn changes_between(
    from: Duration,
    to: Duration,
) -> Vec<(Duration, u64, ScriptedChange)> {
    let mut changes = Vec::new();
    let mut round = round_of(from).map_or(0, |(round, _)| round);
    loop {
        let start = FIRST_ROUND_START + round as f64 * ROUND_LENGTH;
        let changes_of_round = [
            (
                start,
                ScriptedChange::Deploy {
                    earlier_deploys: round,
                },
            ),
            (start + OPENED, ScriptedChange::Open),
            (start + CLOSED, ScriptedChange::Close),
        ];
        for (at, change) in changes_of_round {
            let at = Duration::from_secs_f64(at);
            if at >= to {
                return changes;
            }
            if at >= from {
                changes.push((at, round, change));
            }
        }
        round += 1;
    }
}

/// The situation at this script time.
pub(super) fn situation(at: Duration) -> Situation {
    let Some((round, since)) = round_of(at) else {
        return Situation {
            deploys: 0,
            open: false,
            flood: 0.0,
        };
    };
    let rises = (since - OPENED) / FLOOD_RISE;
    let falls = 1.0 - (since - CLOSED) / FLOOD_FALL;
    Situation {
        deploys: round + 1,
        open: (OPENED..CLOSED).contains(&since),
        flood: rises.min(falls).clamp(0.0, 1.0),
    }
}

/// The number of the round and the seconds since its start; `None` before the first round.
fn round_of(at: Duration) -> Option<(u64, f64)> {
    let since = at.as_secs_f64() - FIRST_ROUND_START;
    (since >= 0.0).then(|| ((since / ROUND_LENGTH) as u64, since % ROUND_LENGTH))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ScriptedChange, changes_between, situation};

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn each_change_repeats_at_its_time_in_each_round() {
        let all = [
            (
                seconds(60),
                0,
                ScriptedChange::Deploy { earlier_deploys: 0 },
            ),
            (seconds(120), 0, ScriptedChange::Open),
            (seconds(600), 0, ScriptedChange::Close),
            (
                seconds(900),
                1,
                ScriptedChange::Deploy { earlier_deploys: 1 },
            ),
            (seconds(960), 1, ScriptedChange::Open),
            (seconds(1440), 1, ScriptedChange::Close),
        ];
        assert_eq!(changes_between(seconds(0), seconds(1740)), all);
        assert_eq!(changes_between(seconds(120), seconds(121)), all[1..2]);
        assert_eq!(changes_between(seconds(121), seconds(600)), []);
    }

    #[test]
    fn small_steps_yield_each_change_once() {
        let step = |index: u64| Duration::from_millis(index * 37);
        let stepped: Vec<_> = (0..100_000)
            .flat_map(|index| changes_between(step(index), step(index + 1)))
            .collect();
        assert_eq!(stepped, changes_between(seconds(0), step(100_000)));
    }

    #[test]
    fn flood_rises_after_opening_and_falls_after_closing() {
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
