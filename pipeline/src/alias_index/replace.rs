//! Puts what a store has of a uid in the place of what is held of it.

use super::name::Name;
use super::owner::{Observed, Owner};
use super::restore::StoredClaim;
use super::view::View;
use super::writer::Writer;
use crate::claim_memory::{KeyNumber, Scopes};
use crate::component::UnixNanos;
use crate::reports::AliasObservation;

/// All that a store has of the names of a uid now.
#[derive(Clone, Debug, Default)]
pub struct StoredNames<'a> {
    pub claims: Vec<StoredClaim<'a>>,
    pub observed: Vec<AliasObservation<'a>>,
    /// When its claims last changed: names that lead there no more did so until then.
    pub changed: UnixNanos,
}

/// What is held of a uid now: the states of its open claims, and its names, each with since when.
type Current = (
    Vec<(KeyNumber, u64)>,
    Vec<(Name, UnixNanos, Option<UnixNanos>)>,
);

impl Writer<'_> {
    /// Puts what is stored in the place of what is held. Where both are the same the past of the names is
    /// kept whole, else when each of them held.
    pub fn replace(&mut self, uid: &str, stored: &StoredNames<'_>, now: UnixNanos) {
        let mut old = self.held.change(uid, |owner, _| std::mem::take(owner));
        for claim in &stored.claims {
            self.restore_alone(uid, claim);
        }
        for observation in &stored.observed {
            self.observe(observation);
        }
        if old.is_empty() {
            self.held.evict();
            return;
        }
        self.changed |= self.held.change(uid, |owner, scopes| {
            if owner.current(scopes, now) == old.current(scopes, now) {
                old.claims.confirm_as(&owner.claims);
                *owner = old;
                return false;
            }
            let past = old.past(scopes, now);
            owner.keep_past(past, scopes, stored.changed.min(now));
            true
        });
        self.held.evict();
    }
}

impl Writer<'_> {
    /// Whether any name leads or led to the uid.
    pub fn holds(&self, uid: &str) -> bool {
        self.held.owners.contains_key(uid)
    }
}

impl View<'_> {
    /// Whether any name leads or led to the uid.
    pub fn holds(&self, uid: &str) -> bool {
        self.held().owners.contains_key(uid)
    }

    /// The uids to which a name leads or led.
    pub fn held_uids(&self) -> impl Iterator<Item = &std::sync::Arc<str>> {
        self.held().owners.keys()
    }
}

impl Owner {
    fn is_empty(&self) -> bool {
        self.claims.is_empty() && self.observed.is_empty()
    }

    fn current(&self, scopes: &Scopes, now: UnixNanos) -> Current {
        let claims = self.claims.iter();
        let open = claims.filter_map(|claim| Some((claim.key, claim.open()?.0)));
        let mut open: Vec<(KeyNumber, u64)> = open.collect();
        open.sort_unstable();
        let reported = self.claims.iter().filter_map(|claim| {
            let version = self.version(scopes, claim, claim.open()?.0)?;
            Some(version.names())
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

    /// When each name held: from, and until where it is over.
    fn past(&self, scopes: &Scopes, now: UnixNanos) -> Vec<(Name, UnixNanos, Option<UnixNanos>)> {
        let mut past: Vec<(Name, UnixNanos, Option<UnixNanos>)> = Vec::new();
        for claim in self.claims.iter() {
            for (state, since, until) in claim.held() {
                let version = self.version(scopes, claim, state);
                let until = until.map(|(until, _)| until);
                let names = version.into_iter().flat_map(|version| version.names());
                past.extend(names.map(|name| (name.clone(), since, until)));
            }
        }
        let observed = self.observed.iter();
        let over = observed.filter(|it| it.until.is_some_and(|until| until <= now));
        past.extend(over.map(|it| (it.name.clone(), it.from, it.until)));
        // Stretches of one name that follow each other are one.
        past.sort_unstable_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
        past.dedup_by(|next, last| {
            let follows = next.0 == last.0 && last.2.is_none_or(|until| next.1 <= until);
            if follows {
                last.2 = last.2.zip(next.2).map(|(one, other)| one.max(other));
            }
            follows
        });
        past
    }

    /// Keeps when names held that do not hold so any more; those that are not over held until `changed`.
    fn keep_past(
        &mut self,
        past: Vec<(Name, UnixNanos, Option<UnixNanos>)>,
        scopes: &Scopes,
        changed: UnixNanos,
    ) {
        for (name, from, until) in past {
            let since = self.since(scopes, |it| *it == name);
            let until = until.unwrap_or(changed);
            let until = since.map_or(until, |since| until.min(since));
            if from < until {
                self.observed.push(Observed {
                    name,
                    from,
                    until: Some(until),
                    last: until,
                });
            }
        }
    }
}
