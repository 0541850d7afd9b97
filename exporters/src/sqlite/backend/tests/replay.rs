//! A store in a file answers as a plain replay of all reports.

use std::cell::Cell;
use std::time::Duration;

use pipeline::claims::Report;
use pipeline::component::UnixNanos;
use pipeline::store::{Settings, Store};
use pipeline::testing::graph::{Batches, Housekeeping, compare, compare_aged, follows_the_replay};
use tokio::runtime::Runtime;

use super::open;

#[test]
fn a_file_answers_as_the_replay_of_its_reports() {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = Cell::new(0);
    let run = |reports: &[Report], batches: Batches, times: &[UnixNanos]| {
        files.set(files.get() + 1);
        runtime.block_on(async {
            let backend = open(&folder.path().join(files.get().to_string())).await;
            let settings = Settings {
                seen_for: Duration::ZERO,
            };
            compare(&Store::new(backend, settings), reports, batches, times).await
        })
    };
    if let Err(differences) = follows_the_replay(1..7, 40, run) {
        panic!("{differences}");
    }
}

#[test]
fn housekeeping_of_a_file_leaves_every_answer_after_the_horizon() {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = Cell::new(0);
    let run = |reports: &[Report], batches: Batches, times: &[UnixNanos]| {
        files.set(files.get() + 1);
        runtime.block_on(async {
            let backend = open(&folder.path().join(files.get().to_string())).await;
            let seen_for = Duration::from_secs(3600);
            let store = Store::new(backend, Settings { seen_for });
            let housekeeping = Some(Housekeeping { seed: 7, seen_for });
            compare_aged(&store, reports, batches, times, housekeeping).await
        })
    };
    if let Err(differences) = follows_the_replay(20..24, 40, run) {
        panic!("{differences}");
    }
}
