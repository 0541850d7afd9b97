//! One scan, for who wants to look and go.

use async_trait::async_trait;
use pipeline::component::StartError;
use pipeline::counters::Counter;
use pipeline::rows::Rows;
use pipeline::{Batch, Delivery};

use super::accounts::{Accounts, environment};
use super::config::Config;
use super::known::Known;
use super::leases::Leases;
use super::report::Report;
use super::scanner::{Scanner, Summary};
use super::sink::{Progress, Sink};

/// Who follows one scan.
pub trait Follow: Send + Sync {
    /// Rows of `resources`; those of a scope are followed by its completion.
    fn take(&self, batch: Batch);

    fn tell(&self, progress: Progress<'_>);
}

struct Followed<F>(F);

#[async_trait]
impl<F: Follow> Sink for Followed<F> {
    async fn take(&self, mut rows: Rows) -> Result<(), String> {
        self.0.take(rows.finish(Delivery::nobody()));
        Ok(())
    }

    fn tell(&self, progress: Progress<'_>) {
        self.0.tell(progress);
    }
}

/// Scans everything that the configuration names once.
///
/// # Errors
/// When it cannot begin: no region is known.
pub async fn scan_once(config: Config, follow: impl Follow) -> Result<Summary, StartError> {
    let known = Known::default();
    let accounts = Accounts::of(&environment(&config).await, &config, &known.owners).await?;
    let report = Report::new("scan", Counter::default());
    let scanner = Scanner::new("scan", config, accounts, known, report, Leases::default());
    Ok(scanner.scan(&Followed(follow)).await)
}
