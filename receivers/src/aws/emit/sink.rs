//! Delivers the rows of scans and refreshes to the pipelines, and reports the progress of scans.

use async_trait::async_trait;
use pipeline::channel::Output;
use pipeline::rows::Rows;
use pipeline::{Delivery, Outcome};

use crate::aws::api::ScanFailure;

/// Receives the rows of `resources` that scans and refreshes write.
#[async_trait]
pub(in crate::aws) trait RowSink: Send + Sync {
    /// Returns when the rows are acknowledged as durable.
    ///
    /// # Errors
    /// The reason why they were not acknowledged.
    async fn deliver(&self, mut rows: Rows) -> Result<(), String>;

    /// Reports a step of a scan. Does nothing by default.
    fn report_progress(&self, _progress: ScanProgress<'_>) {}
}

/// A step of a scan of all scopes.
#[derive(Clone, Copy, Debug)]
pub enum ScanProgress<'a> {
    /// The number of scopes to scan.
    Planned(usize),
    /// A page of this scope was read, with this number of resources.
    Page { scope: &'a str, resources: usize },
    /// The scan of this scope is complete.
    Complete { scope: &'a str },
    /// A call failed, so the state of some or all resources of a scope is unknown.
    Failed(&'a ScanFailure),
}

#[async_trait]
impl RowSink for Output {
    async fn deliver(&self, mut rows: Rows) -> Result<(), String> {
        let (delivery, receipt) = Delivery::new(None);
        let batch = rows.finish(delivery);
        let sent = self.send(&batch).await;
        drop(batch);
        sent.map_err(|error| error.to_string())?;
        match receipt.await {
            Outcome::Delivered => Ok(()),
            Outcome::Partial {
                rejected_rows,
                reason,
            } => Err(format!("{rejected_rows} rows were rejected: {reason}")),
            Outcome::Refused(refusal) => Err(refusal.to_string()),
        }
    }
}
