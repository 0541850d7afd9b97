//! An exporter that keeps what it gets, and fails as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::uids;
use crate::component::{ExportError, Exporter, RowCounts, RunError};
use crate::{Batch, Delivery};

/// What an attempt does.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// Keeps the batch.
    Take,
    /// The same after a while.
    TakeAfter(Duration),
    /// Asks to try again, after this time if one is given.
    Retry(Option<Duration>),
    Refuse,
    /// Never answers.
    Hang,
    Panic,
}

/// Takes every batch unless told otherwise.
#[derive(Debug, Default)]
pub struct CapturingExporter {
    captured: Captured,
    /// Of the first attempts; all later ones do as `then` says.
    first: Mutex<VecDeque<Behaviour>>,
    then: Option<Behaviour>,
    concurrency: Option<usize>,
    rows_together: usize,
}

/// What the exporter got; a clone sees the same.
#[derive(Clone, Debug, Default)]
pub struct Captured(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    batches: Vec<Batch>,
    attempts: Vec<Instant>,
    stopped: bool,
}

impl CapturingExporter {
    pub fn new() -> (CapturingExporter, Captured) {
        let exporter = CapturingExporter::default();
        let captured = exporter.captured.clone();
        (exporter, captured)
    }

    /// What the first attempts do, in order.
    #[must_use]
    pub fn first(self, behaviours: impl IntoIterator<Item = Behaviour>) -> CapturingExporter {
        CapturingExporter {
            first: Mutex::new(behaviours.into_iter().collect()),
            ..self
        }
    }

    /// What all attempts after the first ones do.
    #[must_use]
    pub fn then(self, behaviour: Behaviour) -> CapturingExporter {
        CapturingExporter {
            then: Some(behaviour),
            ..self
        }
    }

    /// Takes batches together until there are so many rows.
    #[must_use]
    pub fn together(self, rows: usize) -> CapturingExporter {
        CapturingExporter {
            rows_together: rows,
            ..self
        }
    }

    #[must_use]
    pub fn at_once(self, batches: usize) -> CapturingExporter {
        CapturingExporter {
            concurrency: Some(batches),
            ..self
        }
    }
}

impl Captured {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In the order in which they were taken; nobody waits for them.
    pub fn batches(&self) -> Vec<Batch> {
        self.state().batches.clone()
    }

    /// The uids of all rows that were taken.
    pub fn uids(&self) -> Vec<String> {
        self.state().batches.iter().flat_map(uids).collect()
    }

    pub fn attempts(&self) -> usize {
        self.state().attempts.len()
    }

    /// When each attempt began.
    pub fn attempted_at(&self) -> Vec<Instant> {
        self.state().attempts.clone()
    }

    /// Whether the exporter had its last call.
    pub fn is_stopped(&self) -> bool {
        self.state().stopped
    }
}

#[async_trait]
impl Exporter for CapturingExporter {
    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        self.captured.state().attempts.push(Instant::now());
        let first = self
            .first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        let behaviour = first
            .or_else(|| self.then.clone())
            .unwrap_or(Behaviour::Take);
        if let Behaviour::TakeAfter(time) = behaviour {
            tokio::time::sleep(time).await;
        }
        match behaviour {
            Behaviour::Take | Behaviour::TakeAfter(_) => {
                // A kept batch must not keep its sender waiting.
                let kept = batch.clone().with_delivery(Delivery::nobody());
                self.captured.state().batches.push(kept);
                Ok(())
            }
            Behaviour::Retry(after) => Err(ExportError::Retryable {
                reason: "the destination is down".to_owned(),
                after,
                source: None,
            }),
            Behaviour::Refuse => Err(ExportError::Permanent {
                reason: "the destination wants no such rows".to_owned(),
                source: None,
            }),
            Behaviour::Hang => std::future::pending().await,
            Behaviour::Panic => panic!("told to panic"),
        }
    }

    async fn export_together(&self, batches: &[Batch]) -> Result<(), ExportError> {
        let kept = |batch: &Batch| batch.clone().with_delivery(Delivery::nobody());
        match Batch::concat(batches.iter().map(kept).collect()) {
            Some(all) => self.export(&all).await,
            None => Ok(()),
        }
    }

    fn joins(&self, before: &RowCounts, batch: &Batch) -> bool {
        before.total() + batch.num_rows() <= self.rows_together
    }

    fn concurrency(&self) -> usize {
        self.concurrency.unwrap_or(usize::MAX)
    }

    async fn stop(&self) -> Result<(), RunError> {
        self.captured.state().stopped = true;
        Ok(())
    }
}
