//! A single scan without a pipeline, for `airdig scan`.

use async_trait::async_trait;
use pipeline::component::StartError;
use pipeline::counters::Counter;
use pipeline::rows::Rows;
use pipeline::{Batch, Delivery};

use super::accounts::{Accounts, environment};
use super::config::Config;
use super::known::Inventory;
use super::leases::Leases;
use super::report::FailureLog;
use super::scanner::{ScanSummary, Scanner};
use super::sink::{Progress, Sink};

/// Receives the rows and the progress of one scan.
pub trait Follow: Send + Sync {
    /// Takes rows of `resources`. The completion of a scope comes after the rows of its resources.
    fn take(&self, batch: Batch);

    fn tell(&self, progress: Progress<'_>);
}

struct FollowSink<F>(F);

#[async_trait]
impl<F: Follow> Sink for FollowSink<F> {
    async fn deliver(&self, mut rows: Rows) -> Result<(), String> {
        self.0.take(rows.finish(Delivery::nobody()));
        Ok(())
    }

    fn report_progress(&self, progress: Progress<'_>) {
        self.0.tell(progress);
    }
}

/// Scans everything that the configuration names once.
///
/// # Errors
/// When no region is known.
pub async fn scan_once(config: Config, follow: impl Follow) -> Result<ScanSummary, StartError> {
    let inventory = Inventory::default();
    let sdk = environment(&config).await;
    let accounts = Accounts::new(&sdk, &config, &inventory.owners).await?;
    let failures = FailureLog::new("scan", Counter::default());
    let leases = Leases::default();
    let scanner = Scanner::new("scan", config, accounts, inventory, failures, leases);
    Ok(scanner.scan(&FollowSink(follow)).await)
}
