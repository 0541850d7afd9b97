//! Test doubles that block until a test releases them.

use std::sync::{Arc, mpsc};

use arrow_array::StringViewArray;
use async_trait::async_trait;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::channel::{Output, Queue};
use crate::component::{
    ExportError, Exporter, ProcessError, Processor, Receiver, RunError, StartError, UnixNanos,
};
use crate::testing::{CapturedExports, CapturingExporter, batch};
use crate::{Batch, Signal};

/// An exporter whose exports wait until the test opens its gate, by cancelling the token.
pub(super) struct GatedExporter {
    gate: CancellationToken,
    exporter: CapturingExporter,
}

pub(super) fn gated() -> (GatedExporter, CancellationToken, CapturedExports) {
    let (exporter, captured) = CapturingExporter::new();
    let gate = CancellationToken::new();
    let gated = GatedExporter {
        gate: gate.clone(),
        exporter,
    };
    (gated, gate, captured)
}

#[async_trait]
impl Exporter for GatedExporter {
    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        self.gate.cancelled().await;
        self.exporter.export(batch).await
    }

    async fn stop(&self) -> Result<(), RunError> {
        self.exporter.stop().await
    }
}

/// A processor that blocks its thread until the test drops the other end of the channel.
pub(super) struct BlockingProcessor(mpsc::Receiver<()>);

pub(super) fn blocking() -> (BlockingProcessor, mpsc::Sender<()>) {
    let (held, blocked) = mpsc::channel();
    (BlockingProcessor(blocked), held)
}

impl Processor for BlockingProcessor {
    fn process(&mut self, batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        // An error means that the test has dropped its end.
        let _ = self.0.recv();
        Ok(vec![batch])
    }
}

/// A processor that sets one uid in all rows. It makes the uid in `start`.
#[derive(Default)]
pub(super) struct StampingProcessor {
    pub(super) uid: Option<String>,
    pub(super) fails: bool,
}

#[async_trait]
impl Processor for StampingProcessor {
    async fn start(&mut self) -> Result<(), StartError> {
        tokio::task::yield_now().await;
        if self.fails {
            return Err(StartError::new("made to fail"));
        }
        self.uid = Some("prepared".to_owned());
        Ok(())
    }

    fn process(&mut self, batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        let uids = StringViewArray::from_iter(vec![self.uid.as_deref(); batch.num_rows()]);
        Ok(vec![batch.with_uid(uids)])
    }
}

/// A receiver that passes refresh requests to the test.
pub(super) struct RefreshReceiver {
    pub(super) requests: Queue,
    pub(super) received: mpsc::Sender<Batch>,
}

#[async_trait]
impl Receiver for RefreshReceiver {
    async fn run(mut self: Box<Self>, _: Output, stop: CancellationToken) -> Result<(), RunError> {
        while let Some(Some(request)) = stop.run_until_cancelled(self.requests.recv()).await {
            let (batch, _) = request.into_parts();
            // An error means that the test has dropped its end.
            let _ = self.received.send(batch);
        }
        Ok(())
    }
}

/// A processor that loads until the test opens its gate, by cancelling the token, and then passes batches on.
pub(super) struct LoadingProcessor {
    pub(super) gate: CancellationToken,
    pub(super) panics: bool,
}

#[async_trait]
impl Processor for LoadingProcessor {
    async fn load(&mut self) {
        self.gate.cancelled().await;
        assert!(!self.panics, "made to panic");
    }

    fn process(&mut self, batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        assert!(
            self.gate.is_cancelled(),
            "a batch came before the processor had loaded"
        );
        Ok(vec![batch])
    }
}

/// A processor that wakes when it is notified, and emits a batch on the tick that follows.
pub(super) struct WakingProcessor {
    pub(super) notified: Arc<Notify>,
    /// The batch for the next tick; `None` until the processor wakes.
    pub(super) read: Option<Batch>,
}

#[async_trait]
impl Processor for WakingProcessor {
    async fn wake(&mut self) {
        self.notified.notified().await;
        self.read = Some(batch(Signal::Nodes, &["read"]));
    }

    fn process(&mut self, batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        Ok(vec![batch])
    }

    fn tick(&mut self, _now: UnixNanos) -> Vec<Batch> {
        self.read.take().into_iter().collect()
    }
}

/// A processor that opens the gate of another processor when it loads.
pub(super) struct GateOpeningProcessor(pub(super) CancellationToken);

#[async_trait]
impl Processor for GateOpeningProcessor {
    async fn load(&mut self) {
        self.0.cancel();
    }

    fn process(&mut self, batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        Ok(vec![batch])
    }
}
