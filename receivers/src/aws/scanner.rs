//! Scans of everything, again and again.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::{BoxFuture, join_all};
use futures::stream::iter;
use tracing::{info, warn};

use super::accounts::{Account, Accounts};
use super::config::Config;
use super::failure::Failure;
use super::kind::Kind;
use super::kinds;
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
}

/// What a scan of everything came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub resources: usize,
    pub complete: usize,
    pub failed: usize,
}

/// What is to be scanned of an account.
#[derive(Default)]
struct Planned {
    /// Empty where its id could not be asked for.
    account: String,
    scopes: Vec<Scope>,
    failure: Option<Failure>,
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
        let failed = |failure: &Failure| {
            if self.report.failed(failure) {
                sink.tell(Progress::Failed(failure));
            }
        };
        let mut summary = Summary::default();
        let mut scopes = Vec::new();
        let plan = |account| -> BoxFuture<'_, Planned> { Box::pin(self.scopes(account)) };
        let plans: Vec<_> = self.accounts.all.iter().map(plan).collect();
        let mut ids = HashSet::new();
        for Planned {
            account,
            scopes: of_account,
            failure,
        } in join_all(plans).await
        {
            if let Some(failure) = failure {
                summary.failed += 1;
                failed(&failure);
            }
            if account.is_empty() || ids.insert(account.clone()) {
                scopes.extend(of_account);
            } else {
                let receiver = &self.source;
                warn!(
                    receiver,
                    account, "two of `accounts` are this one: it is scanned once"
                );
            }
        }
        sink.tell(Progress::Planned(scopes.len()));
        let scan = |scope: Scope| -> BoxFuture<'_, Result<usize, Failure>> {
            Box::pin(async move {
                let scanned = scope.scan(&self.source, &self.config.tags, sink, &self.report);
                scanned.await
            })
        };
        let scans: Vec<_> = scopes.into_iter().map(scan).collect();
        let mut scans = iter(scans).buffer_unordered(self.config.concurrency.get());
        while let Some(scanned) = scans.next().await {
            match scanned {
                Ok(resources) => {
                    summary.complete += 1;
                    summary.resources += resources;
                }
                Err(failure) => {
                    summary.failed += 1;
                    failed(&failure);
                }
            }
        }
        self.report.turn();
        summary
    }

    /// Every kind in every region of an account, those of no region also where the regions cannot be
    /// asked for.
    async fn scopes(&self, account: &Account) -> Planned {
        let mut planned = Planned::default();
        let id = match account.id().await {
            Ok(id) => id,
            Err(failure) => {
                planned.failure = Some(failure);
                return planned;
            }
        };
        id.clone_into(&mut planned.account);
        let regions = self.accounts.regions(account, id).await;
        let regions = regions.unwrap_or_else(|failure| {
            planned.failure = Some(failure);
            Vec::new()
        });
        for kind in kinds::ALL
            .iter()
            .filter(|kind| self.config.kinds.take(kind.name()))
        {
            if kind.is_global() {
                planned.scopes.push(self.scope(*kind, account, id, None));
                continue;
            }
            for region in &regions {
                planned
                    .scopes
                    .push(self.scope(*kind, account, id, Some(region)));
            }
        }
        account.scanned(regions);
        planned
    }

    pub(super) fn scope(
        &self,
        kind: &'static dyn Kind,
        account: &Account,
        id: &str,
        region: Option<&str>,
    ) -> Scope {
        let place = match region {
            Some(region) => account.place(id, region),
            None => account.home(id),
        };
        Scope::new(kind, place, &self.config.tags, &self.known)
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
        })
    }
}
