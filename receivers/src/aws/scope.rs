//! The scan of one scope: a kind in one account and region.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pipeline::component::UnixNanos;
use pipeline::resource::{Resource, Scan};
use pipeline::schema::nodes::group;

use super::failure::{Call, Failure, Why};
use super::filter::Tags;
use super::kind::Kind;
use super::known::{Base, Known, Told};
use super::place::Place;
use super::scope_name::scope_name;

/// The region in the scopes of what is in none.
pub(super) const GLOBAL: &str = "global";

/// What is scanned as one.
#[derive(Clone)]
pub(super) struct Scope {
    pub(super) kind: &'static dyn Kind,
    pub(super) at: Arc<Place>,
    /// Of the account's own resources.
    pub(super) name: Arc<str>,
    filter: Option<Arc<str>>,
    known: Known,
    /// `account/region` of all that is scanned.
    scanned: Arc<HashSet<String>>,
}

/// What a scope tells of one account: its own, or one that shares with it.
pub(super) struct Part {
    pub(super) name: Arc<str>,
    pub(super) base: Arc<Base>,
    /// Uid's hash and state of all that was seen.
    pub(super) members: HashMap<u64, u64>,
}

impl Part {
    /// What rows of it share that begin then.
    pub(super) fn begin<'a>(&'a self, source: &'a str, id: &'a str, began: UnixNanos) -> Scan<'a> {
        Scan {
            source,
            group: group::ACTUAL,
            scope: &self.name,
            id,
            began,
        }
    }

    pub(super) fn told(&self, resource: &Resource, state: u64, time: UnixNanos) -> Told {
        Told {
            uid: resource.uid.as_str().into(),
            scope: self.name.clone(),
            state,
            time,
        }
    }
}

impl Scope {
    pub(super) fn new(
        kind: &'static dyn Kind,
        at: Arc<Place>,
        tags: &Tags,
        known: &Known,
        scanned: &Arc<HashSet<String>>,
    ) -> Scope {
        let mut scope = Scope {
            kind,
            at,
            name: Arc::default(),
            filter: tags.hash().map(Arc::from),
            known: known.clone(),
            scanned: scanned.clone(),
        };
        scope.name = scope.part(&scope.at.account).name;
        scope
    }

    fn region(&self) -> &str {
        if self.kind.is_global() {
            GLOBAL
        } else {
            &self.at.region
        }
    }

    /// Whether it is scanned before others of its region.
    pub(super) fn comes_first(&self) -> bool {
        self.kind.comes_first()
    }

    /// What it tells of an account.
    pub(super) fn part(&self, owner: &str) -> Part {
        let base = format!("{owner}/{}/{}", self.region(), self.kind.name());
        Part {
            name: scope_name(&base, self.filter.as_deref(), &self.at.account).into(),
            base: self.known.base(&base),
            members: HashMap::new(),
        }
    }

    /// Whether somebody else who is scanned tells what an account shares: the account itself, or who
    /// told it last.
    pub(super) fn leaves(&self, owner: &str, part: &Part, uid: u64) -> bool {
        let own = self.at.account.as_str();
        let tells = |teller: String| teller != own && self.is_scanned(&teller);
        owner != own && (self.is_scanned(owner) || part.base.teller(uid).is_some_and(tells))
    }

    /// Whether an account is scanned where this scope is.
    pub(super) fn is_scanned(&self, account: &str) -> bool {
        self.scanned
            .contains(&format!("{account}/{}", self.region()))
    }

    /// The rows were not delivered.
    pub(super) fn undelivered(&self, reason: String) -> Failure {
        Failure {
            call: Call {
                service: self.kind.service(),
                operation: self.kind.name(),
                region: self.at.region.as_str().into(),
                account: self.at.account.as_str().into(),
            },
            why: Why::NotDelivered,
            code: String::new(),
            message: reason,
        }
    }
}
