//! In whatever order reports arrive, the store answers as a plain replay of all of them.

use std::time::Duration;

use proptest::prelude::*;

use crate::claims::Report;
use crate::component::UnixNanos;
use crate::store::memory::MemoryBackend;
use crate::store::{Settings, Store};
use crate::testing::graph::{Batches, Housekeeping, compare_aged, follows_the_replay};

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
