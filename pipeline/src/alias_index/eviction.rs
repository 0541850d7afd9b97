//! Makes room at the limit: names that are over go first, then those that were seen longest ago.
//!
//! What is new always finds room: an index that left it out would go on answering with the owner of
//! before. For the same reason an owner is evicted as a whole, and with each of its names all that had
//! the name before it: of a name the index knows the newest owner, or none.

use std::sync::Arc;

use tracing::warn;

use super::held::Held;
use super::name::{Kind, Name};
use super::owner::{Owner, Size, Version};
use crate::claim_memory::{HeldClaim, Scopes};
use crate::component::UnixNanos;

/// The part of the limit that is made free at once: looking for what goes takes a look at all.
const AT_ONCE: usize = 16;

impl Held {
    /// Evicts until the limit is kept.
    pub(super) fn evict(&mut self) {
        if self.size.all <= self.most {
            return;
        }
        if !self.has_warned {
            self.has_warned = true;
            warn!(
                names = self.most,
                "the alias index is full and evicts names: raise max_names of the processor identity"
            );
        }
        let target = self.most - self.most / AT_ONCE;
        let before = self.size.all;
        if self.size.past > 0 {
            self.evict_past(before - target);
        }
        if self.size.all > self.most {
            self.evict_oldest(target);
        }
        self.evicted.add((before - self.size.all) as u64);
    }

    /// Forgets so many names that are over, those that ended first before the rest.
    fn evict_past(&mut self, many: usize) {
        let mut ends: Vec<(UnixNanos, usize)> = Vec::new();
        for owner in self.owners.values() {
            ends.extend(owner.ends(&self.scopes));
        }
        ends.sort_unstable();
        let mut sum = 0;
        let enough = ends.iter().find(|(_, size)| {
            sum += size;
            sum >= many
        });
        let Some((until, _)) = enough.or(ends.last()).copied() else {
            return;
        };
        let is_due = |owner: &Owner| owner.ends(&self.scopes).any(|(end, _)| end <= until);
        let due = self.owners.iter().filter(|(_, owner)| is_due(owner));
        let due: Vec<Arc<str>> = due.map(|(uid, _)| uid.clone()).collect();
        for uid in due {
            self.change(&uid, |owner, scopes| {
                owner.forget(until);
                owner.drop_unused(scopes);
            });
        }
    }

    /// Evicts the owners that were seen longest ago.
    fn evict_oldest(&mut self, target: usize) {
        let mut owners: Vec<(UnixNanos, UnixNanos, Arc<str>)> = self
            .owners
            .iter()
            .map(|(uid, owner)| (owner.last_seen(&self.scopes), owner.newest(), uid.clone()))
            .collect();
        owners.sort_unstable();
        for (.., uid) in owners {
            if self.size.all <= target {
                return;
            }
            let names = self.change(&uid, |owner, scopes| {
                let names: Vec<Name> = owner.names().cloned().collect();
                let since = |name: &Name| owner.since(scopes, |it| it == name);
                let names = names
                    .iter()
                    .filter_map(|name| Some((name.clone(), since(name)?)));
                let names: Vec<(Name, UnixNanos)> = names.collect();
                *owner = Owner::default();
                names
            });
            for (name, since) in names {
                self.take_from_others(&name, since);
            }
        }
    }

    /// Takes a name, evicted from an owner that had it since a time, from those that had it before, and
    /// from those that have it as another kind of address.
    fn take_from_others(&mut self, name: &Name, since: UnixNanos) {
        let is_address = Kind::ADDRESSES.contains(&name.kind);
        let kinds = match name.kind {
            Kind::Target => return,
            _ if is_address => Kind::ADDRESSES.to_vec(),
            kind => vec![kind],
        };
        for kind in kinds {
            let competes = |other: &Name| {
                other.kind == kind
                    && other.value == name.value
                    && (!is_address || other.scope == name.scope)
            };
            let uids = self.by_value[kind as usize].get(&name.value);
            for uid in uids.cloned().unwrap_or_default() {
                self.change(&uid, |owner, scopes| {
                    let other = owner.since(scopes, competes);
                    if other.is_some_and(|other| other <= since || kind != name.kind) {
                        owner.take_away(competes);
                    }
                });
            }
        }
    }
}

impl Owner {
    /// When what is over has ended, and what it takes of the limit.
    fn ends(&self, scopes: &Scopes) -> impl Iterator<Item = (UnixNanos, usize)> {
        let reported = self.claims.iter().flat_map(move |claim| {
            claim.held().filter_map(move |(state, _, until)| {
                let names = self.version(scopes, claim, state);
                let names = names.map_or(0, |version| version.names().count());
                Some((until?.0, names.max(1)))
            })
        });
        let observed = self.observed.iter();
        reported.chain(observed.filter_map(|observed| Some((observed.until?, 1))))
    }

    /// When the newest of its claims and names began.
    fn newest(&self) -> UnixNanos {
        let claims = self.claims.iter().filter_map(HeldClaim::last_since);
        let observed = self.observed.iter().map(|observed| observed.from);
        claims.chain(observed).max().unwrap_or_default()
    }

    /// Forgets what ended up to a time. How a claim ended at last is kept while another is open.
    fn forget(&mut self, until: UnixNanos) {
        let holds = |end: Option<UnixNanos>| end.is_none_or(|end| end > until);
        self.observed.retain(|observed| holds(observed.until));
        let held = self.claims.iter().flat_map(HeldClaim::held);
        let mut ends = held.map(|(.., end)| end.map(|(end, _)| end));
        let is_all = self.observed.is_empty() && !ends.any(holds);
        drop(ends);
        if is_all {
            *self = Owner::default();
            return;
        }
        self.claims.forget(UnixNanos(until.0.saturating_add(1)));
    }

    /// Names that are taken away lead here no more, and never did.
    fn take_away(&mut self, is_taken: impl Fn(&Name) -> bool) {
        self.observed.retain(|observed| !is_taken(&observed.name));
        for version in &mut self.versions {
            if version.names().any(&is_taken) {
                let rest = |names: &[Name]| -> Arc<[Name]> {
                    names
                        .iter()
                        .filter(|name| !is_taken(name))
                        .cloned()
                        .collect()
                };
                *version = Version {
                    aliases: rest(&version.aliases),
                    targets: rest(&version.targets),
                    ..*version
                };
            }
        }
    }
}

impl Size {
    #[cfg(test)]
    pub(super) fn plus(self, other: Size) -> Size {
        Size {
            all: self.all + other.all,
            past: self.past + other.past,
        }
    }
}
