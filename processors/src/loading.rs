//! Retries of a processor that reads from a store.

use std::time::Duration;

use pipeline::component::Chain;
use pipeline::graph_store::StoreError;
use tokio::time::sleep;
use tracing::{info, warn};

/// The wait after a failed attempt doubles from the first to the second.
const MIN_WAIT: Duration = Duration::from_millis(200);
const MAX_WAIT: Duration = Duration::from_secs(30);

/// Attempts of one processor to read from one store.
#[derive(Debug)]
pub(crate) struct Attempts<'a> {
    pub(crate) processor: &'a str,
    pub(crate) store: &'a str,
    /// The message that is logged when the store fails.
    failure: &'static str,
    wait: Duration,
    has_failed: bool,
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(processor: &'a str, store: &'a str) -> Attempts<'a> {
        Attempts {
            processor,
            store,
            failure: "loading from the store failed, batches wait until it succeeds, will retry",
            wait: MIN_WAIT,
            has_failed: false,
        }
    }

    /// Attempts of a processor that processes batches meanwhile.
    pub(crate) fn while_processing(processor: &'a str, store: &'a str) -> Attempts<'a> {
        Attempts {
            failure: "reading from the store what other processes wrote failed, will retry",
            ..Attempts::new(processor, store)
        }
    }

    /// Waits until the next attempt is due. Logs the first failure.
    pub(crate) async fn failed(&mut self, error: &StoreError) {
        if !std::mem::replace(&mut self.has_failed, true) {
            let (processor, store) = (self.processor, self.store);
            let error = Chain(error);
            warn!(processor, store, %error, "{}", self.failure);
        }
        sleep(self.wait).await;
        self.wait = (2 * self.wait).min(MAX_WAIT);
    }

    pub(crate) fn succeeded(&mut self) {
        if std::mem::take(&mut self.has_failed) {
            let (processor, store) = (self.processor, self.store);
            info!(processor, store, "reading from the store succeeds again");
        }
        self.wait = MIN_WAIT;
    }
}
