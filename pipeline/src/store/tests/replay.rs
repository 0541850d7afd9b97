//! In whatever order reports arrive, the store answers as a plain replay of all of them.

use std::time::Duration;

use proptest::prelude::*;

use crate::claims::Report;
use crate::component::UnixNanos;
use crate::store::memory::MemoryBackend;
use crate::store::{Settings, Store};
use crate::testing::graph::{Batches, compare, follows_the_replay};

fn run(reports: &[Report], batches: Batches, times: &[UnixNanos]) -> Result<(), String> {
    let settings = Settings {
        seen_for: Duration::ZERO,
    };
    let store = Store::new(MemoryBackend::default(), settings);
    let compared = compare(&store, reports, batches, times);
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
}
