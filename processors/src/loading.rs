//! What a processor does while a store that it loads from fails.

use std::time::Duration;

use pipeline::component::Chain;
use pipeline::graph_store::StoreError;
use tokio::time::sleep;
use tracing::{info, warn};

/// Waits between attempts.
const SHORTEST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(30);

/// Attempts of one processor to load from one store.
#[derive(Debug)]
pub(crate) struct Attempts<'a> {
    pub(crate) processor: &'a str,
    pub(crate) store: &'a str,
    /// What it means that the store fails.
    consequence: &'static str,
    wait: Duration,
    has_failed: bool,
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(processor: &'a str, store: &'a str) -> Attempts<'a> {
        Attempts {
            processor,
            store,
            consequence: "cannot load from the store, batches wait, trying again",
            wait: SHORTEST,
            has_failed: false,
        }
    }

    /// Of one that goes on with what it has.
    pub(crate) fn beside_batches(processor: &'a str, store: &'a str) -> Attempts<'a> {
        Attempts {
            consequence: "cannot read what other processes wrote to the store, trying again",
            ..Attempts::new(processor, store)
        }
    }

    /// Waits for the time of the next attempt. The first failure is logged.
    pub(crate) async fn failed(&mut self, error: &StoreError) {
        if !std::mem::replace(&mut self.has_failed, true) {
            let (processor, store) = (self.processor, self.store);
            let error = Chain(error);
            warn!(processor, store, %error, "{}", self.consequence);
        }
        sleep(self.wait).await;
        self.wait = (2 * self.wait).min(LONGEST);
    }

    pub(crate) fn succeeded(&mut self) {
        if std::mem::take(&mut self.has_failed) {
            let (processor, store) = (self.processor, self.store);
            info!(processor, store, "reads from the store again");
        }
        self.wait = SHORTEST;
    }
}
