//! Scans of everything, again and again.

use std::collections::HashSet;
use std::ops::AddAssign;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::{BoxFuture, join_all};
use futures::stream::iter;
use tokio::sync::Semaphore;
use tracing::{info, warn};

use super::accounts::{Account, Accounts};
use super::config::Config;
use super::failure::Failure;
use super::filter::Filter;
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
    /// The scopes of each region, and those of none.
    places: Vec<Vec<Scope>>,
    failure: Option<Failure>,
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
        let accounts = &self.accounts.all;
        // All ids first: they say whose is what accounts share.
        let ids = join_all(accounts.iter().map(Account::id)).await;
        let mut summary = Summary::default();
        let mut places = Vec::new();
        let plan = |(account, id)| -> BoxFuture<'_, Planned> { Box::pin(self.plan(account, id)) };
        let plans: Vec<_> = accounts.iter().zip(ids).map(plan).collect();
        let mut planned_ids = HashSet::new();
        for planned in join_all(plans).await {
            if let Some(failure) = planned.failure {
                summary.failed += 1;
                self.failed(&failure, sink);
            }
            let account = planned.account;
            if account.is_empty() || planned_ids.insert(account.clone()) {
                places.extend(planned.places);
            } else {
                let receiver = &self.source;
                warn!(
                    receiver,
                    account, "two of `accounts` are this one: it is scanned once"
                );
            }
        }
        sink.tell(Progress::Planned(places.iter().map(Vec::len).sum()));
        let at_once = self.config.concurrency.get();
        let permits = Semaphore::new(at_once);
        let scan = |scopes| -> BoxFuture<'_, Summary> {
            Box::pin(self.scan_place(scopes, &permits, sink))
        };
        let scans: Vec<_> = places.into_iter().map(scan).collect();
        let mut scans = iter(scans).buffer_unordered(at_once);
        while let Some(scanned) = scans.next().await {
            summary += scanned;
        }
        drop(scans);
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
        let scans = others.into_iter().map(scan);
        join_all(scans)
            .await
            .into_iter()
            .for_each(|scanned| summary += scanned);
        summary
    }

    async fn scan_scope(&self, scope: Scope, permits: &Semaphore, sink: &dyn Sink) -> Summary {
        let _permit = permits.acquire().await;
        match scope.scan(&self.source, sink, &self.report).await {
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

    /// Every kind in every region of an account, those of no region also where the regions cannot be
    /// asked for.
    async fn plan(&self, account: &Account, id: Result<&str, Failure>) -> Planned {
        let mut planned = Planned::default();
        let id = match id {
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
        let filter = self.filter(id);
        let (global, regional): (Vec<_>, Vec<_>) = kinds::ALL
            .iter()
            .filter(|kind| self.config.kinds.take(kind.name()))
            .partition(|kind| kind.is_global());
        let scopes = |kinds: &[&&'static dyn Kind], region: Option<&str>| {
            let scopes = kinds.iter();
            let scopes = scopes.map(|kind| self.scope(**kind, account, id, region, &filter));
            scopes.collect()
        };
        planned.places.push(scopes(&global, None));
        let of_region = |region: &String| scopes(&regional, Some(region));
        planned.places.extend(regions.iter().map(of_region));
        account.scanned(regions);
        planned
    }

    /// What is taken of the lists of an account.
    pub(super) fn filter(&self, id: &str) -> Arc<Filter> {
        Arc::new(Filter {
            tags: self.config.tags.clone(),
            others: self.accounts.others_than(id),
        })
    }

    pub(super) fn scope(
        &self,
        kind: &'static dyn Kind,
        account: &Account,
        id: &str,
        region: Option<&str>,
        filter: &Arc<Filter>,
    ) -> Scope {
        let place = match region {
            Some(region) => account.place(id, region),
            None => account.home(id),
        };
        Scope::new(kind, place, filter.clone(), &self.known)
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
