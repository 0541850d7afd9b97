//! In whatever order reports arrive, the store answers as a plain replay of all of them.

use std::time::Duration;

use proptest::prelude::*;

use crate::claims::{By, Class, Removal, Report};
use crate::component::UnixNanos;
use crate::store::memory::MemoryBackend;
use crate::store::{Settings, Store};
use crate::testing::graph::{Batches, History, Housekeeping, compare_aged, follows_the_replay};

fn run(reports: &[Report], batches: Batches, times: &[UnixNanos]) -> Result<(), String> {
    run_aged(reports, batches, times, None)
}

fn run_aged(
    reports: &[Report],
    batches: Batches,
    times: &[UnixNanos],
    housekeeping: Option<Housekeeping>,
) -> Result<(), String> {
    let settings = Settings {
        seen_for: housekeeping.map_or(Duration::ZERO, |it| it.seen_for),
    };
    let store = Store::new(MemoryBackend::default(), settings);
    let compared = compare_aged(&store, reports, batches, times, housekeeping);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime
        .map_err(|error| error.to_string())?
        .block_on(compared)
}

proptest! {
    #[test]
    fn reports_in_any_order_answer_as_their_replay(seed in any::<u64>(), size in 5..60_usize) {
        let compared = follows_the_replay([seed].into_iter(), size, run);
        prop_assert!(compared.is_ok(), "{}", compared.err().unwrap_or_default());
    }

    #[test]
    fn housekeeping_leaves_every_answer_after_the_horizon(seed in any::<u64>(), size in 5..60_usize) {
        let seen_for = Duration::from_secs([0, 3600, 36_000][seed as usize % 3]);
        let housekeeping = Some(Housekeeping { seed, seen_for });
        let run = |reports: &[Report], batches: Batches, times: &[UnixNanos]| {
            run_aged(reports, batches, times, housekeeping)
        };
        let compared = follows_the_replay([seed].into_iter(), size, run);
        prop_assert!(compared.is_ok(), "{}", compared.err().unwrap_or_default());
    }
}

/// Histories that once differed: the seed and the size of each.
const DIFFERED: [(u64, usize); 5] = [
    (14_520_313_713_722_637_533, 51),
    (2_919_943_748_687_566_659, 27),
    (8_711_014_180_691_096_325, 56),
    (9_180_598_193_957_353_386, 47),
    (16_311_767_882_630_542_795, 20),
];

#[test]
fn histories_that_once_differed_answer_as_their_replay() {
    for (seed, size) in DIFFERED {
        let compared = follows_the_replay([seed].into_iter(), size, run);
        assert_eq!(compared, Ok(()), "seed {seed}");
        let seen_for = Duration::from_secs([0, 3600, 36_000][seed as usize % 3]);
        let housekeeping = Some(Housekeeping { seed, seen_for });
        let run = |reports: &[Report], batches: Batches, times: &[UnixNanos]| {
            run_aged(reports, batches, times, housekeeping)
        };
        let compared = follows_the_replay([seed].into_iter(), size, run);
        assert_eq!(compared, Ok(()), "seed {seed}, with housekeeping");
    }
}

#[test]
fn scan_finds_the_delete_event_behind_a_later_create_event() {
    const MINUTE: u64 = 60_000_000_000;
    let uid = "u".to_owned();
    let seen = |class, source: &str, scope: &str, time, by| Report::Seen {
        uid: uid.clone(),
        class,
        source: source.to_owned(),
        scope: scope.to_owned(),
        time: UnixNanos(time),
        state: 2,
        by,
    };
    // A list that is not settled does not reopen what the event ended, however late it arrives.
    for began in 11..17 {
        let reports = [
            seen(Class::Actual, "aws", "us", MINUTE, By::Scan),
            Report::DeleteEvent {
                uid: uid.clone(),
                source: "trail".to_owned(),
                time: UnixNanos(10 * MINUTE),
            },
            seen(Class::Created, "trail", "", 12 * MINUTE, By::Row),
            Report::Completion {
                source: "aws".to_owned(),
                scope: "us".to_owned(),
                class: Class::Actual,
                began: UnixNanos(began * MINUTE),
                members: [(uid.clone(), 2)].into(),
                miss: Removal::Deleted,
            },
        ];
        let history = History {
            reports: reports.to_vec(),
        };
        let compared = run(&reports, Batches(1), &history.times());
        assert_eq!(compared, Ok(()), "a scan at {began}");
    }
}

#[test]
fn late_report_is_folded_with_the_delete_event_of_an_earlier_sighting() {
    const HOUR: u64 = 3_600_000_000_000;
    let uid = "u".to_owned();
    let seen = |class, source: &str, scope: &str, time, state, by| Report::Seen {
        uid: uid.clone(),
        class,
        source: source.to_owned(),
        scope: scope.to_owned(),
        time: UnixNanos(time),
        state,
        by,
    };
    let reports = [
        Report::Removed {
            uid: uid.clone(),
            class: Class::Actual,
            source: "aws".to_owned(),
            scope: "us".to_owned(),
            time: UnixNanos(HOUR),
            how: Removal::Deleted,
        },
        Report::DeleteEvent {
            uid: uid.clone(),
            source: "trail".to_owned(),
            time: UnixNanos(2 * HOUR),
        },
        // The list that this is from had not settled.
        seen(Class::Actual, "aws", "us", 2 * HOUR, 1, By::Scan),
        seen(Class::Created, "trail", "", 3 * HOUR, 2, By::Row),
        seen(Class::Created, "trail", "", 4 * HOUR, 3, By::Row),
        seen(Class::Actual, "aws", "us", 4 * HOUR + 1, 2, By::Row),
    ];
    let history = History {
        reports: reports.to_vec(),
    };
    for batches in [1, 2, 6] {
        let compared = run(&reports, Batches(batches), &history.times());
        assert_eq!(compared, Ok(()), "in batches of {batches}");
    }
}
