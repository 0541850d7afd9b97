//! One thing is looked at again when it is asked for.

use std::collections::BTreeSet;

use arrow_array::Array;
use async_trait::async_trait;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::iter;
use pipeline::component::UnixNanos;
use pipeline::resource::Resource;
use pipeline::rows::Rows;
use pipeline::{Batch, Signal, uid};
use tracing::debug;

use super::failure::Failure;
use super::found::{Found, Item, Pages};
use super::kind::{Only, account_of, of_uid};
use super::kinds;
use super::report::Report;
use super::scanner::Scanner;
use super::scope::Scope;
use super::sink::Sink;

/// Uids that are looked at at once.
const AT_ONCE: usize = 4;

impl Scanner {
    /// Looks at what is asked for, and tells what it sees, also where nothing is new.
    pub(super) async fn refresh(&self, requests: &Batch, sink: &dyn Sink) {
        let uids = requests.uid();
        let asked: BTreeSet<&str> = (0..uids.len())
            .filter(|row| uids.is_valid(*row))
            .map(|row| uids.value(row))
            .collect();
        let look = |uid| -> BoxFuture<'_, ()> { Box::pin(self.look_for(uid, sink)) };
        let looks: Vec<_> = asked.into_iter().map(look).collect();
        let mut looks = iter(looks).buffer_unordered(AT_ONCE);
        while looks.next().await.is_some() {}
    }

    /// In each scope that it may be in, until it is found.
    async fn look_for(&self, uid: &str, sink: &dyn Sink) {
        let scopes = self.scopes_of(uid).await;
        if scopes.is_empty() {
            let receiver = &self.source;
            debug!(receiver, uid, "it is of no scope of this receiver");
        }
        for scope in scopes {
            if self.look_at(uid, &scope, sink).await {
                return;
            }
        }
    }

    /// Whether it is settled what became of it.
    async fn look_at(&self, uid: &str, scope: &Scope, sink: &dyn Sink) -> bool {
        let mut looking = Looking {
            uid,
            report: &self.report,
            found: None,
            failed: false,
        };
        let began = UnixNanos::now();
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
            return true;
        }
        // What could not be asked for whole stays as it was told.
        if looking.failed {
            return true;
        }
        let hash = uid::hash(uid);
        let part = scope.part(account_of(uid).unwrap_or(&scope.at.account));
        let scan = part.begin(&self.source, "refresh", began);
        let mut rows = Rows::new(Signal::Resources);
        let told = match &looking.found {
            Some(resource) => {
                let state = resource.state();
                let change = part.base.novelty(hash, state, &part.name).change();
                scan.observed(&mut rows, resource, state, change);
                Some(part.told(resource, state, began))
            }
            None if part.base.knows(hash) => {
                scan.deleted(&mut rows, uid, scope.kind.name());
                None
            }
            None => return false,
        };
        match (sink.take(rows).await, told) {
            (Ok(()), Some(told)) => part.base.remember([told]),
            (Ok(()), None) => part.base.forget_at(uid, began),
            (Err(reason), _) => {
                self.report.failed(&scope.undelivered(reason));
            }
        }
        true
    }

    /// The scopes that a uid may be in, the one that has told of it first; none where it is of nothing
    /// that is scanned here.
    async fn scopes_of(&self, uid: &str) -> Vec<Scope> {
        let Some((kind, owner, region)) = of_uid(kinds::ALL, uid) else {
            return Vec::new();
        };
        if !self.config.kinds.take(kind.name()) {
            return Vec::new();
        }
        let hash = uid::hash(uid);
        let scanned = self.scanned();
        let mut scopes = Vec::new();
        for account in &self.accounts.all {
            let id = match account.id().await {
                Ok(id) => id,
                Err(failure) => {
                    self.report.failed(&failure);
                    continue;
                }
            };
            if !kind.is_global() && !account.scans(region) {
                continue;
            }
            let region = (!kind.is_global()).then_some(region);
            let scope = self.scope(kind, account, id, region, &scanned);
            let part = scope.part(if owner.is_empty() { id } else { owner });
            let is_teller = part.base.teller(hash).is_some_and(|teller| teller == id);
            if owner.is_empty() || owner == id || is_teller {
                scopes.push((!is_teller, scope));
            }
        }
        scopes.sort_by_key(|(is_other, _)| *is_other);
        scopes.into_iter().map(|(_, scope)| scope).collect()
    }
}

/// Looks for one uid in what a list call finds.
struct Looking<'a> {
    uid: &'a str,
    report: &'a Report,
    found: Option<Resource>,
    failed: bool,
}

#[async_trait]
impl Pages for Looking<'_> {
    async fn page(&mut self, items: Vec<Item>) -> Result<(), Failure> {
        let own = items.into_iter().find(|item| item.resource.uid == self.uid);
        if let Some(item) = own {
            self.failed |= !item.is_whole;
            self.found = item.is_taken.then_some(item.resource);
        }
        Ok(())
    }

    fn failed(&mut self, failure: &Failure) {
        self.report.failed(failure);
    }
}
