//! Scans all scopes once per interval.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, join_all};
use pipeline::component::UnixNanos;
use tokio::sync::Semaphore;
use tracing::{info, warn};

use super::accounts::Accounts;
use super::leases::Leases;
use super::scope::ScanScope;
use super::shared::ScanOutcome;
use crate::aws::api::{FailureLog, ScanFailure};
use crate::aws::config::Config;
use crate::aws::emit::{ConfiguredAccounts, Inventory, RowSink, ScanProgress};
use crate::aws::kinds;
use crate::aws::listing::ScanPhase;

/// Scans the accounts of one receiver.
pub(in crate::aws) struct Scanner {
    pub(in crate::aws) source: String,
    pub(in crate::aws) config: Config,
    pub(in crate::aws) accounts: Accounts,
    pub(in crate::aws) inventory: Inventory,
    pub(in crate::aws) failures: FailureLog,
    pub(in crate::aws) leases: Leases,
}

/// The result of a scan of all scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanSummary {
    /// The number of resources in the scanned scopes.
    pub resources: usize,
    /// The number of scopes that were scanned completely.
    pub complete: usize,
    /// The number of scopes and accounts that could not be scanned.
    pub failed: usize,
    /// The number of scopes that were skipped: this process could not acquire the lease, or lost it during the scan.
    pub skipped: usize,
}

impl ScanSummary {
    fn add_all(&mut self, others: impl IntoIterator<Item = ScanSummary>) {
        for other in others {
            self.resources += other.resources;
            self.complete += other.complete;
            self.failed += other.failed;
            self.skipped += other.skipped;
        }
    }
}

impl Scanner {
    pub(in crate::aws) fn new(
        source: &str,
        config: Config,
        accounts: Accounts,
        inventory: Inventory,
        failures: FailureLog,
        leases: Leases,
    ) -> Arc<Scanner> {
        Arc::new(Scanner {
            source: source.to_owned(),
            config,
            accounts,
            inventory,
            failures,
            leases,
        })
    }

    /// Scans all scopes once per interval, and never returns.
    pub(in crate::aws) async fn run(&self, sink: &dyn RowSink) -> std::convert::Infallible {
        loop {
            let began = Instant::now();
            let ScanSummary {
                resources,
                complete,
                failed,
                skipped,
            } = self.scan(sink).await;
            let (receiver, took) = (&self.source, began.elapsed());
            info!(
                receiver,
                resources,
                scopes = complete,
                failed,
                skipped,
                ?took,
                "scanned"
            );
            let mut left = self.config.interval.saturating_sub(took);
            if skipped > 0 {
                // Jitter: two processes that always begin together would each skip some scopes in every scan.
                left += self.config.interval.mul_f64(rand::random::<f64>() / 10.0);
            }
            tokio::time::sleep(left.max(Duration::from_millis(100))).await;
        }
    }

    /// Scans every scope once.
    pub(in crate::aws) async fn scan(&self, sink: &dyn RowSink) -> ScanSummary {
        let mut summary = ScanSummary::default();
        let (regions, failures) = self.plan().await;
        for failure in &failures {
            summary.failed += 1;
            self.report_failure(failure, sink);
        }
        self.release_unscanned(sink).await;
        let planned = regions.iter().map(Vec::len).sum();
        sink.report_progress(ScanProgress::Planned(planned));
        let permits = Semaphore::new(self.config.concurrency.get());
        let of_phase = |scopes: Vec<ScanScope>, phase| -> (Vec<ScanScope>, Vec<ScanScope>) {
            scopes
                .into_iter()
                .partition(|scope| scope.names.kind.phase() == phase)
        };
        let mut last = Vec::new();
        let mut scans: Vec<BoxFuture<'_, ScanSummary>> = Vec::new();
        for scopes in regions {
            let (first, scopes) = of_phase(scopes, ScanPhase::First);
            let (last_here, others) = of_phase(scopes, ScanPhase::Last);
            last.extend(last_here);
            scans.push(Box::pin(self.scan_region(first, others, &permits, sink)));
        }
        summary.add_all(join_all(scans).await);
        summary.add_all(self.scan_all(last, &permits, sink).await);
        self.failures.finish_scan();
        summary
    }

    /// Scans one account and region: the kinds of [`ScanPhase::First`] one after the other, then the other kinds
    /// concurrently.
    async fn scan_region(
        &self,
        first: Vec<ScanScope>,
        others: Vec<ScanScope>,
        permits: &Semaphore,
        sink: &dyn RowSink,
    ) -> ScanSummary {
        let mut summary = ScanSummary::default();
        for scope in first {
            summary.add_all([self.scan_scope(scope, permits, sink).await]);
        }
        summary.add_all(self.scan_all(others, permits, sink).await);
        summary
    }

    async fn scan_all(
        &self,
        scopes: Vec<ScanScope>,
        permits: &Semaphore,
        sink: &dyn RowSink,
    ) -> Vec<ScanSummary> {
        let scan = |scope| -> BoxFuture<'_, ScanSummary> {
            Box::pin(self.scan_scope(scope, permits, sink))
        };
        join_all(scopes.into_iter().map(scan)).await
    }

    async fn scan_scope(
        &self,
        scope: ScanScope,
        permits: &Semaphore,
        sink: &dyn RowSink,
    ) -> ScanSummary {
        let _permit = permits
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let mut summary = ScanSummary::default();
        // Boxed: most scopes wait for a permit, and a waiting scope must not take the memory of a running scan.
        let scanned = Box::pin(scope.scan(&self.source, &self.config.tags, sink, &self.failures));
        let scanned = self.leases.hold(&scope.writer.scope, scanned).await;
        let views = scope.shared.finish_scan(match &scanned {
            Some(Ok(_)) => ScanOutcome::Succeeded,
            Some(Err(_)) => ScanOutcome::Failed,
            None => ScanOutcome::Skipped,
        });
        match scanned {
            None => summary.skipped += 1,
            Some(Ok(resources)) => {
                summary.resources += resources;
                summary.complete += 1;
            }
            Some(Err(failure)) => {
                summary.failed += 1;
                self.report_failure(&failure, sink);
            }
        }
        let Some(views) = views else { return summary };
        let reported = scope.shared.report(views, &self.source, sink, &self.leases);
        match reported.await {
            Ok(resources) => summary.resources += resources,
            Err(failure) => self.report_failure(&failure, sink),
        }
        summary
    }

    /// Releases the scopes of kinds and regions that are scanned in no account.
    async fn release_unscanned(&self, sink: &dyn RowSink) {
        let configured = self.accounts.configured();
        if !configured.is_complete {
            return;
        }
        let scopes = &self.inventory.scopes;
        let outside = scopes.outside(|region_kind| self.is_scanned(region_kind, &configured));
        let now = UnixNanos::now();
        let released = self
            .inventory
            .release(outside, &self.source, now, sink, &self.leases);
        if let Err(reason) = released.await {
            let receiver = &self.source;
            warn!(
                receiver,
                reason, "cannot release scopes that are no longer scanned"
            );
        }
    }

    /// Whether a `region/kind` is scanned in any account.
    fn is_scanned(&self, region_kind: &str, configured: &ConfiguredAccounts) -> bool {
        let Some((region, kind)) = region_kind.split_once('/') else {
            return false;
        };
        let kind_exists = kinds::ALL.iter().any(|it| it.name() == kind);
        kind_exists && self.config.kinds.includes(kind) && configured.has_region(region)
    }

    fn report_failure(&self, failure: &ScanFailure, sink: &dyn RowSink) {
        if self.failures.record(failure) {
            sink.report_progress(ScanProgress::Failed(failure));
        }
    }
}
