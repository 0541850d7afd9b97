//! What a component is: the traits to implement, what it is given, and how it fails.
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

/// Where a component that serves can be reached, for the start-up lines: `grpc`, `127.0.0.1:4317`.
#[derive(Clone, Debug)]
pub struct Listening {
    pub protocol: &'static str,
    pub address: SocketAddr,
}

/// Makes batches until it is told to stop.
#[async_trait]
pub trait Receiver: Send {
    /// Binds sockets and opens files: all that can fail at start fails here.
    async fn start(&mut self) -> Result<Vec<Listening>, StartError> {
        Ok(Vec::new())
    }

    /// Runs until `stop`, then takes nothing new, waits for the answers that it still owes, and
    /// returns. Returning earlier, even with `Ok`, ends the process with this receiver's name.
    async fn run(self: Box<Self>, output: Output, stop: CancellationToken) -> Result<(), RunError>;
}

/// Driven: one batch in, zero or more out. Synchronous, and single owner of its state.
///
/// A batch of a signal that it does not use it returns as it came. What it makes of a batch it
/// makes with [`Batch::derive`], so that the sender waits for that too; rows that it holds back
/// until later either keep their batch's `delivery`, or are answered for as absorbed.
#[async_trait]
pub trait Processor: Send {
    /// What can fail at start fails here. Receivers start after it, so it is short.
    async fn start(&mut self) -> Result<(), StartError> {
        Ok(())
    }

    /// Reads what it needs of its past from the store that it names. Receivers listen already: batches
    /// wait in the queue of the pipeline, and no other method is called, until all processors of the
    /// pipeline have loaded, which they do at the same time. Where the store fails it tries again by
    /// itself. Dropped at any `await` when the process stops.
    async fn load(&mut self) {}

    /// # Errors
    /// Refuses the batch, for good, to its sender.
    fn process(&mut self, batch: Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError>;

    /// The longest time from now until [`Processor::tick`] is to be called; never by default. It is asked after
    /// each call, and a shorter time that an earlier answer has set stays until the tick. A processor that
    /// holds nothing says none: an idle pipeline has no timer.
    fn tick_within(&self, _now: UnixNanos) -> Option<Duration> {
        None
    }

    /// What has become due by itself.
    fn tick(&mut self, _now: UnixNanos) -> Vec<Batch> {
        Vec::new()
    }

    /// Whether it holds rows that need not wait while what comes after it is idle; never by default.
    fn can_release(&self, _now: UnixNanos) -> bool {
        false
    }

    /// Returns those rows. It is called when no batch waits for the chain, and each exporter and connector
    /// after it can take a batch at once.
    fn release(&mut self, _now: UnixNanos) -> Vec<Batch> {
        Vec::new()
    }

    /// Waits until there is something to do before the next tick is due, as after what another process
    /// wrote to a store: [`Processor::tick`] is called when it returns. Never by default. Dropped at any
    /// `await` when a batch or a tick comes, and called again after it: what has begun stays in `self`.
    async fn wake(&mut self) {
        std::future::pending().await
    }

    /// All that is still held: nothing comes any more.
    fn finish(&mut self, now: UnixNanos) -> Vec<Batch> {
        self.tick(now)
    }
}

/// Driven: takes what it accepts. Timeout, retry, queue and counting are the engine's.
#[async_trait]
pub trait Exporter: Send + Sync {
    /// Opens, connects, binds: all that can fail at start fails here. Long-running work goes to
    /// `tasks`.
    async fn start(&mut self, _tasks: &mut Tasks) -> Result<Vec<Listening>, StartError> {
        Ok(Vec::new())
    }

    /// `Ok` means durable. May be dropped at any `await` when its timeout is over, and is then called again
    /// with the same batch.
    async fn export(&self, batch: &Batch) -> Result<(), ExportError>;

    /// Exports batches that waited in the queue as one: all of them, or none. `Ok` means that all are durable.
    /// After an error the engine exports each by itself. It is called only with batches that join.
    async fn export_together(&self, _batches: &[Batch]) -> Result<(), ExportError> {
        let reason = "it exports one batch at a time".to_owned();
        Err(ExportError::Permanent {
            reason,
            source: None,
        })
    }

    /// Whether a batch that waits may be exported together with those before it, which have these rows; of
    /// the first batch: whether others may be. By default each goes alone.
    fn joins(&self, _before: &RowCounts, _batch: &Batch) -> bool {
        false
    }

    /// How many batches may be in `export` at once, at most; a store that writes in order says 1.
    fn concurrency(&self) -> usize {
        usize::MAX
    }

    /// The last call: flush and close.
    async fn stop(&self) -> Result<(), RunError> {
        Ok(())
    }
}

/// Lives beside pipelines: health, storage, auth, debug pages.
#[async_trait]
pub trait Extension: Send {
    async fn start(&mut self) -> Result<Vec<Listening>, StartError> {
        Ok(Vec::new())
    }

    /// Runs until `stop`; returning earlier ends the process with this extension's name.
    async fn run(self: Box<Self>, stop: CancellationToken) -> Result<(), RunError>;
}

/// Where a component puts what runs beside it. Each task is named and joined; one that fails or
/// ends before `stop` ends the process.
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

    /// Cancelled when it is time to return.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// What was spawned, for a test that runs a component without an engine.
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

/// The configuration is well-formed, but the component cannot be made of it.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct BuildError {
    pub reason: String,
    pub source: Option<Cause>,
}

/// The component cannot begin. `reason` says what to do.
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

/// The processor refuses the batch for good.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct ProcessError {
    pub reason: String,
    pub source: Option<Cause>,
}

/// The batch was not taken. `reason` says what failed on what; it holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It may work later: after this time, if the destination said when.
    #[error("{reason}")]
    Retryable {
        reason: String,
        after: Option<Duration>,
        source: Option<Cause>,
    },
    /// It will never work for this batch.
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
