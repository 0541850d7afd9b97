//! Scans of everything, again and again.

use std::collections::HashSet;
use std::ops::AddAssign;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, join_all};
use tokio::sync::Semaphore;
use tracing::info;

use super::accounts::{Account, Accounts};
use super::config::Config;
use super::failure::Failure;
use super::kind::Kind;
use super::known::Known;
use super::report::Report;
use super::scope::Scope;
use super::sink::{Progress, Sink};

pub(super) struct Scanner {
    pub(super) source: String,
    pub(super) config: Config,
    pub(super) accounts: Accounts,
    pub(super) known: Known,
    pub(super) report: Report,
    /// `account/region` of all that is scanned.
    pub(super) scanned: Mutex<Arc<HashSet<String>>>,
}

/// What a scan of everything came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub resources: usize,
    pub complete: usize,
    pub failed: usize,
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Summary) {
        self.resources += other.resources;
        self.complete += other.complete;
        self.failed += other.failed;
    }
}

impl Scanner {
    pub(super) async fn run(&self, sink: &dyn Sink) -> std::convert::Infallible {
        loop {
            let began = Instant::now();
            let Summary {
                resources,
                complete,
                failed,
            } = self.scan(sink).await;
            let (receiver, took) = (&self.source, began.elapsed());
            info!(
                receiver,
                resources,
                scopes = complete,
                failed,
                ?took,
                "scanned"
            );
            let left = self.config.interval.saturating_sub(took);
            tokio::time::sleep(left.max(Duration::from_millis(100))).await;
        }
    }

    /// Scans every scope once.
    pub(super) async fn scan(&self, sink: &dyn Sink) -> Summary {
        let mut summary = Summary::default();
        let (places, failures) = self.plan().await;
        for failure in &failures {
            summary.failed += 1;
            self.failed(failure, sink);
        }
        sink.tell(Progress::Planned(places.iter().map(Vec::len).sum()));
        let permits = Semaphore::new(self.config.concurrency.get());
        let scan = |scopes| -> BoxFuture<'_, Summary> {
            Box::pin(self.scan_place(scopes, &permits, sink))
        };
        for scanned in join_all(places.into_iter().map(scan)).await {
            summary += scanned;
        }
        self.report.turn();
        summary
    }

    /// Scans what is in one account and region: what others lie in first, one kind after the other, then
    /// all else at once.
    async fn scan_place(
        &self,
        scopes: Vec<Scope>,
        permits: &Semaphore,
        sink: &dyn Sink,
    ) -> Summary {
        let mut summary = Summary::default();
        let (first, others) = scopes
            .into_iter()
            .partition::<Vec<_>, _>(Scope::comes_first);
        for scope in first {
            summary += self.scan_scope(scope, permits, sink).await;
        }
        let scan =
            |scope| -> BoxFuture<'_, Summary> { Box::pin(self.scan_scope(scope, permits, sink)) };
        for scanned in join_all(others.into_iter().map(scan)).await {
            summary += scanned;
        }
        summary
    }

    async fn scan_scope(&self, scope: Scope, permits: &Semaphore, sink: &dyn Sink) -> Summary {
        let _permit = permits.acquire().await.expect("it is never closed");
        // Boxed: most scopes wait, and take no more than that needs.
        let scanned = scope.scan(&self.source, &self.config.tags, sink, &self.report);
        match Box::pin(scanned).await {
            Ok(resources) => Summary {
                resources,
                complete: 1,
                failed: 0,
            },
            Err(failure) => {
                self.failed(&failure, sink);
                Summary {
                    failed: 1,
                    ..Summary::default()
                }
            }
        }
    }

    fn failed(&self, failure: &Failure, sink: &dyn Sink) {
        if self.report.failed(failure) {
            sink.tell(Progress::Failed(failure));
        }
    }

    pub(super) fn scope(
        &self,
        kind: &'static dyn Kind,
        account: &Account,
        id: &str,
        region: Option<&str>,
        scanned: &Arc<HashSet<String>>,
    ) -> Scope {
        let place = match region {
            Some(region) => account.place(id, region),
            None => account.home(id),
        };
        Scope::new(kind, place, &self.config.tags, &self.known, scanned)
    }
}

impl Scanner {
    pub(super) fn new(
        source: &str,
        config: Config,
        accounts: Accounts,
        known: Known,
        report: Report,
    ) -> Arc<Scanner> {
        Arc::new(Scanner {
            source: source.to_owned(),
            config,
            accounts,
            known,
            report,
            scanned: Mutex::default(),
        })
    }
}
