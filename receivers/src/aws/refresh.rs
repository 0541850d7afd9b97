//! One thing is looked at again when it is asked for.

use std::collections::BTreeSet;

use arrow_array::Array;
use async_trait::async_trait;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::iter;
use pipeline::resource::Resource;
use pipeline::rows::Rows;
use pipeline::{Batch, Signal, uid};
use tracing::debug;

use super::failure::Failure;
use super::found::{Found, Item, Pages};
use super::kind::{Only, of_uid};
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
        let scan = scope.begin(&self.source, "refresh");
        let mut found = Found {
            kind: scope.kind,
            at: &scope.at,
            filter: &scope.filter,
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
        let mut rows = Rows::new(Signal::Resources);
        let told = match &looking.found {
            Some(resource) => {
                let state = resource.state();
                let change = scope.base.novelty(hash, state, &scope.name).change();
                scan.observed(&mut rows, resource, state, change);
                Some(scope.told(resource, state, scan.began))
            }
            None if scope.base.knows(hash) => {
                scan.deleted(&mut rows, uid, scope.kind.name());
                None
            }
            None => return false,
        };
        match (sink.take(rows).await, told) {
            (Ok(()), Some(told)) => scope.base.remember([told]),
            (Ok(()), None) => scope.base.forget_at(uid, scan.began),
            (Err(reason), _) => {
                self.report.failed(&scope.undelivered(reason));
            }
        }
        true
    }

    /// The scopes that a uid may be in, the one that has told of it first; none where it is of nothing
    /// that is scanned here.
    async fn scopes_of(&self, uid: &str) -> Vec<Scope> {
        let Some((kind, account, region)) = of_uid(kinds::ALL, uid) else {
            return Vec::new();
        };
        if !self.config.kinds.take(kind.name()) {
            return Vec::new();
        }
        let mut scopes = Vec::new();
        for known in &self.accounts.all {
            let id = match known.id().await {
                Ok(id) => id,
                Err(failure) => {
                    self.report.failed(&failure);
                    continue;
                }
            };
            let is_here = kind.is_global() || known.scans(region);
            if is_here && (account.is_empty() || account == id) {
                let region = (!kind.is_global()).then_some(region);
                scopes.push(self.scope(kind, known, id, region, &self.filter(id)));
            }
        }
        scopes.sort_by_key(|scope| !scope.base.knows(uid::hash(uid)));
        scopes
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
