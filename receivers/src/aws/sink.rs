//! Delivers the rows that a scan writes.

use async_trait::async_trait;
use pipeline::channel::Output;
use pipeline::rows::Rows;
use pipeline::{Delivery, Outcome};

use super::failure::ScanFailure;

/// Takes the rows of `resources` that scans and refreshes write.
#[async_trait]
pub(super) trait Sink: Send + Sync {
    /// Returns when the rows are acknowledged as durable.
    ///
    /// # Errors
    /// Why they were not acknowledged.
    async fn deliver(&self, mut rows: Rows) -> Result<(), String>;

    fn report_progress(&self, _progress: Progress<'_>) {}
}

/// A step of a scan.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// The number of scopes that are to be scanned.
    Planned(usize),
    /// A page of this scope was read, with this number of resources.
    Found { scope: &'a str, resources: usize },
    /// A scope is complete.
    Complete { scope: &'a str },
    /// A call failed, so part of a scope or all of it is unknown.
    Failed(&'a ScanFailure),
}

#[async_trait]
impl Sink for Output {
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
