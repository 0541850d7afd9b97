//! Components that do nothing before a test lets them.

use std::sync::mpsc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::Batch;
use crate::component::{ExportError, Exporter, ProcessError, Processor, RunError, UnixNanos};
use crate::testing::{Captured, CapturingExporter};

/// An exporter that does nothing before its gate is opened, by cancelling the token.
pub(super) struct Gated {
    gate: CancellationToken,
    exporter: CapturingExporter,
}

pub(super) fn gated() -> (Gated, CancellationToken, Captured) {
    let (exporter, captured) = CapturingExporter::new();
    let gate = CancellationToken::new();
    let gated = Gated {
        gate: gate.clone(),
        exporter,
    };
    (gated, gate, captured)
}

#[async_trait]
impl Exporter for Gated {
    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        self.gate.cancelled().await;
        self.exporter.export(batch).await
    }

    async fn stop(&self) -> Result<(), RunError> {
        self.exporter.stop().await
    }
}

/// A processor that blocks its thread until the other end is dropped.
pub(super) struct Blocking(mpsc::Receiver<()>);

pub(super) fn blocking() -> (Blocking, mpsc::Sender<()>) {
    let (held, blocked) = mpsc::channel();
    (Blocking(blocked), held)
}

impl Processor for Blocking {
    fn process(&mut self, batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        // An error means that the test lets go.
        let _ = self.0.recv();
        Ok(vec![batch])
    }
}
