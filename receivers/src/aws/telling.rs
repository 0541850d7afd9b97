//! What a scan of a scope tells.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pipeline::claims::is_below;
use pipeline::component::UnixNanos;
use pipeline::resource::Scan;
use pipeline::rows::Rows;
use pipeline::schema::nodes::group;
use pipeline::uid;

use super::base::{Base, Novelty, Told};
use super::failure::Failure;
use super::found::Item;
use super::known::Known;
use super::names::Names;
use super::retired::release;
use super::sink::Sink;

/// What a scan of a scope saw.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Uid's hash and state.
    pub(super) members: HashMap<u64, u64>,
    /// Hashes of uids that are there and that the filter does not take.
    pub(super) passed_over: HashSet<u64>,
    /// Whether some of those whose views make up the scope could not be asked.
    pub(super) is_partial: bool,
}

/// What a completed scan did not see of what was told before.
#[derive(Debug, Default)]
pub(super) struct Missed {
    deleted: Vec<Box<str>>,
    /// It may still be there.
    released: Vec<Box<str>>,
    /// Scopes that the completed one replaces.
    retired: Vec<Arc<str>>,
}

/// What is told of one account's, and what is known of it.
#[derive(Clone)]
pub(super) struct Telling {
    names: Names,
    known: Known,
    account: Box<str>,
    pub(super) scope: Arc<str>,
    pub(super) base: Arc<Base>,
}

impl Telling {
    /// What the account tells of its own.
    pub(super) fn own(names: &Names, account: &str, known: &Known) -> Telling {
        Telling {
            scope: names.own(account).into(),
            base: known.base(&names.base(account)),
            account: account.into(),
            names: names.clone(),
            known: known.clone(),
        }
    }

    /// What others tell who see it.
    pub(super) fn shared(names: &Names, account: &str, known: &Known) -> Telling {
        Telling {
            scope: names.shared(account).into(),
            ..Telling::own(names, account, known)
        }
    }

    /// What all rows of one scan share.
    /// `id` is none where no scan makes the rows: a refresh.
    pub(super) fn begin<'a>(
        &'a self,
        source: &'a str,
        id: Option<&'a str>,
        began: UnixNanos,
    ) -> Scan<'a> {
        Scan {
            source,
            group: group::ACTUAL,
            scope: &self.scope,
            id,
            began,
        }
    }

    /// Tells of what a scan sees where anything is new. The state in which it is one of the scope's
    /// members; none where it is not one.
    pub(super) fn see(
        &self,
        item: &Item,
        scan: &Scan<'_>,
        rows: &mut Rows,
        told: &mut Vec<Told>,
    ) -> Option<u64> {
        let hash = uid::hash(&item.resource.uid);
        // Somebody has looked at it since the scan began: its page may be older than that.
        if let Some(state) = self.base.looked_at_since(hash, scan.began) {
            return (state != 0).then_some(state);
        }
        let known = self.base.state(hash, &self.scope);
        if !item.is_whole && known.is_some() {
            return known;
        }
        if !item.is_taken {
            return None;
        }
        let state = item.resource.state();
        let novelty = self.base.novelty(hash, state, &self.scope);
        if novelty != Novelty::Nothing {
            told.push(self.tell(item, state, novelty, scan, rows));
        }
        Some(state)
    }

    /// Tells of a thing as it is. What is known of it once that is delivered.
    pub(super) fn tell(
        &self,
        item: &Item,
        state: u64,
        novelty: Novelty,
        scan: &Scan<'_>,
        rows: &mut Rows,
    ) -> Told {
        scan.observed(rows, &item.resource, state, novelty.change());
        Told {
            uid: item.resource.uid.as_str().into(),
            scope: self.scope.clone(),
            state,
            time: scan.began,
        }
    }

    /// Tells that a scan is complete, and of what was told in such scopes and is not there any more. A
    /// uid that the scan misses is deleted where it listed all that there is; else it is released.
    pub(super) fn complete(
        &self,
        is_of: impl Fn(&str) -> bool,
        listing: &Listing,
        scan: &Scan<'_>,
        rows: &mut Rows,
    ) -> Missed {
        let is_seen = |hash| listing.members.contains_key(&hash);
        let gone = self.base.gone(is_of, scan.began, is_seen);
        let is_there = |uid: &str| listing.passed_over.contains(&uid::hash(uid));
        let (released, deleted): (Vec<_>, Vec<_>) = gone
            .into_iter()
            .partition(|uid| listing.is_partial || is_there(uid));
        for uid in &deleted {
            self.end(uid, scan, rows);
        }
        let members = listing.members.iter().map(|(uid, state)| (*uid, *state));
        match self.names.are_filtered() || listing.is_partial {
            true => scan.complete_in_part(rows, members.collect()),
            false => scan.complete(rows, members.collect()),
        }
        Missed {
            deleted,
            released,
            retired: Vec::new(),
        }
    }

    /// Releases scopes of the account that had another filter, at the time of the scan that replaces
    /// them, so that nothing is unobserved in between. The completion covers those below its own.
    pub(super) fn release_replaced(&self, scan: &Scan<'_>, rows: &mut Rows, missed: &mut Missed) {
        for scope in self.known.scopes.of(&self.names.base(&self.account)) {
            if scope != self.scope {
                if !is_below(&scope, &self.scope) {
                    release(&scope, scan, rows);
                }
                missed.retired.push(scope);
            }
        }
    }

    /// Tells that a thing is not there any more.
    pub(super) fn end(&self, uid: &str, scan: &Scan<'_>, rows: &mut Rows) {
        scan.deleted(rows, uid, self.names.kind.name());
    }

    /// Tells that the filter does not take a thing any more.
    pub(super) fn release(&self, uid: &str, scan: &Scan<'_>, rows: &mut Rows) {
        scan.released(rows, uid, self.names.kind.name());
    }

    /// Returns when the rows are delivered.
    pub(super) async fn deliver(&self, rows: Rows, sink: &dyn Sink) -> Result<(), Failure> {
        self.known.scopes.add(&self.scope);
        let taken = sink.take(rows).await;
        taken.map_err(|reason| self.names.undelivered(&self.account, reason))
    }

    /// All that is known once a completed scan is delivered.
    pub(super) fn completed(&self, missed: &Missed, began: UnixNanos) {
        let Missed {
            deleted,
            released,
            retired,
        } = missed;
        deleted.iter().for_each(|uid| self.base.forget(uid));
        released
            .iter()
            .for_each(|uid| self.base.release(uid, began));
        if !retired.is_empty() {
            let are = |scope: &str| retired.iter().any(|retired| retired.as_ref() == scope);
            self.base.release_scopes(are, began);
            retired
                .iter()
                .for_each(|scope| self.known.scopes.remove(scope));
        }
        self.base.completed(began);
    }
}
