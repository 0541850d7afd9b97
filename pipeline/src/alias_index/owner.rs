//! What is known of one uid: its claims, and which names each of their states has.

use std::sync::Arc;

use super::name::Name;
use super::view::Holds;
use crate::claim_memory::{HeldClaim, HeldClaims, KeyNumber, Scopes};
use crate::claims::{Ending, Existence};
use crate::component::UnixNanos;
use crate::graph_store::At;

#[derive(Debug, Default)]
pub(super) struct Owner {
    pub(super) claims: HeldClaims,
    /// The names of states; a state without any has none here.
    pub(super) versions: Vec<Version>,
    pub(super) observed: Vec<Observed>,
}

/// The names that a source reports in a scope with one state of the uid.
#[derive(Debug)]
pub(super) struct Version {
    /// See [`Scopes::area`].
    pub(super) area: KeyNumber,
    pub(super) state: u64,
    /// Ascending, each once.
    pub(super) aliases: Arc<[Name]>,
    /// Likewise, of the kind [`Kind::Target`](super::Kind::Target).
    pub(super) targets: Arc<[Name]>,
}

/// A name that was observed by itself.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) name: Name,
    pub(super) from: UnixNanos,
    pub(super) until: Option<UnixNanos>,
    /// When it was observed last.
    pub(super) last: UnixNanos,
}

/// How much of the limit something takes: all, and what of it is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) all: usize,
    pub(super) past: usize,
}

impl Version {
    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        self.aliases.iter().chain(&*self.targets)
    }

    fn size(&self) -> usize {
        self.aliases.len() + self.targets.len()
    }
}

impl Owner {
    pub(super) fn version(
        &self,
        scopes: &Scopes,
        claim: &HeldClaim,
        state: u64,
    ) -> Option<&Version> {
        let area = scopes.area(claim.key);
        let mut versions = self.versions.iter();
        versions.find(|it| (it.area, it.state) == (area, state))
    }

    /// The names that hold at the moment of `holds`, which is narrowed to how long that is so.
    pub(super) fn names_at(&self, scopes: &Scopes, holds: &mut Holds) -> Vec<&Name> {
        let at = holds.moment();
        let ended = match self.claims.existence(scopes, At::Time(at)) {
            Existence::Ended(time) => time,
            _ => UnixNanos(0),
        };
        let mut names: Vec<&Name> = Vec::new();
        for claim in self.claims.iter() {
            claim
                .own_removals()
                .for_each(|(time, _)| holds.narrow(time));
            for (state, since, until) in claim.held() {
                holds.narrow(since);
                if let Some((until, _)) = until {
                    holds.narrow(until);
                }
                let is_open = since <= at && until.is_none_or(|(until, _)| at < until);
                // A claim that another scope's deletion outlived holds nothing.
                if is_open && since >= ended {
                    let version = self.version(scopes, claim, state);
                    names.extend(version.into_iter().flat_map(Version::names));
                }
            }
        }
        let deleted = self.claims.delete_events();
        deleted.into_iter().for_each(|time| holds.narrow(time));
        for observed in &self.observed {
            holds.narrow(observed.from);
            if let Some(until) = observed.until {
                holds.narrow(until);
            }
            let is_valid = observed.from <= at && observed.until.is_none_or(|until| at < until);
            if is_valid && observed.from >= ended {
                names.push(&observed.name);
            }
        }
        names
    }

    /// All names that lead or led here.
    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        let reported = self.versions.iter().flat_map(Version::names);
        reported.chain(self.observed.iter().map(|observed| &observed.name))
    }

    /// Since when a name that leads here now has done so without a break.
    pub(super) fn since(
        &self,
        scopes: &Scopes,
        is_it: impl Fn(&Name) -> bool,
    ) -> Option<UnixNanos> {
        let reported = self.claims.iter().filter_map(|claim| {
            let mut since = None;
            for (state, began, until) in claim.held() {
                let version = self.version(scopes, claim, state);
                let has_it = version.is_some_and(|version| version.names().any(&is_it));
                since = match until {
                    None | Some((_, Ending::Replaced)) if has_it => since.or(Some(began)),
                    _ => None,
                };
            }
            since.filter(|_| claim.open().is_some())
        });
        let observed = self.observed.iter().filter(|it| is_it(&it.name));
        let observed = observed.filter(|it| it.until.is_none()).map(|it| it.from);
        reported.chain(observed).min()
    }

    pub(super) fn size(&self, scopes: &Scopes) -> Size {
        let mut size = Size::default();
        for claim in self.claims.iter() {
            for (state, _, until) in claim.held() {
                let names = self.version(scopes, claim, state).map_or(0, Version::size);
                size.all += names.max(1);
                size.past += if until.is_some() { names.max(1) } else { 0 };
            }
        }
        let ended = self.observed.iter().filter(|it| it.until.is_some());
        size.all += self.observed.len();
        size.past += ended.count();
        size
    }

    /// Forgets versions that no stretch has.
    pub(super) fn drop_unused(&mut self, scopes: &Scopes) {
        let claims = &self.claims;
        self.versions.retain(|version| {
            let in_area = claims
                .iter()
                .filter(|it| scopes.area(it.key) == version.area);
            let mut states = in_area.flat_map(HeldClaim::held).map(|(state, ..)| state);
            states.any(|state| state == version.state)
        });
    }

    /// When any of it was last confirmed to hold.
    pub(super) fn last_seen(&self, scopes: &Scopes) -> UnixNanos {
        let claims = self.claims.iter().map(|claim| {
            let scan = claim.open().and_then(|_| scopes.newest_scan(claim.key));
            let seen = claim.last_report().max(claim.last_seen());
            seen.max(scan.unwrap_or_default())
        });
        let observed = self.observed.iter().map(|observed| observed.last);
        claims.chain(observed).max().unwrap_or_default()
    }
}
