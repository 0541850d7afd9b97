//! The traits that components implement, what the engine passes to them, and their errors.
//!
//! ```text
//!  Receiver::run ──Output──▶ channel ──▶ Processor::process … ──▶ queue ──▶ Exporter::export
//!  owns its loop             bytes       one chain, one thread    bytes     Ok means durable
//! ```

use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::Batch;
use crate::channel::Output;

mod host;
mod id;
mod row_counts;
pub use host::{Host, Shared};
pub use id::{ComponentId, InvalidId, StoreRef};
pub use row_counts::RowCounts;

pub use crate::cause::{Cause, Chain};
pub use crate::unix_nanos::UnixNanos;

/// An address on which a component listens, for the start-up log: `grpc`, `127.0.0.1:4317`.
#[derive(Clone, Debug)]
pub struct Listening {
    pub protocol: &'static str,
    pub address: SocketAddr,
}

/// Makes batches until the engine stops it.
#[async_trait]
pub trait Receiver: Send {
    /// Binds sockets and opens files: whatever can fail at start must fail here.
    async fn start(&mut self) -> Result<Vec<Listening>, StartError> {
        Ok(Vec::new())
    }

    /// Runs until `stop`, then accepts no new data, replies to the requests that are still open, and returns.
    /// If it returns earlier, even with `Ok`, the process ends with an error that names this receiver.
    async fn run(self: Box<Self>, output: Output, stop: CancellationToken) -> Result<(), RunError>;
}

/// Called by the engine: one batch in, zero or more out. Synchronous, and the single owner of its state.
///
/// It returns a batch of a signal that it does not use unchanged. It makes new batches with
/// [`Batch::derive`], so that the sender waits for them too. Rows that it holds back either keep the
/// `delivery` of their batch, or are acknowledged as absorbed.
#[async_trait]
pub trait Processor: Send {
    /// Whatever can fail at start must fail here. Receivers start after it, so it must be short.
    async fn start(&mut self) -> Result<(), StartError> {
        Ok(())
    }

    /// Reads its earlier state from the store that its configuration names. All processors of a pipeline load
    /// concurrently, while receivers listen already. Until all have loaded, batches wait in the queue of the
    /// pipeline and no other method is called. The processor itself retries when the store fails. The future
    /// is dropped at any `await` when the process stops.
    async fn load(&mut self) {}

    /// # Errors
    /// The batch is rejected permanently.
    fn process(&mut self, batch: Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError>;

    /// The longest time from now until the next call of [`Processor::tick`]; none, the default, asks for no
    /// tick. The engine calls it after each other call, and an earlier due time stays until the tick. A
    /// processor that holds nothing returns none, so that an idle pipeline has no timer.
    fn tick_within(&self, _now: UnixNanos) -> Option<Duration> {
        None
    }

    /// Returns the batches that are due, such as closed windows.
    fn tick(&mut self, _now: UnixNanos) -> Vec<Batch> {
        Vec::new()
    }

    /// Whether it holds rows that it can release while the components after it are idle; false by default.
    fn can_release(&self, _now: UnixNanos) -> bool {
        false
    }

    /// Returns those rows. It is called when the queue of the chain is empty, and each exporter and connector
    /// after it can take a batch at once.
    fn release(&mut self, _now: UnixNanos) -> Vec<Batch> {
        Vec::new()
    }

    /// Waits until the processor has work before its next tick is due, for example because another process
    /// wrote to the store. The engine calls [`Processor::tick`] when it returns. By default it never returns.
    /// The future is dropped at any `await` when a batch or a tick comes, and `wake` is called again after
    /// it: keep the progress in `self`.
    async fn wake(&mut self) {
        std::future::pending().await
    }

    /// Returns all that is still held. It is the last call.
    fn finish(&mut self, now: UnixNanos) -> Vec<Batch> {
        self.tick(now)
    }
}

/// Called by the engine with batches of the signals that it accepts. The engine does timeout, retry, queue
/// and counting.
#[async_trait]
pub trait Exporter: Send + Sync {
    /// Opens, connects, binds: whatever can fail at start must fail here. Long-running work goes to `tasks`.
    async fn start(&mut self, _tasks: &mut Tasks) -> Result<Vec<Listening>, StartError> {
        Ok(Vec::new())
    }

    /// `Ok` means durable. The future may be dropped at any `await` when its timeout is over; `export` is
    /// then called again with the same batch.
    async fn export(&self, batch: &Batch) -> Result<(), ExportError>;

    /// Exports several queued batches at once: all of them, or none. `Ok` means that all are durable. After
    /// an error the engine exports each by itself. It is called only with batches for which
    /// [`Exporter::joins`] is true.
    async fn export_together(&self, _batches: &[Batch]) -> Result<(), ExportError> {
        let reason = "it exports one batch at a time".to_owned();
        Err(ExportError::Permanent {
            reason,
            source: None,
        })
    }

    /// Whether a queued batch may be exported together with the batches before it, which have `_before` rows.
    /// For the first batch: whether others may join it. By default each batch is exported alone.
    fn joins(&self, _before: &RowCounts, _batch: &Batch) -> bool {
        false
    }

    /// The most batches that may be in `export` at the same time; a store that writes in order returns 1.
    fn concurrency(&self) -> usize {
        usize::MAX
    }

    /// Flushes and closes. It is the last call.
    async fn stop(&self) -> Result<(), RunError> {
        Ok(())
    }
}

/// Runs beside pipelines: health, storage, auth, debug pages.
#[async_trait]
pub trait Extension: Send {
    async fn start(&mut self) -> Result<Vec<Listening>, StartError> {
        Ok(Vec::new())
    }

    /// Runs until `stop`. If it returns earlier, the process ends with an error that names this extension.
    async fn run(self: Box<Self>, stop: CancellationToken) -> Result<(), RunError>;
}

/// The background tasks of a component. Each task is named and joined; a task that fails or ends before
/// `stop` ends the process.
#[derive(Default)]
pub struct Tasks {
    stop: CancellationToken,
    pub(crate) spawned: Vec<(
        String,
        futures::future::BoxFuture<'static, Result<(), RunError>>,
    )>,
}

impl Tasks {
    pub fn new(stop: CancellationToken) -> Tasks {
        Tasks {
            stop,
            spawned: Vec::new(),
        }
    }

    /// Cancelled when the tasks must return.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// The spawned tasks, for a test that runs a component without an engine.
    pub fn into_futures(
        self,
    ) -> impl Iterator<Item = futures::future::BoxFuture<'static, Result<(), RunError>>> {
        self.spawned.into_iter().map(|(_, task)| task)
    }

    pub fn spawn<F>(&mut self, name: impl Into<String>, task: F)
    where
        F: Future<Output = Result<(), RunError>> + Send + 'static,
    {
        self.spawned.push((name.into(), Box::pin(task)));
    }
}

/// The configuration is valid, but the component cannot be built from it.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct BuildError {
    pub reason: String,
    pub source: Option<Cause>,
}

/// The component cannot start. `reason` says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct StartError {
    pub reason: String,
    pub source: Option<Cause>,
}

/// The component cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct RunError {
    pub reason: String,
    pub source: Option<Cause>,
}

/// The processor rejects the batch permanently.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct ProcessError {
    pub reason: String,
    pub source: Option<Cause>,
}

/// The batch was not exported. `reason` says what failed on what; it contains no secret.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A later attempt may succeed: after this time, if the destination has given one.
    #[error("{reason}")]
    Retryable {
        reason: String,
        after: Option<Duration>,
        source: Option<Cause>,
    },
    /// No attempt can succeed with this batch.
    #[error("{reason}")]
    Permanent {
        reason: String,
        source: Option<Cause>,
    },
}

impl ExportError {
    pub fn retryable(reason: impl Into<String>, source: impl Into<Cause>) -> ExportError {
        ExportError::Retryable {
            reason: reason.into(),
            after: None,
            source: Some(source.into()),
        }
    }

    pub fn permanent(reason: impl Into<String>, source: impl Into<Cause>) -> ExportError {
        ExportError::Permanent {
            reason: reason.into(),
            source: Some(source.into()),
        }
    }
}

macro_rules! reason_and_source {
    ($($error:ident),+) => { $(
        impl $error {
            pub fn new(reason: impl Into<String>) -> $error {
                $error { reason: reason.into(), source: None }
            }

            pub fn because(reason: impl Into<String>, source: impl Into<Cause>) -> $error {
                $error { reason: reason.into(), source: Some(source.into()) }
            }
        }
    )+ };
}
reason_and_source!(BuildError, StartError, RunError, ProcessError);
