//! Replaces the names that the index has for a uid by those that a store has.

use super::name::AliasName;
use super::owner::{ObservedName, Owner};
use super::restore::StoredClaim;
use super::writer::AliasWriter;
use crate::claim_memory::{ClaimScopes, KeyNumber};
use crate::reports::AliasObservation;
use crate::unix_nanos::UnixNanos;

/// All current names of a uid in a store.
#[derive(Clone, Debug, Default)]
pub struct StoredNames<'a> {
    pub claims: Vec<StoredClaim<'a>>,
    pub observed: Vec<AliasObservation<'a>>,
    /// When the claims of the uid last changed. Names that the index has and the store lacks end at this time.
    pub changed: UnixNanos,
}

/// A name, its start, and its end.
type NamePeriod = (AliasName, UnixNanos, Option<UnixNanos>);

/// The states of all open claims, and the current names.
type CurrentNames = (Vec<(KeyNumber, u64)>, Vec<NamePeriod>);

impl AliasWriter<'_> {
    /// Replaces the names of a uid by the stored ones. If the current names are the same, the index keeps the whole
    /// past of the claims; otherwise it keeps only the past periods of the names.
    pub fn replace(&mut self, uid: &str, stored: &StoredNames<'_>, now: UnixNanos) {
        let mut old = self.state.change(uid, |owner, _| std::mem::take(owner));
        for claim in &stored.claims {
            self.restore_without_eviction(uid, claim);
        }
        for observation in &stored.observed {
            self.observe(observation);
        }
        if old.is_empty() {
            self.state.evict();
            return;
        }
        self.changed |= self.state.change(uid, |owner, scopes| {
            if owner.current_names(scopes, now) == old.current_names(scopes, now) {
                old.claims.copy_confirmations(&owner.claims);
                *owner = old;
                return false;
            }
            let past = old.name_periods(scopes, now);
            owner.add_past(past, scopes, stored.changed.min(now));
            true
        });
        self.state.evict();
    }

    /// Whether the uid has or had any name.
    pub fn has_names(&self, uid: &str) -> bool {
        self.state.owners.contains_key(uid)
    }
}

impl Owner {
    fn is_empty(&self) -> bool {
        self.claims.is_empty() && self.observed.is_empty()
    }

    fn current_names(&self, scopes: &ClaimScopes, now: UnixNanos) -> CurrentNames {
        let claims = self.claims.iter();
        let open = claims.filter_map(|claim| Some((claim.key, claim.open()?.0)));
        let mut open: Vec<(KeyNumber, u64)> = open.collect();
        open.sort_unstable();
        let reported = self.claims.iter().filter_map(|claim| {
            let state_names = self.names_of_state(scopes, claim, claim.open()?.0)?;
            Some(state_names.names())
        });
        let reported = reported.flatten().map(|name| {
            let since = self.since(scopes, |it| it == name);
            (name.clone(), since.unwrap_or_default(), None)
        });
        let observed = self.observed.iter();
        let observed = observed.filter(|it| it.until.is_none_or(|until| now < until));
        let observed = observed.map(|it| (it.name.clone(), it.from, it.until));
        let mut names: Vec<_> = reported.chain(observed).collect();
        names.sort_unstable();
        names.dedup();
        (open, names)
    }

    /// The periods of all names. Observations that have not ended are not included.
    fn name_periods(&self, scopes: &ClaimScopes, now: UnixNanos) -> Vec<NamePeriod> {
        let mut periods: Vec<NamePeriod> = Vec::new();
        for claim in self.claims.iter() {
            for (state, since, until) in claim.values() {
                let state_names = self.names_of_state(scopes, claim, state);
                let until = until.map(|(until, _)| until);
                let names = state_names.into_iter().flat_map(|it| it.names());
                periods.extend(names.map(|name| (name.clone(), since, until)));
            }
        }
        let observed = self.observed.iter();
        let ended = observed.filter(|it| it.until.is_some_and(|until| until <= now));
        periods.extend(ended.map(|it| (it.name.clone(), it.from, it.until)));
        // Merge adjacent and overlapping periods of each name.
        periods.sort_unstable_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
        periods.dedup_by(|next, last| {
            let follows = next.0 == last.0 && last.2.is_none_or(|until| next.1 <= until);
            if follows {
                last.2 = last.2.zip(next.2).map(|(one, other)| one.max(other));
            }
            follows
        });
        periods
    }

    /// Adds past periods of names, as observations. A period without an end ends at `changed`; a period of a name that
    /// the owner has now ends at the start of that name.
    fn add_past(&mut self, periods: Vec<NamePeriod>, scopes: &ClaimScopes, changed: UnixNanos) {
        for (name, from, until) in periods {
            let since = self.since(scopes, |it| *it == name);
            let until = until.unwrap_or(changed);
            let until = since.map_or(until, |since| until.min(since));
            if from < until {
                self.observed.push(ObservedName {
                    name,
                    from,
                    until: Some(until),
                    last: until,
                });
            }
        }
    }
}
