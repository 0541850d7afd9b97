//! Where what a scan tells goes.

use async_trait::async_trait;
use pipeline::channel::Output;
use pipeline::rows::Rows;
use pipeline::{Delivery, Outcome};

use super::failure::Failure;

/// Takes the rows of `resources` that scans make.
#[async_trait]
pub(super) trait Sink: Send + Sync {
    /// Returns when they are durable.
    ///
    /// # Errors
    /// Why they are not.
    async fn take(&self, mut rows: Rows) -> Result<(), String>;

    /// How the scan gets on.
    fn tell(&self, _progress: Progress<'_>) {}
}

/// How a scan gets on.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// So many more scopes are to be scanned.
    Planned(usize),
    /// A page has come of this scope, with so many resources.
    Found { scope: &'a str, resources: usize },
    /// A scope is complete.
    Complete { scope: &'a str },
    /// A call has failed; a scope of it is unknown.
    Failed(&'a Failure),
}

#[async_trait]
impl Sink for Output {
    async fn take(&self, mut rows: Rows) -> Result<(), String> {
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
