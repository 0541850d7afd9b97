//! An exporter that records the batches that it accepts and fails as a test configures.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::uids;
use crate::component::{ExportError, Exporter, RowCounts, RunError};
use crate::sync::lock;
use crate::{Batch, Delivery};

/// The result of one call of `export`.
#[derive(Clone, Debug)]
pub enum ExportBehaviour {
    /// Records the batch and returns `Ok`.
    Accept,
    /// Waits for this time, then records the batch and returns `Ok`.
    AcceptAfter(Duration),
    /// Returns a retryable error, with this retry delay if there is one.
    Retry(Option<Duration>),
    /// Returns a permanent error.
    Reject,
    /// Never returns.
    Hang,
    /// Panics.
    Panic,
}

/// Records the batches that it exports. It accepts every batch unless a test configures another behaviour.
#[derive(Debug, Default)]
pub struct CapturingExporter {
    captured: CapturedExports,
    /// The behaviour of the first attempts, in order. All other attempts use `otherwise`.
    first: Mutex<VecDeque<ExportBehaviour>>,
    otherwise: Option<ExportBehaviour>,
    concurrency: Option<usize>,
    max_joint_rows: usize,
}

/// The calls that a [`CapturingExporter`] received. All clones share one state.
#[derive(Clone, Debug, Default)]
pub struct CapturedExports(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    batches: Vec<Batch>,
    attempts: Vec<Instant>,
    stopped: bool,
}

impl CapturingExporter {
    /// Returns an exporter that accepts every batch, and the handle that reads what it captured.
    pub fn new() -> (CapturingExporter, CapturedExports) {
        let exporter = CapturingExporter::default();
        let captured = exporter.captured.clone();
        (exporter, captured)
    }

    /// Sets the behaviour of the first attempts, in order.
    #[must_use]
    pub fn first_attempts(
        self,
        behaviours: impl IntoIterator<Item = ExportBehaviour>,
    ) -> CapturingExporter {
        CapturingExporter {
            first: Mutex::new(behaviours.into_iter().collect()),
            ..self
        }
    }

    /// Sets the behaviour of all attempts after those of [`CapturingExporter::first_attempts`].
    #[must_use]
    pub fn later_attempts(self, behaviour: ExportBehaviour) -> CapturingExporter {
        CapturingExporter {
            otherwise: Some(behaviour),
            ..self
        }
    }

    /// Lets the engine export several batches in a joint export, up to this number of rows in total.
    #[must_use]
    pub fn max_joint_rows(self, rows: usize) -> CapturingExporter {
        CapturingExporter {
            max_joint_rows: rows,
            ..self
        }
    }

    /// Limits the number of batches that may be in `export` at the same time. By default there is no limit.
    #[must_use]
    pub fn with_concurrency(self, batches: usize) -> CapturingExporter {
        CapturingExporter {
            concurrency: Some(batches),
            ..self
        }
    }
}

impl CapturedExports {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }

    /// The accepted batches, in the order in which they were accepted. Their deliveries are untracked. A joint
    /// export is one batch.
    pub fn batches(&self) -> Vec<Batch> {
        self.state().batches.clone()
    }

    /// The uids of all accepted rows, in the order of [`CapturedExports::batches`].
    pub fn uids(&self) -> Vec<String> {
        self.state().batches.iter().flat_map(uids).collect()
    }

    /// The number of attempts, whatever their results.
    pub fn attempts(&self) -> usize {
        self.state().attempts.len()
    }

    /// The time at which each attempt began.
    pub fn attempted_at(&self) -> Vec<Instant> {
        self.state().attempts.clone()
    }

    /// Whether the engine called `stop`.
    pub fn is_stopped(&self) -> bool {
        self.state().stopped
    }
}

#[async_trait]
impl Exporter for CapturingExporter {
    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        self.captured.state().attempts.push(Instant::now());
        let first = lock(&self.first).pop_front();
        let behaviour = first
            .or_else(|| self.otherwise.clone())
            .unwrap_or(ExportBehaviour::Accept);
        if let ExportBehaviour::AcceptAfter(time) = behaviour {
            tokio::time::sleep(time).await;
        }
        match behaviour {
            ExportBehaviour::Accept | ExportBehaviour::AcceptAfter(_) => {
                // With its delivery, the recorded batch would delay the acknowledgement of the request.
                let recorded = batch.clone().with_delivery(Delivery::untracked());
                self.captured.state().batches.push(recorded);
                Ok(())
            }
            ExportBehaviour::Retry(after) => Err(ExportError::Retryable {
                reason: "the destination is down".to_owned(),
                after,
                source: None,
            }),
            ExportBehaviour::Reject => Err(ExportError::Permanent {
                reason: "the destination rejects these rows".to_owned(),
                source: None,
            }),
            ExportBehaviour::Hang => std::future::pending().await,
            ExportBehaviour::Panic => panic!("on purpose"),
        }
    }

    async fn export_joint(&self, batches: &[Batch]) -> Result<(), ExportError> {
        let untracked = |batch: &Batch| batch.clone().with_delivery(Delivery::untracked());
        match Batch::concat(batches.iter().map(untracked).collect()) {
            Some(all) => self.export(&all).await,
            None => Ok(()),
        }
    }

    fn can_join(&self, before: &RowCounts, batch: &Batch) -> bool {
        before.total() + batch.num_rows() <= self.max_joint_rows
    }

    fn concurrency(&self) -> usize {
        self.concurrency.unwrap_or(usize::MAX)
    }

    async fn stop(&self) -> Result<(), RunError> {
        self.captured.state().stopped = true;
        Ok(())
    }
}
