//! A receiver that sends given batches and tells what became of them.

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

/// What the receiver does once it has sent all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// Waits for the stop, then for the answers.
    #[default]
    WaitForStop,
    /// Returns, though nobody told it to.
    Return,
    Panic,
    /// Never returns.
    Hang,
}

#[derive(Debug)]
pub struct CannedReceiver {
    batches: Vec<Batch>,
    patience: Option<Duration>,
    ending: Ending,
    outcomes: mpsc::UnboundedSender<Outcome>,
}

/// What became of the batches, in the order in which that was known.
#[derive(Debug)]
pub struct Outcomes(mpsc::UnboundedReceiver<Outcome>);

impl Outcomes {
    /// None once the receiver has ended.
    pub async fn next(&mut self) -> Option<Outcome> {
        self.0.recv().await
    }
}

impl CannedReceiver {
    pub fn new(batches: Vec<Batch>) -> (CannedReceiver, Outcomes) {
        let (outcomes, told) = mpsc::unbounded_channel();
        let receiver = CannedReceiver {
            batches,
            patience: None,
            ending: Ending::default(),
            outcomes,
        };
        (receiver, Outcomes(told))
    }

    /// How long the sender of each batch waits.
    #[must_use]
    pub fn patience(self, patience: Duration) -> CannedReceiver {
        CannedReceiver {
            patience: Some(patience),
            ..self
        }
    }

    #[must_use]
    pub fn ending(self, ending: Ending) -> CannedReceiver {
        CannedReceiver { ending, ..self }
    }
}

#[async_trait]
impl Receiver for CannedReceiver {
    async fn run(self: Box<Self>, output: Output, stop: CancellationToken) -> Result<(), RunError> {
        let mut receipts = FuturesUnordered::new();
        for batch in self.batches {
            let deadline = self.patience.map(|patience| Instant::now() + patience);
            let (delivery, receipt) = Delivery::new(deadline);
            let batch = batch.with_delivery(delivery);
            match output.try_send(&batch) {
                Ok(()) => receipts.push(receipt),
                Err(error) => {
                    let _ = self.outcomes.send(Outcome::Refused(error.refusal()));
                }
            }
        }
        match self.ending {
            Ending::WaitForStop => {}
            Ending::Return => return Ok(()),
            Ending::Panic => panic!("told to panic"),
            Ending::Hang => std::future::pending().await,
        }
        let answers = async {
            while let Some(outcome) = receipts.next().await {
                // A test that does not look at outcomes has dropped the other end.
                let _ = self.outcomes.send(outcome);
            }
        };
        tokio::join!(answers, stop.cancelled());
        Ok(())
    }
}
