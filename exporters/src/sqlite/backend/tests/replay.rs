//! A store in a file returns the same results as a plain replay of all reports.

use std::cell::Cell;
use std::time::Duration;

use pipeline::claims::Report;
use pipeline::component::UnixNanos;
use pipeline::testing::graph::{
    HousekeepingSchedule, ReportsPerBatch, check_generated_histories, compare_with_housekeeping,
    compare_with_replay,
};
use pipeline::testing::store_over;
use tokio::runtime::Runtime;

use super::open;

#[test]
fn a_store_in_a_file_equals_the_replay_of_its_reports() {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = Cell::new(0);
    let run = |reports: &[Report], batches: ReportsPerBatch, times: &[UnixNanos]| {
        files.set(files.get() + 1);
        runtime.block_on(async {
            let backend = open(&folder.path().join(files.get().to_string())).await;
            let store = store_over(backend, Duration::ZERO);
            compare_with_replay(&store, reports, batches, times).await
        })
    };
    if let Err(differences) = check_generated_histories(1..7, 40, run) {
        panic!("{differences}");
    }
}

#[test]
fn housekeeping_changes_no_result_after_the_horizon() {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = Cell::new(0);
    let run = |reports: &[Report], batches: ReportsPerBatch, times: &[UnixNanos]| {
        files.set(files.get() + 1);
        runtime.block_on(async {
            let backend = open(&folder.path().join(files.get().to_string())).await;
            let observed_edge_ttl = Duration::from_secs(3600);
            let store = store_over(backend, observed_edge_ttl);
            let housekeeping = Some(HousekeepingSchedule {
                seed: 7,
                observed_edge_ttl,
            });
            compare_with_housekeeping(&store, reports, batches, times, housekeeping).await
        })
    };
    if let Err(differences) = check_generated_histories(20..24, 40, run) {
        panic!("{differences}");
    }
}
