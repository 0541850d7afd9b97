//! The traits that components implement.

use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{ExportError, ProcessError, RunError, StartError, Tasks};
use crate::channel::Output;
use crate::unix_nanos::UnixNanos;
use crate::{Batch, Signal};

/// An address on which a component listens, for the start-up log: `grpc`, `127.0.0.1:4317`.
#[derive(Clone, Debug)]
pub struct ListenAddress {
    pub protocol: &'static str,
    pub address: SocketAddr,
}

/// Produces batches until the engine stops it.
#[async_trait]
pub trait Receiver: Send {
    /// Binds sockets and opens files. Anything that can fail at the start must fail here. Returns the addresses on
    /// which the receiver listens.
    async fn start(&mut self) -> Result<Vec<ListenAddress>, StartError> {
        Ok(Vec::new())
    }

    /// Runs until `stop`, then accepts no new data, replies to the requests that are still open, and returns.
    /// If it returns earlier, even with `Ok`, the process ends with an error that names this receiver.
    async fn run(self: Box<Self>, output: Output, stop: CancellationToken) -> Result<(), RunError>;
}

/// Converts one batch to zero or more batches. It is synchronous and the single owner of its state.
///
/// If it does not process the signal of a batch, it returns the batch unchanged. It makes new batches with
/// [`Batch::derive`], so that the sender also waits for the new batches. When it holds rows back, it either keeps the
/// `delivery` of their batch, and the sender waits, or drops the `delivery`, and the sender is acknowledged.
#[async_trait]
pub trait Processor: Send {
    /// Anything that can fail at the start must fail here. Receivers start after processors, so this must be short.
    async fn start(&mut self) -> Result<(), StartError> {
        Ok(())
    }

    /// Loads earlier state from the store that its configuration names. All processors of a pipeline load
    /// concurrently, while receivers listen already. Until all have loaded, batches wait in the queue of the
    /// pipeline and the engine calls no other method. The processor itself retries when the store fails. The engine
    /// drops the future at any `await` when the process stops.
    async fn load(&mut self) {}

    /// Processes one batch and returns the batches for the next component.
    ///
    /// # Errors
    /// The processor rejects the batch permanently.
    fn process(&mut self, batch: Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError>;

    /// The longest time from now until the next call of [`Processor::tick`]. `None`, the default, requests no tick: a
    /// processor that holds nothing returns `None`, so that an idle pipeline has no timer. The engine calls this after
    /// each call of another method. A longer time does not postpone a tick that is already due earlier; `None` cancels
    /// it.
    fn tick_within(&self, _now: UnixNanos) -> Option<Duration> {
        None
    }

    /// Returns the batches that are due, such as closed windows.
    fn tick(&mut self, _now: UnixNanos) -> Vec<Batch> {
        Vec::new()
    }

    /// Whether the processor holds rows that it can release when the components after it are idle; false by default.
    fn can_release(&self, _now: UnixNanos) -> bool {
        false
    }

    /// Returns the rows that the processor can release. The engine calls this when the queue of the pipeline is empty,
    /// and each exporter and connector for which senders wait has a free consumer.
    fn release(&mut self, _now: UnixNanos) -> Vec<Batch> {
        Vec::new()
    }

    /// Waits until the processor has work before its next tick is due, for example because another process wrote to
    /// the store. When `wake` returns, the engine calls [`Processor::tick`]. By default it never returns. When a batch
    /// or a tick comes, the engine drops the future at any `await` and calls `wake` again afterwards, so an
    /// implementation keeps its progress in `self`.
    async fn wake(&mut self) {
        std::future::pending().await
    }

    /// Returns all rows that the processor still holds. The engine calls this last.
    fn finish(&mut self, now: UnixNanos) -> Vec<Batch> {
        self.tick(now)
    }
}

/// Writes batches of the signals that it accepts to a destination. The engine implements the queue, timeouts,
/// retries and counters.
#[async_trait]
pub trait Exporter: Send + Sync {
    /// Opens files, connects and binds sockets. Anything that can fail at the start must fail here. Long-running work
    /// goes to `tasks`. Returns the addresses on which the exporter listens.
    async fn start(&mut self, _tasks: &mut Tasks) -> Result<Vec<ListenAddress>, StartError> {
        Ok(Vec::new())
    }

    /// Exports one batch. `Ok` means that the batch is durable. When the timeout is over, the engine drops the future
    /// at any `await`, and may then call `export` again with the same batch.
    async fn export(&self, batch: &Batch) -> Result<(), ExportError>;

    /// Exports several queued batches in one attempt: all of them, or none of them. `Ok` means that all are durable.
    /// After an error the engine exports each batch alone. It passes only batches for which [`Exporter::can_join`]
    /// returned true.
    async fn export_joint(&self, _batches: &[Batch]) -> Result<(), ExportError> {
        let reason = "it exports one batch at a time".to_owned();
        Err(ExportError::Permanent {
            reason,
            source: None,
        })
    }

    /// Whether a queued batch can join the batches of a joint export, which have `_before` rows so far. For the first
    /// batch: whether other batches can join it. By default each batch is exported alone.
    fn can_join(&self, _before: &RowCounts, _batch: &Batch) -> bool {
        false
    }

    /// The limit of concurrent exports. A store that writes in order returns 1.
    fn concurrency(&self) -> usize {
        usize::MAX
    }

    /// Flushes and closes the destination. The engine calls this last.
    async fn stop(&self) -> Result<(), RunError> {
        Ok(())
    }
}

/// Runs beside the pipelines, for example a health check.
#[async_trait]
pub trait Extension: Send {
    /// Binds sockets. Anything that can fail at the start must fail here. Returns the addresses on which the extension
    /// listens.
    async fn start(&mut self) -> Result<Vec<ListenAddress>, StartError> {
        Ok(Vec::new())
    }

    /// Runs until `stop`. If it returns earlier, the process ends with an error that names this extension.
    async fn run(self: Box<Self>, stop: CancellationToken) -> Result<(), RunError>;
}

/// The number of rows of each signal.
#[derive(Clone, Debug, Default)]
pub struct RowCounts([usize; Signal::ALL.len()]);

impl RowCounts {
    /// Adds the rows of a batch.
    pub fn add(&mut self, batch: &Batch) {
        self.0[batch.signal() as usize] += batch.num_rows();
    }

    /// The number of rows of one signal.
    pub fn of(&self, signal: Signal) -> usize {
        self.0[signal as usize]
    }

    /// The number of rows of all signals.
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }
}
