//! Loads claims that a store has, with their names.

use std::collections::BTreeSet;

use super::name::{AliasKind, AliasName};
use super::writer::AliasWriter;
use crate::claims::ClaimClass;
use crate::reports::AliasItem;
use crate::unix_nanos::UnixNanos;

/// An open claim in a store, with the names that it reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredClaim<'a> {
    pub source: &'a str,
    /// Empty if the claim belongs to no scope.
    pub scope: &'a str,
    pub class: ClaimClass,
    /// `None` if it is unknown.
    pub state: Option<u64>,
    /// The start of the state; 0 if it is unknown.
    pub since: UnixNanos,
    /// The last confirmation; 0 if it is unknown.
    pub seen: UnixNanos,
    /// The aliases of the uid, each with its start.
    pub aliases: Vec<(UnixNanos, AliasItem<'a>)>,
    /// The uids that a DNS record leads to, each with its start.
    pub targets: Vec<(UnixNanos, &'a str)>,
}

impl Default for StoredClaim<'_> {
    /// A claim that no scan made.
    fn default() -> Self {
        StoredClaim {
            source: "",
            scope: "",
            class: ClaimClass::Aliases,
            state: None,
            since: UnixNanos(0),
            seen: UnixNanos(0),
            aliases: Vec::new(),
            targets: Vec::new(),
        }
    }
}

impl AliasWriter<'_> {
    /// Adds an open claim of a store. The next scan completion of its scope applies to the claim.
    pub fn restore(&mut self, uid: &str, claim: &StoredClaim<'_>) {
        self.restore_without_eviction(uid, claim);
        self.state.evict();
    }

    pub(super) fn restore_without_eviction(&mut self, uid: &str, claim: &StoredClaim<'_>) {
        let aliases = claim.aliases.iter().filter_map(|(since, item)| {
            let within = Some(item.within).filter(|within| !within.is_empty());
            Some((*since, AliasName::of(item.kind, item.value, within)?))
        });
        let targets = claim.targets.iter();
        let targets = targets.map(|(since, to)| (*since, AliasName::target(to)));
        let names: Vec<(UnixNanos, AliasName)> = aliases.chain(targets).collect();
        let mut times: BTreeSet<UnixNanos> = names.iter().map(|(since, _)| *since).collect();
        let Some(newest) = times.last().map(|last| claim.since.max(*last)) else {
            return;
        };
        times.insert(newest);
        // The store does not report earlier states. So each time at which a name starts becomes one state, which this
        // time identifies. The last state is the stored one.
        let state_of = |time: UnixNanos| match time == newest {
            true => claim.state.unwrap_or(newest.0),
            false => time.0,
        };
        let state_names: Vec<(u64, Vec<AliasName>)> = times
            .iter()
            .map(|time| {
                let by_then = names.iter().filter(|(since, _)| since <= time);
                let names = by_then.map(|(_, name)| self.state.intern(name.clone()));
                (state_of(*time), names.collect())
            })
            .collect();
        let states = times.iter().map(|time| (*time, state_of(*time)));
        let key = (claim.class, claim.source, claim.scope);
        self.state.change(uid, |owner, scopes| {
            let scope_key = scopes.number(ClaimClass::Actual, claim.source, claim.scope);
            for (state, names) in state_names {
                let (targets, aliases) =
                    (names.into_iter()).partition(|name| name.kind == AliasKind::Target);
                owner.put_state_names(scope_key, state, Some(aliases), Some(targets));
            }
            scopes.restore(uid, &mut owner.claims, key, states, claim.seen);
        });
        self.changed = true;
    }
}
