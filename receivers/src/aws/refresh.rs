//! One thing is looked at again when it is asked for.

use std::collections::BTreeSet;

use arrow_array::Array;
use async_trait::async_trait;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::iter;
use pipeline::component::UnixNanos;
use pipeline::rows::Rows;
use pipeline::{Batch, Signal, uid};
use tracing::debug;

use super::failure::Failure;
use super::found::{Found, Item, Pages};
use super::kind::{Kind, Only, of_uid};
use super::kinds;
use super::report::Report;
use super::scanner::Scanner;
use super::scope::Scope;
use super::shared::Seen;
use super::sink::Sink;
use super::telling::Telling;

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
        self.refresh_uids(asked, sink).await;
    }

    /// The same of these uids.
    pub(super) async fn refresh_uids<'u>(
        &self,
        asked: impl IntoIterator<Item = &'u str>,
        sink: &dyn Sink,
    ) {
        let look = |uid| -> BoxFuture<'_, ()> { Box::pin(self.look_for(uid, sink)) };
        let looks: Vec<_> = asked.into_iter().map(look).collect();
        let mut looks = iter(looks).buffer_unordered(AT_ONCE);
        while looks.next().await.is_some() {}
    }

    /// In each scope that it may be in, until it is found.
    async fn look_for(&self, uid: &str, sink: &dyn Sink) {
        let Some((kind, owner, region)) = of_uid(kinds::ALL, uid) else {
            return self.is_not_here(uid);
        };
        let (scopes, are_all) = self.scopes_in(kind, region).await;
        let hash = uid::hash(uid);
        let (mut own, others): (Vec<_>, Vec<_>) = scopes
            .into_iter()
            .partition(|scope| owner.is_empty() || owner == scope.at.account);
        own.sort_by_key(|scope| !scope.own.base.knows(hash));
        if own.is_empty() && others.is_empty() {
            return self.is_not_here(uid);
        }
        let began = UnixNanos::now();
        // Its owner has the last word; of several that it may be, the one that has told of it.
        for scope in &own {
            match self.look_at(uid, scope).await {
                Looked::Is(item) => return self.tell(&scope.own, *item, began, sink).await,
                Looked::IsNot => {
                    // Of another filter it is not known, and so it has not ended.
                    let is_of = |told: &str| scope.names.is_of(&scope.at.account, told);
                    if scope.own.base.is_told_in(is_of, hash) {
                        return self.tell_end(&scope.own, uid, began, sink).await;
                    }
                }
                Looked::IsPassedOver => {
                    return self.tell_release(&scope.own, uid, began, sink).await;
                }
                Looked::Unknown => return,
            }
        }
        let (true, true, Some(Scope { shared, .. })) = (own.is_empty(), are_all, others.first())
        else {
            return;
        };
        if shared.is_left_to(owner) {
            return;
        }
        let (mut seen, mut is_passed_over) = (Seen::default(), false);
        for scope in &others {
            match self.look_at(uid, scope).await {
                Looked::Is(item) => seen.see(&scope.at.account, *item),
                Looked::IsNot => {}
                Looked::IsPassedOver => is_passed_over = true,
                Looked::Unknown => return,
            }
        }
        let telling = shared.telling(owner);
        match seen.into_one() {
            Some(item) => self.tell(&telling, item, began, sink).await,
            None if is_passed_over => self.tell_release(&telling, uid, began, sink).await,
            None => {
                let is_of = |told: &str| told == telling.scope.as_ref();
                if telling.base.is_told_in(is_of, hash) {
                    self.tell_end(&telling, uid, began, sink).await;
                }
            }
        }
    }

    fn is_not_here(&self, uid: &str) {
        let receiver = &self.source;
        debug!(receiver, uid, "it is of no scope of this receiver");
    }

    async fn look_at(&self, uid: &str, scope: &Scope) -> Looked {
        let mut looking = Looking {
            uid,
            report: &self.report,
            found: None,
            is_passed_over: false,
            failed: false,
        };
        let mut found = Found {
            kind: scope.names.kind,
            at: &scope.at,
            tags: &self.config.tags,
            pages: &mut looking,
        };
        let kind = scope.names.kind;
        let listed = kind.list(&scope.at, Only(Some(uid)), &mut found).await;
        if let Err(failure) = listed
            && !failure.is_not_found()
        {
            self.report.failed(&failure);
            return Looked::Unknown;
        }
        match looking.found {
            // What could not be asked for whole stays as it was told.
            _ if looking.failed => Looked::Unknown,
            Some(item) => Looked::Is(Box::new(item)),
            None if looking.is_passed_over => Looked::IsPassedOver,
            None => Looked::IsNot,
        }
    }

    async fn tell(&self, telling: &Telling, item: Item, began: UnixNanos, sink: &dyn Sink) {
        let scan = telling.begin(&self.source, None, began);
        let mut rows = Rows::new(Signal::Resources);
        let state = item.resource.state();
        let hash = uid::hash(&item.resource.uid);
        let novelty = telling.base.novelty(hash, state, &telling.scope);
        let told = telling.tell(&item, state, novelty, &scan, &mut rows);
        if self.take(telling, rows, sink).await {
            telling.base.remember([told]);
        }
    }

    async fn tell_end(&self, telling: &Telling, uid: &str, began: UnixNanos, sink: &dyn Sink) {
        let scan = telling.begin(&self.source, None, began);
        let mut rows = Rows::new(Signal::Resources);
        telling.end(uid, &scan, &mut rows);
        if self.take(telling, rows, sink).await {
            telling.base.forget_at(uid, began);
        }
    }

    /// It is there, and the filter does not take it: what it is told of in no other way is unknown.
    async fn tell_release(&self, telling: &Telling, uid: &str, began: UnixNanos, sink: &dyn Sink) {
        if telling.base.state(uid::hash(uid), &telling.scope).is_none() {
            return;
        }
        let scan = telling.begin(&self.source, None, began);
        let mut rows = Rows::new(Signal::Resources);
        telling.release(uid, &scan, &mut rows);
        if self.take(telling, rows, sink).await {
            telling.base.release(uid, began);
        }
    }

    /// Whether the rows were delivered.
    async fn take(&self, telling: &Telling, rows: Rows, sink: &dyn Sink) -> bool {
        let delivered = telling.deliver(rows, sink).await;
        if let Err(failure) = &delivered {
            self.report.failed(failure);
        }
        delivered.is_ok()
    }

    /// The scopes of a kind in a region, none of what is not scanned here; and whether these are all, of
    /// every account.
    async fn scopes_in(&self, kind: &'static dyn Kind, region: &str) -> (Vec<Scope>, bool) {
        if !self.config.kinds.take(kind.name()) {
            return (Vec::new(), true);
        }
        let in_region = (!kind.is_global()).then_some(region);
        let names = self.names(kind, in_region, &self.accounts.configured());
        let shared = self.shared(names.clone());
        let (mut scopes, mut are_all) = (Vec::new(), true);
        for account in &self.accounts.all {
            if !kind.is_global() && !account.scans(region) {
                are_all &= !account.last_regions().is_empty();
                continue;
            }
            match account.id().await {
                Ok(id) => {
                    scopes.push(self.scope(names.clone(), account, id, in_region, shared.clone()));
                }
                Err(failure) => {
                    are_all = false;
                    self.report.failed(&failure);
                }
            }
        }
        (scopes, are_all)
    }
}

/// What became of a thing, as one account sees it.
enum Looked {
    Is(Box<Item>),
    IsNot,
    /// It is there, and the filter does not take it.
    IsPassedOver,
    Unknown,
}

/// Looks for one uid in what a list call finds.
struct Looking<'a> {
    uid: &'a str,
    report: &'a Report,
    found: Option<Item>,
    is_passed_over: bool,
    failed: bool,
}

#[async_trait]
impl Pages for Looking<'_> {
    async fn page(&mut self, items: Vec<Item>) -> Result<(), Failure> {
        let own = items.into_iter().find(|item| item.resource.uid == self.uid);
        if let Some(item) = own {
            self.failed |= !item.is_whole;
            self.found = item.is_taken.then_some(item);
        }
        Ok(())
    }

    fn failed(&mut self, failure: &Failure) {
        self.report.failed(failure);
    }

    fn passed_over(&mut self, uid: &str) {
        self.is_passed_over |= uid == self.uid;
    }
}
