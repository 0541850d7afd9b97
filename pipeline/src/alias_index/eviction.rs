//! Evicts names at the limit: first names that have ended, then the names with the oldest last confirmation.
//!
//! The index never rejects a new name, since it would then still answer with the previous owner of the name. For the
//! same reason it evicts all names of an owner together, and removes each of these names also from its earlier owners.
//! So the index knows the newest owner of a name, or no owner.

use std::sync::Arc;

use tracing::warn;

use super::name::{AliasKind, AliasName};
use super::owner::{Owner, StateNames};
use super::state::IndexState;
use crate::claim_memory::{ClaimScopes, MemoryClaim};
use crate::unix_nanos::UnixNanos;

/// An eviction frees a sixteenth of the limit. It examines all owners, so it must not happen for each new name.
const FREED_FRACTION: usize = 16;

impl IndexState {
    /// Evicts names if there are more than the limit.
    pub(super) fn evict(&mut self) {
        if self.count.all <= self.max_names {
            return;
        }
        if !self.has_warned {
            self.has_warned = true;
            warn!(
                names = self.max_names,
                "the alias index is full and evicts names: raise max_names of the processor identity"
            );
        }
        let target = self.max_names - self.max_names / FREED_FRACTION;
        let before = self.count.all;
        if self.count.past > 0 {
            self.evict_ended(before - target);
        }
        if self.count.all > self.max_names {
            self.evict_oldest(target);
        }
        self.evicted.add((before - self.count.all) as u64);
    }

    /// Removes names that have ended, those with the earliest ends first: at least `count`, or all if there are fewer.
    fn evict_ended(&mut self, count: usize) {
        let mut ends: Vec<(UnixNanos, usize)> = Vec::new();
        for owner in self.owners.values() {
            ends.extend(owner.ends(&self.scopes));
        }
        ends.sort_unstable();
        let mut sum = 0;
        let enough = ends.iter().find(|(_, names)| {
            sum += names;
            sum >= count
        });
        let Some((until, _)) = enough.or(ends.last()).copied() else {
            return;
        };
        let is_due = |owner: &Owner| owner.ends(&self.scopes).any(|(end, _)| end <= until);
        let due = self.owners.iter().filter(|(_, owner)| is_due(owner));
        let due: Vec<Arc<str>> = due.map(|(uid, _)| uid.clone()).collect();
        for uid in due {
            self.change(&uid, |owner, scopes| {
                owner.drop_ended(until);
                owner.drop_unused_states(scopes);
            });
        }
    }

    /// Removes the owners with the oldest last confirmation, until at most `target` names are left.
    fn evict_oldest(&mut self, target: usize) {
        let mut owners: Vec<(UnixNanos, UnixNanos, Arc<str>)> = self
            .owners
            .iter()
            .map(|(uid, owner)| {
                (
                    owner.last_seen(&self.scopes),
                    owner.newest_start(),
                    uid.clone(),
                )
            })
            .collect();
        owners.sort_unstable();
        for (.., uid) in owners {
            if self.count.all <= target {
                return;
            }
            let names = self.change(&uid, |owner, scopes| {
                let names: Vec<AliasName> = owner.names().cloned().collect();
                let since = |name: &AliasName| owner.since(scopes, |it| it == name);
                let names = names
                    .iter()
                    .filter_map(|name| Some((name.clone(), since(name)?)));
                let names: Vec<(AliasName, UnixNanos)> = names.collect();
                *owner = Owner::default();
                names
            });
            for (name, since) in names {
                self.remove_from_others(&name, since);
            }
        }
    }

    /// Removes an evicted name also from other owners: from those that had the name earlier, and from those that have
    /// it as another kind of address. `since` is the time since which the evicted owner had the name.
    fn remove_from_others(&mut self, name: &AliasName, since: UnixNanos) {
        let is_address = AliasKind::ADDRESSES.contains(&name.kind);
        let kinds = match name.kind {
            AliasKind::Target => return,
            _ if is_address => AliasKind::ADDRESSES.to_vec(),
            kind => vec![kind],
        };
        for kind in kinds {
            let competes = |other: &AliasName| {
                other.kind == kind
                    && other.value == name.value
                    && (!is_address || other.scope == name.scope)
            };
            let uids = self.by_value[kind as usize].get(&name.value);
            for uid in uids.cloned().unwrap_or_default() {
                self.change(&uid, |owner, scopes| {
                    let other_since = owner.since(scopes, competes);
                    if other_since.is_some_and(|other| other <= since || kind != name.kind) {
                        owner.remove_names(competes);
                    }
                });
            }
        }
    }
}

impl Owner {
    /// The end of each state and observation that has ended, with the number of its names.
    fn ends(&self, scopes: &ClaimScopes) -> impl Iterator<Item = (UnixNanos, usize)> {
        let reported = self.claims.iter().flat_map(move |claim| {
            claim.values().filter_map(move |(state, _, until)| {
                let names = self.names_of_state(scopes, claim, state);
                let names = names.map_or(0, |it| it.names().count());
                Some((until?.0, names.max(1)))
            })
        });
        let observed = self.observed.iter();
        reported.chain(observed.filter_map(|observed| Some((observed.until?, 1))))
    }

    /// The start of the newest claim interval or observation.
    fn newest_start(&self) -> UnixNanos {
        let claims = self.claims.iter().filter_map(MemoryClaim::last_since);
        let observed = self.observed.iter().map(|observed| observed.from);
        claims.chain(observed).max().unwrap_or_default()
    }

    /// Removes states and observations that ended at or before a time. If all have, nothing remains; otherwise each
    /// claim keeps its last interval.
    fn drop_ended(&mut self, until: UnixNanos) {
        let is_kept = |end: Option<UnixNanos>| end.is_none_or(|end| end > until);
        self.observed.retain(|observed| is_kept(observed.until));
        let values = self.claims.iter().flat_map(MemoryClaim::values);
        let mut ends = values.map(|(.., end)| end.map(|(end, _)| end));
        let have_all_ended = self.observed.is_empty() && !ends.any(is_kept);
        drop(ends);
        if have_all_ended {
            *self = Owner::default();
            return;
        }
        self.claims
            .drop_before(UnixNanos(until.0.saturating_add(1)));
    }

    /// Removes names from all states and observations, past ones included.
    fn remove_names(&mut self, is_removed: impl Fn(&AliasName) -> bool) {
        self.observed.retain(|observed| !is_removed(&observed.name));
        for state in &mut self.states {
            if state.names().any(&is_removed) {
                let rest = |names: &[AliasName]| -> Arc<[AliasName]> {
                    names
                        .iter()
                        .filter(|name| !is_removed(name))
                        .cloned()
                        .collect()
                };
                *state = StateNames {
                    aliases: rest(&state.aliases),
                    targets: rest(&state.targets),
                    ..*state
                };
            }
        }
    }
}
