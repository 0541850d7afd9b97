//! Scans of everything, again and again, and of one thing when it is asked for.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::Array;
use async_trait::async_trait;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::iter;
use pipeline::Batch;
use pipeline::Signal;
use pipeline::resource::Resource;
use pipeline::rows::Rows;
use pipeline::schema::resources::change;
use pipeline::uid;
use tracing::{debug, info};

use super::accounts::{Account, Accounts};
use super::config::Config;
use super::failure::Failure;
use super::found::{Found, Item, Pages};
use super::kind::{Kind, Only, of_uid};
use super::kinds;
use super::known::{Known, Novelty};
use super::report::Report;
use super::scope::Scope;
use super::sink::{Progress, Sink};

/// Uids that are looked at again at once.
const REFRESHING: usize = 4;

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
        for account in &self.accounts.all {
            match self.scopes(account).await {
                Ok(of_account) => scopes.extend(of_account),
                Err(failure) => {
                    summary.failed += 1;
                    failed(&failure);
                }
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

    /// Every kind in every region of an account.
    async fn scopes(&self, account: &Account) -> Result<Vec<Scope>, Failure> {
        let id = account.id().await?;
        let regions = self.accounts.regions(account, id).await?;
        let kinds = kinds::ALL
            .iter()
            .filter(|kind| self.config.kinds.take(kind.name()));
        let mut scopes = Vec::new();
        for kind in kinds {
            if kind.is_global() {
                scopes.push(self.scope(*kind, account, id, None));
                continue;
            }
            let regional = regions
                .iter()
                .map(|region| self.scope(*kind, account, id, Some(region)));
            scopes.extend(regional);
        }
        Ok(scopes)
    }

    fn scope(
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

    /// Looks at what is asked for again, and tells what it sees.
    pub(super) async fn refresh(&self, requests: &Batch, sink: &dyn Sink) {
        let uids = requests.uid();
        let asked: BTreeSet<&str> = (0..uids.len())
            .filter(|row| uids.is_valid(*row))
            .map(|row| uids.value(row))
            .collect();
        let look = |uid| -> BoxFuture<'_, ()> { Box::pin(self.look_at(uid, sink)) };
        let looks: Vec<_> = asked.into_iter().map(look).collect();
        let mut looks = iter(looks).buffer_unordered(REFRESHING);
        while looks.next().await.is_some() {}
    }

    async fn look_at(&self, uid: &str, sink: &dyn Sink) {
        let Some(scope) = self.scope_of(uid).await else {
            debug!(
                receiver = self.source,
                uid, "it is of no scope of this receiver"
            );
            return;
        };
        let mut looking = Looking {
            uid,
            found: None,
            failed: false,
        };
        let scan = scope.begin(&self.source, "refresh");
        let mut found = Found {
            kind: scope.kind,
            at: &scope.at,
            tags: &self.config.tags,
            pages: &mut looking,
        };
        let listed = scope
            .kind
            .list(&scope.at, Only(Some(uid)), &mut found)
            .await;
        if let Err(failure) = listed
            && !failure.is_not_found()
        {
            self.report.failed(&failure);
            return;
        }
        let hash = uid::hash(uid);
        let mut rows = Rows::new(Signal::Resources);
        let told = match &looking.found {
            // What could not be asked for whole stays as it was told.
            _ if looking.failed => return,
            Some(resource) => {
                let state = resource.state();
                let change = match scope.base.novelty(hash, state, &scope.name) {
                    Novelty::Created => Some(change::CREATED),
                    Novelty::Updated => Some(change::UPDATED),
                    Novelty::Moved | Novelty::Nothing => None,
                };
                scan.observed(&mut rows, resource, state, change);
                Some(scope.told(resource, state, scan.began))
            }
            None if scope.base.knows(hash) => {
                scan.deleted(&mut rows, uid, scope.kind.name());
                None
            }
            None => return,
        };
        match (sink.take(rows).await, told) {
            (Ok(()), Some(told)) => scope.base.remember([told]),
            (Ok(()), None) => scope.base.forget(uid),
            (Err(reason), _) => {
                self.report.failed(&scope.undelivered(reason));
            }
        }
    }

    /// The scope that a uid belongs to; none of what is not scanned here.
    async fn scope_of(&self, uid: &str) -> Option<Scope> {
        let (kind, account, region) = of_uid(kinds::ALL, uid)?;
        if !self.config.kinds.take(kind.name()) {
            return None;
        }
        let mut scopes = Vec::new();
        for known in &self.accounts.all {
            let Ok(id) = known.id().await else { continue };
            if !account.is_empty() && account != id {
                continue;
            }
            let region = (!kind.is_global()).then_some(region);
            scopes.push(self.scope(kind, known, id, region));
        }
        // An ARN without an account (a bucket's): whoever has told of it.
        let told = scopes
            .iter()
            .position(|scope| scope.base.knows(uid::hash(uid)));
        (!scopes.is_empty()).then(|| scopes.swap_remove(told.unwrap_or(0)))
    }
}

/// Looks for one uid in what a list call finds.
struct Looking<'a> {
    uid: &'a str,
    found: Option<Resource>,
    failed: bool,
}

#[async_trait]
impl Pages for Looking<'_> {
    async fn page(&mut self, items: Vec<Item>) -> Result<(), Failure> {
        let own = items.into_iter().find(|item| item.resource.uid == self.uid);
        if let Some(item) = own {
            self.failed |= !item.is_whole;
            self.found = Some(item.resource);
        }
        Ok(())
    }

    fn failed(&mut self, _: &Failure) {
        self.failed = true;
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
