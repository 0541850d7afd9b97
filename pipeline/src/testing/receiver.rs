//! A receiver that sends given batches and reports the outcome of each delivery.

use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::channel::Output;
use crate::component::{Receiver, RunError};
use crate::{Batch, Delivery, Outcome};

/// The behaviour of a [`CannedReceiver`] once it has sent all its batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterSending {
    /// Waits for the stop signal and for all outcomes, then returns.
    #[default]
    WaitForStop,
    /// Returns immediately, without a stop signal.
    Return,
    /// Panics.
    Panic,
    /// Never returns.
    Hang,
}

/// Sends a fixed list of batches when it starts.
#[derive(Debug)]
pub struct CannedReceiver {
    batches: Vec<Batch>,
    delivery_timeout: Option<Duration>,
    after_sending: AfterSending,
    outcomes: mpsc::UnboundedSender<Outcome>,
}

/// The outcomes of the sent batches, in the order in which they became known.
#[derive(Debug)]
pub struct DeliveryOutcomes(mpsc::UnboundedReceiver<Outcome>);

impl DeliveryOutcomes {
    /// Waits for the next outcome. Returns `None` once the receiver has ended.
    pub async fn next(&mut self) -> Option<Outcome> {
        self.0.recv().await
    }
}

impl CannedReceiver {
    /// Returns a receiver that sends these batches in order, and the outcomes of their deliveries.
    pub fn new(batches: Vec<Batch>) -> (CannedReceiver, DeliveryOutcomes) {
        let (sender, outcomes) = mpsc::unbounded_channel();
        let receiver = CannedReceiver {
            batches,
            delivery_timeout: None,
            after_sending: AfterSending::default(),
            outcomes: sender,
        };
        (receiver, DeliveryOutcomes(outcomes))
    }

    /// Sets the deadline of each delivery, as the time after the batch is sent. By default there is no deadline.
    #[must_use]
    pub fn delivery_timeout(self, timeout: Duration) -> CannedReceiver {
        CannedReceiver {
            delivery_timeout: Some(timeout),
            ..self
        }
    }

    /// Sets the behaviour once all batches are sent.
    #[must_use]
    pub fn after_sending(self, after_sending: AfterSending) -> CannedReceiver {
        CannedReceiver {
            after_sending,
            ..self
        }
    }
}

#[async_trait]
impl Receiver for CannedReceiver {
    async fn run(self: Box<Self>, output: Output, stop: CancellationToken) -> Result<(), RunError> {
        let mut receipts = FuturesUnordered::new();
        for batch in self.batches {
            let deadline = self
                .delivery_timeout
                .map(|timeout| Instant::now() + timeout);
            let (delivery, receipt) = Delivery::new(deadline);
            let batch = batch.with_delivery(delivery);
            match output.try_send(&batch) {
                Ok(()) => receipts.push(receipt),
                Err(error) => {
                    let _ = self.outcomes.send(Outcome::Refused(error.refusal()));
                }
            }
        }
        match self.after_sending {
            AfterSending::WaitForStop => {}
            AfterSending::Return => return Ok(()),
            AfterSending::Panic => panic!("on purpose"),
            AfterSending::Hang => std::future::pending().await,
        }
        let report_outcomes = async {
            while let Some(outcome) = receipts.next().await {
                // The send fails if the test has dropped the `DeliveryOutcomes`.
                let _ = self.outcomes.send(outcome);
            }
        };
        tokio::join!(report_outcomes, stop.cancelled());
        Ok(())
    }
}
