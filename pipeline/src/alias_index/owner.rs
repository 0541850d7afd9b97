//! One uid: its claims, and the names of each of their states.

use std::sync::Arc;

use super::name::AliasName;
use super::valid_interval::ValidInterval;
use crate::claim_memory::{ClaimScopes, KeyNumber, MemoryClaim, MemoryClaims};
use crate::claims::{Existence, IntervalEnd};
use crate::unix_nanos::{AsOf, UnixNanos};

#[derive(Debug, Default)]
pub(super) struct Owner {
    pub(super) claims: MemoryClaims,
    /// The names of each state. A state without names has no entry.
    pub(super) states: Vec<StateNames>,
    pub(super) observed: Vec<ObservedName>,
}

/// The names that a source reports in a scope for one state of the uid.
#[derive(Debug)]
pub(super) struct StateNames {
    /// See [`ClaimScopes::scope_key`].
    pub(super) scope_key: KeyNumber,
    pub(super) state: u64,
    /// Ascending, without duplicates.
    pub(super) aliases: Arc<[AliasName]>,
    /// Names of the kind [`AliasKind::Target`](super::AliasKind::Target), ascending, without duplicates.
    pub(super) targets: Arc<[AliasName]>,
}

/// A name that was observed, and belongs to no snapshot.
#[derive(Debug)]
pub(super) struct ObservedName {
    pub(super) name: AliasName,
    pub(super) from: UnixNanos,
    pub(super) until: Option<UnixNanos>,
    /// The time of the last observation.
    pub(super) last: UnixNanos,
}

/// The number of names that count against the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NameCount {
    pub(super) all: usize,
    /// How many of them have ended.
    pub(super) past: usize,
}

impl StateNames {
    pub(super) fn names(&self) -> impl Iterator<Item = &AliasName> {
        self.aliases.iter().chain(&*self.targets)
    }

    fn len(&self) -> usize {
        self.aliases.len() + self.targets.len()
    }
}

impl Owner {
    /// The names of a state of a claim.
    pub(super) fn names_of_state(
        &self,
        scopes: &ClaimScopes,
        claim: &MemoryClaim,
        state: u64,
    ) -> Option<&StateNames> {
        let scope_key = scopes.scope_key(claim.key);
        let mut states = self.states.iter();
        states.find(|it| (it.scope_key, it.state) == (scope_key, state))
    }

    /// The names of the uid at the moment of `valid`. Narrows `valid` to the period in which the answer is the same.
    pub(super) fn names_at(
        &self,
        scopes: &ClaimScopes,
        valid: &mut ValidInterval,
    ) -> Vec<&AliasName> {
        let at = valid.moment();
        let ended = match self.claims.existence(scopes, AsOf::Time(at)) {
            Existence::Ended(time) => time,
            _ => UnixNanos(0),
        };
        let mut names: Vec<&AliasName> = Vec::new();
        for claim in self.claims.iter() {
            claim
                .reported_removals()
                .for_each(|(time, _)| valid.narrow(time));
            for (state, since, until) in claim.values() {
                valid.narrow(since);
                if let Some((until, _)) = until {
                    valid.narrow(until);
                }
                let is_open = since <= at && until.is_none_or(|(until, _)| at < until);
                // If another scope has reported the deletion of the uid, an open claim from before it gives no names.
                if is_open && since >= ended {
                    let state_names = self.names_of_state(scopes, claim, state);
                    names.extend(state_names.into_iter().flat_map(StateNames::names));
                }
            }
        }
        let deleted = self.claims.delete_event_times();
        deleted.into_iter().for_each(|time| valid.narrow(time));
        for observed in &self.observed {
            valid.narrow(observed.from);
            if let Some(until) = observed.until {
                valid.narrow(until);
            }
            let is_valid = observed.from <= at && observed.until.is_none_or(|until| at < until);
            if is_valid && observed.from >= ended {
                names.push(&observed.name);
            }
        }
        names
    }

    /// All names that the uid has or had.
    pub(super) fn names(&self) -> impl Iterator<Item = &AliasName> {
        let reported = self.states.iter().flat_map(StateNames::names);
        reported.chain(self.observed.iter().map(|observed| &observed.name))
    }

    /// The time since which the uid has had, without a break, a name for which `matches` is true; `None` if it has no
    /// such name now.
    pub(super) fn since(
        &self,
        scopes: &ClaimScopes,
        matches: impl Fn(&AliasName) -> bool,
    ) -> Option<UnixNanos> {
        let reported = self.claims.iter().filter_map(|claim| {
            let mut since = None;
            for (state, began, until) in claim.values() {
                let state_names = self.names_of_state(scopes, claim, state);
                let has_match = state_names.is_some_and(|it| it.names().any(&matches));
                since = match until {
                    None | Some((_, IntervalEnd::Replaced)) if has_match => since.or(Some(began)),
                    _ => None,
                };
            }
            since.filter(|_| claim.open().is_some())
        });
        let observed = self.observed.iter().filter(|it| matches(&it.name));
        let observed = observed.filter(|it| it.until.is_none()).map(|it| it.from);
        reported.chain(observed).min()
    }

    /// Counts the names. A state without names counts as one.
    pub(super) fn name_count(&self, scopes: &ClaimScopes) -> NameCount {
        let mut count = NameCount::default();
        for claim in self.claims.iter() {
            for (state, _, until) in claim.values() {
                let names = self
                    .names_of_state(scopes, claim, state)
                    .map_or(0, StateNames::len);
                count.all += names.max(1);
                count.past += if until.is_some() { names.max(1) } else { 0 };
            }
        }
        let ended = self.observed.iter().filter(|it| it.until.is_some());
        count.all += self.observed.len();
        count.past += ended.count();
        count
    }

    /// Removes the names of states that no interval has.
    pub(super) fn drop_unused_states(&mut self, scopes: &ClaimScopes) {
        let claims = &self.claims;
        self.states.retain(|names| {
            let in_scope = claims
                .iter()
                .filter(|it| scopes.scope_key(it.key) == names.scope_key);
            let mut states = in_scope
                .flat_map(MemoryClaim::values)
                .map(|(state, ..)| state);
            states.any(|state| state == names.state)
        });
    }

    /// The last confirmation of any claim or observation.
    pub(super) fn last_seen(&self, scopes: &ClaimScopes) -> UnixNanos {
        let claims = self.claims.iter().map(|claim| {
            let scan = claim.open().and_then(|_| scopes.newest_scan(claim.key));
            let seen = claim.last_report().max(claim.last_seen());
            seen.max(scan.unwrap_or_default())
        });
        let observed = self.observed.iter().map(|observed| observed.last);
        claims.chain(observed).max().unwrap_or_default()
    }
}
