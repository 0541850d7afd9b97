//! A single scan without a pipeline, for `airdig scan`.

use async_trait::async_trait;
use pipeline::component::StartError;
use pipeline::counters::Counter;
use pipeline::rows::Rows;
use pipeline::{Batch, Delivery};

use crate::aws::api::FailureLog;
use crate::aws::config::Config;
use crate::aws::emit::{Inventory, RowSink, ScanProgress};
use crate::aws::scan::{Accounts, Leases, ScanSummary, Scanner, environment};

/// Receives the rows and the progress of one scan.
pub trait ScanObserver: Send + Sync {
    /// Receives rows of `resources`. The completion of a scope comes after the rows of its resources.
    fn on_batch(&self, batch: Batch);

    /// Receives a step of the scan.
    fn on_progress(&self, progress: ScanProgress<'_>);
}

struct ObserverSink<O>(O);

#[async_trait]
impl<O: ScanObserver> RowSink for ObserverSink<O> {
    async fn deliver(&self, mut rows: Rows) -> Result<(), String> {
        self.0.on_batch(rows.finish(Delivery::untracked()));
        Ok(())
    }

    fn report_progress(&self, progress: ScanProgress<'_>) {
        self.0.on_progress(progress);
    }
}

/// Scans all configured accounts, regions and kinds once.
///
/// # Errors
/// If neither the configuration nor the environment names a region.
pub async fn scan_once(
    config: Config,
    observer: impl ScanObserver,
) -> Result<ScanSummary, StartError> {
    let inventory = Inventory::default();
    let sdk = environment(&config).await;
    let accounts = Accounts::new(&sdk, &config, &inventory.owners).await?;
    let failures = FailureLog::new("scan", Counter::default());
    let leases = Leases::default();
    let scanner = Scanner::new("scan", config, accounts, inventory, failures, leases);
    Ok(scanner.scan(&ObserverSink(observer)).await)
}
