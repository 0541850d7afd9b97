//! Compares the store with a plain replay of all reports: its reads must not depend on the order in which reports
//! arrive.

use std::time::Duration;

use proptest::prelude::*;

use crate::claims::{ClaimClass, Removal, Report, ReportedBy};
use crate::component::UnixNanos;
use crate::store::memory::MemoryBackend;
use crate::testing::graph::{
    HousekeepingSchedule, ReportHistory, ReportsPerBatch, check_generated_histories,
    compare_with_housekeeping,
};
use crate::testing::store_over;

fn run(reports: &[Report], batches: ReportsPerBatch, times: &[UnixNanos]) -> Result<(), String> {
    run_with_housekeeping(reports, batches, times, None)
}

fn run_with_housekeeping(
    reports: &[Report],
    batches: ReportsPerBatch,
    times: &[UnixNanos],
    housekeeping: Option<HousekeepingSchedule>,
) -> Result<(), String> {
    let observed_edge_ttl = housekeeping.map_or(Duration::ZERO, |it| it.observed_edge_ttl);
    let store = store_over(MemoryBackend::default(), observed_edge_ttl);
    let compared = compare_with_housekeeping(&store, reports, batches, times, housekeeping);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime
        .map_err(|error| error.to_string())?
        .block_on(compared)
}

proptest! {
    #[test]
    fn store_agrees_with_the_replay_in_any_order_of_arrival(seed in any::<u64>(), size in 5..60_usize) {
        let compared = check_generated_histories([seed].into_iter(), size, run);
        prop_assert!(compared.is_ok(), "{}", compared.err().unwrap_or_default());
    }

    #[test]
    fn housekeeping_changes_no_read_after_the_horizon(seed in any::<u64>(), size in 5..60_usize) {
        let observed_edge_ttl = Duration::from_secs([0, 3600, 36_000][seed as usize % 3]);
        let housekeeping = Some(HousekeepingSchedule { seed, observed_edge_ttl });
        let run = |reports: &[Report], batches: ReportsPerBatch, times: &[UnixNanos]| {
            run_with_housekeeping(reports, batches, times, housekeeping)
        };
        let compared = check_generated_histories([seed].into_iter(), size, run);
        prop_assert!(compared.is_ok(), "{}", compared.err().unwrap_or_default());
    }
}

/// Histories in which the store once differed from the replay: seed and size of each.
const REGRESSIONS: [(u64, usize); 5] = [
    (14_520_313_713_722_637_533, 51),
    (2_919_943_748_687_566_659, 27),
    (8_711_014_180_691_096_325, 56),
    (9_180_598_193_957_353_386, 47),
    (16_311_767_882_630_542_795, 20),
];

#[test]
fn store_agrees_with_the_replay_on_histories_that_once_differed() {
    for (seed, size) in REGRESSIONS {
        let compared = check_generated_histories([seed].into_iter(), size, run);
        assert_eq!(compared, Ok(()), "seed {seed}");
        let observed_edge_ttl = Duration::from_secs([0, 3600, 36_000][seed as usize % 3]);
        let housekeeping = Some(HousekeepingSchedule {
            seed,
            observed_edge_ttl,
        });
        let run = |reports: &[Report], batches: ReportsPerBatch, times: &[UnixNanos]| {
            run_with_housekeeping(reports, batches, times, housekeeping)
        };
        let compared = check_generated_histories([seed].into_iter(), size, run);
        assert_eq!(compared, Ok(()), "seed {seed}, with housekeeping");
    }
}

#[test]
fn scan_is_folded_with_a_delete_event_that_a_create_event_followed() {
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
    // A scan that began before the delete event settled does not reopen the uid, even if its completion arrives late.
    for began in 11..17 {
        let reports = [
            seen(ClaimClass::Actual, "aws", "us", MINUTE, ReportedBy::Scan),
            Report::DeleteEvent {
                uid: uid.clone(),
                source: "trail".to_owned(),
                time: UnixNanos(10 * MINUTE),
            },
            seen(
                ClaimClass::Created,
                "trail",
                "",
                12 * MINUTE,
                ReportedBy::Row,
            ),
            Report::Completion {
                source: "aws".to_owned(),
                scope: "us".to_owned(),
                class: ClaimClass::Actual,
                began: UnixNanos(began * MINUTE),
                members: [(uid.clone(), 2)].into(),
                miss: Removal::Deleted,
            },
        ];
        let history = ReportHistory {
            reports: reports.to_vec(),
        };
        let compared = run(&reports, ReportsPerBatch(1), &history.times());
        assert_eq!(compared, Ok(()), "a scan at {began}");
    }
}

#[test]
fn late_report_is_folded_with_a_delete_event_before_an_earlier_sighting() {
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
            class: ClaimClass::Actual,
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
        // The scan of this row began before the event settled.
        seen(
            ClaimClass::Actual,
            "aws",
            "us",
            2 * HOUR,
            1,
            ReportedBy::Scan,
        ),
        seen(
            ClaimClass::Created,
            "trail",
            "",
            3 * HOUR,
            2,
            ReportedBy::Row,
        ),
        seen(
            ClaimClass::Created,
            "trail",
            "",
            4 * HOUR,
            3,
            ReportedBy::Row,
        ),
        seen(
            ClaimClass::Actual,
            "aws",
            "us",
            4 * HOUR + 1,
            2,
            ReportedBy::Row,
        ),
    ];
    let history = ReportHistory {
        reports: reports.to_vec(),
    };
    for batches in [1, 2, 6] {
        let compared = run(&reports, ReportsPerBatch(batches), &history.times());
        assert_eq!(compared, Ok(()), "in batches of {batches}");
    }
}
