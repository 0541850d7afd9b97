//! Retries of reads from a store, with a growing delay.

use std::time::Duration;

use pipeline::component::ErrorChain;
use pipeline::graph_store::StoreError;
use tokio::time::sleep;
use tracing::{info, warn};

/// The delay after the first failed attempt. Each consecutive failure doubles the delay, up to [`MAX_DELAY`].
const MIN_DELAY: Duration = Duration::from_millis(200);
const MAX_DELAY: Duration = Duration::from_secs(30);

/// Delays the retries of one processor that reads from one store, and logs the first failure and the recovery.
#[derive(Debug)]
pub(crate) struct ReadAttempts<'a> {
    /// The component id of the processor.
    pub(crate) processor: &'a str,
    /// The id of the exporter that provides the store.
    pub(crate) store: &'a str,
    /// The message to log on the first failure.
    failure_message: &'static str,
    /// The delay after the next failure.
    delay: Duration,
    has_failed: bool,
}

impl<'a> ReadAttempts<'a> {
    /// For a processor that loads a store at its start and processes no batch before.
    pub(crate) fn new(processor: &'a str, store: &'a str) -> ReadAttempts<'a> {
        ReadAttempts {
            processor,
            store,
            failure_message: "loading from the store failed, batches wait until it succeeds, will retry",
            delay: MIN_DELAY,
            has_failed: false,
        }
    }

    /// For a processor that processes batches while it reads.
    pub(crate) fn while_processing(processor: &'a str, store: &'a str) -> ReadAttempts<'a> {
        ReadAttempts {
            failure_message: "reading changes of other processes from the store failed, will retry",
            ..ReadAttempts::new(processor, store)
        }
    }

    /// Records a failed attempt and waits until the next attempt is due. Logs the first of consecutive failures.
    pub(crate) async fn failed(&mut self, error: &StoreError) {
        if !std::mem::replace(&mut self.has_failed, true) {
            let (processor, store) = (self.processor, self.store);
            let error = ErrorChain(error);
            warn!(processor, store, %error, "{}", self.failure_message);
        }
        sleep(self.delay).await;
        self.delay = (2 * self.delay).min(MAX_DELAY);
    }

    /// Records a successful attempt and resets the delay. Logs the recovery if an attempt had failed.
    pub(crate) fn succeeded(&mut self) {
        if std::mem::take(&mut self.has_failed) {
            let (processor, store) = (self.processor, self.store);
            info!(processor, store, "reading from the store succeeds again");
        }
        self.delay = MIN_DELAY;
    }
}
