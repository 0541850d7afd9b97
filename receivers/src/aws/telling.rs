//! What a scan of a scope tells.

use std::collections::HashMap;
use std::sync::Arc;

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
use super::sink::Sink;

/// What is told of one account's, and what is known of it.
#[derive(Clone)]
pub(super) struct Telling {
    names: Names,
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

    /// Tells that a scan is complete, and of what was told in such scopes and is not there any more.
    /// The uids of that.
    pub(super) fn complete(
        &self,
        is_of: impl Fn(&str) -> bool,
        members: &HashMap<u64, u64>,
        scan: &Scan<'_>,
        rows: &mut Rows,
    ) -> Vec<Box<str>> {
        let is_seen = |hash| members.contains_key(&hash);
        let gone = self.base.gone(is_of, scan.began, is_seen);
        for uid in &gone {
            self.end(uid, scan, rows);
        }
        let members = members.iter().map(|(uid, state)| (*uid, *state));
        scan.complete(rows, members.collect());
        gone
    }

    /// Tells that a thing is not there any more.
    pub(super) fn end(&self, uid: &str, scan: &Scan<'_>, rows: &mut Rows) {
        scan.deleted(rows, uid, self.names.kind.name());
    }

    /// Returns when the rows are delivered.
    pub(super) async fn deliver(&self, rows: Rows, sink: &dyn Sink) -> Result<(), Failure> {
        let taken = sink.take(rows).await;
        taken.map_err(|reason| self.names.undelivered(&self.account, reason))
    }

    /// All that is known once a completed scan is delivered.
    pub(super) fn completed(&self, gone: &[Box<str>], began: UnixNanos) {
        gone.iter().for_each(|uid| self.base.forget(uid));
        self.base.completed(began);
    }
}
