//! Scans of everything, again and again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, join_all};
use tokio::sync::Semaphore;
use tracing::info;

use super::accounts::Accounts;
use super::config::Config;
use super::failure::Failure;
use super::kind::Turn;
use super::known::Known;
use super::leases::Leases;
use super::report::Report;
use super::scope::Scope;
use super::shared::Ended;
use super::sink::{Progress, Sink};

pub(super) struct Scanner {
    pub(super) source: String,
    pub(super) config: Config,
    pub(super) accounts: Accounts,
    pub(super) known: Known,
    pub(super) report: Report,
    pub(super) leases: Leases,
}

/// What a scan of everything came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub resources: usize,
    pub complete: usize,
    pub failed: usize,
    /// Scopes that another process scans.
    pub left_out: usize,
}

impl Summary {
    fn add_all(&mut self, others: impl IntoIterator<Item = Summary>) {
        for other in others {
            self.resources += other.resources;
            self.complete += other.complete;
            self.failed += other.failed;
            self.left_out += other.left_out;
        }
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
                left_out,
            } = self.scan(sink).await;
            let (receiver, took) = (&self.source, began.elapsed());
            info!(
                receiver,
                resources,
                scopes = complete,
                failed,
                left_out,
                ?took,
                "scanned"
            );
            let mut left = self.config.interval.saturating_sub(took);
            if left_out > 0 {
                // Two processes that begin together would always have a part of all scopes each.
                left += self.config.interval.mul_f64(rand::random::<f64>() / 10.0);
            }
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
        self.release_unscanned(sink).await;
        sink.tell(Progress::Planned(places.iter().map(Vec::len).sum()));
        let permits = Semaphore::new(self.config.concurrency.get());
        let of_turn = |scopes: Vec<Scope>, turn| -> (Vec<Scope>, Vec<Scope>) {
            scopes
                .into_iter()
                .partition(|scope| scope.names.kind.turn() == turn)
        };
        let mut last = Vec::new();
        let mut scans: Vec<BoxFuture<'_, Summary>> = Vec::new();
        for scopes in places {
            let (first, scopes) = of_turn(scopes, Turn::First);
            let (of_place, others) = of_turn(scopes, Turn::Last);
            last.extend(of_place);
            scans.push(Box::pin(self.scan_place(first, others, &permits, sink)));
        }
        summary.add_all(join_all(scans).await);
        summary.add_all(self.scan_all(last, &permits, sink).await);
        self.report.turn();
        summary
    }

    /// Scans what is in one account and region: what others lie in first, one kind after the other, then
    /// all else at once.
    async fn scan_place(
        &self,
        first: Vec<Scope>,
        others: Vec<Scope>,
        permits: &Semaphore,
        sink: &dyn Sink,
    ) -> Summary {
        let mut summary = Summary::default();
        for scope in first {
            summary.add_all([self.scan_scope(scope, permits, sink).await]);
        }
        summary.add_all(self.scan_all(others, permits, sink).await);
        summary
    }

    async fn scan_all(
        &self,
        scopes: Vec<Scope>,
        permits: &Semaphore,
        sink: &dyn Sink,
    ) -> Vec<Summary> {
        let scan =
            |scope| -> BoxFuture<'_, Summary> { Box::pin(self.scan_scope(scope, permits, sink)) };
        join_all(scopes.into_iter().map(scan)).await
    }

    async fn scan_scope(&self, scope: Scope, permits: &Semaphore, sink: &dyn Sink) -> Summary {
        let _permit = permits.acquire().await.expect("it is never closed");
        let mut summary = Summary::default();
        // Boxed: most scopes wait, and take no more than that needs.
        let scanned = Box::pin(scope.scan(&self.source, &self.config.tags, sink, &self.report));
        let scanned = self.leases.hold(&scope.own.scope, scanned).await;
        let seen = scope.shared.ended(match &scanned {
            Some(Ok(_)) => Ended::Well,
            Some(Err(_)) => Ended::Failed,
            None => Ended::LeftOut,
        });
        match scanned {
            None => summary.left_out += 1,
            Some(Ok(resources)) => {
                summary.resources += resources;
                summary.complete += 1;
            }
            Some(Err(failure)) => {
                summary.failed += 1;
                self.failed(&failure, sink);
            }
        }
        let Some(seen) = seen else { return summary };
        let told = scope.shared.tell(seen, &self.source, sink, &self.leases);
        match told.await {
            Ok(resources) => summary.resources += resources,
            Err(failure) => self.failed(&failure, sink),
        }
        summary
    }

    fn failed(&self, failure: &Failure, sink: &dyn Sink) {
        if self.report.failed(failure) {
            sink.tell(Progress::Failed(failure));
        }
    }
}

impl Scanner {
    pub(super) fn new(
        source: &str,
        config: Config,
        accounts: Accounts,
        known: Known,
        report: Report,
        leases: Leases,
    ) -> Arc<Scanner> {
        Arc::new(Scanner {
            source: source.to_owned(),
            config,
            accounts,
            known,
            report,
            leases,
        })
    }
}
