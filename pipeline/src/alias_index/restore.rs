//! Takes in what a store knows already.

use std::collections::BTreeSet;

use super::name::{Kind, Name};
use super::writer::Writer;
use crate::claims::Class;
use crate::component::UnixNanos;
use crate::reports::AliasItem;

/// A claim as a store has it, and the names that it reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredClaim<'a> {
    pub source: &'a str,
    /// Empty for none.
    pub scope: &'a str,
    pub class: Class,
    /// None where it is not known.
    pub state: Option<u64>,
    /// Since when it has the state; where that is not known, 0.
    pub since: UnixNanos,
    /// When it was last confirmed; where that is not known, 0.
    pub seen: UnixNanos,
    /// Each with when it came to lead to the uid.
    pub aliases: Vec<(UnixNanos, AliasItem<'a>)>,
    /// Likewise.
    pub targets: Vec<(UnixNanos, &'a str)>,
}

impl Default for StoredClaim<'_> {
    /// A claim that no scan made.
    fn default() -> Self {
        StoredClaim {
            source: "",
            scope: "",
            class: Class::Aliases,
            state: None,
            since: UnixNanos(0),
            seen: UnixNanos(0),
            aliases: Vec::new(),
            targets: Vec::new(),
        }
    }
}

impl Writer<'_> {
    /// Takes in a claim that a store has open: the next completion of its scope is compared with it.
    pub fn restore(&mut self, uid: &str, claim: &StoredClaim<'_>) {
        self.restore_alone(uid, claim);
        self.held.evict();
    }

    /// The same, whatever the limit.
    pub(super) fn restore_alone(&mut self, uid: &str, claim: &StoredClaim<'_>) {
        let aliases = claim.aliases.iter().filter_map(|(since, item)| {
            let within = Some(item.within).filter(|within| !within.is_empty());
            Some((*since, Name::of(item.kind, item.value, within)?))
        });
        let targets = claim.targets.iter();
        let targets = targets.map(|(since, to)| (*since, Name::target(to)));
        let names: Vec<(UnixNanos, Name)> = aliases.chain(targets).collect();
        let mut times: BTreeSet<UnixNanos> = names.iter().map(|(since, _)| *since).collect();
        let Some(newest) = times.last().map(|last| claim.since.max(*last)) else {
            return;
        };
        times.insert(newest);
        // A state of each time at which a name was added: the last one is as it is stored.
        let state_of = |time: UnixNanos| match time == newest {
            true => claim.state.unwrap_or(newest.0),
            false => time.0,
        };
        let versions: Vec<(u64, Vec<Name>)> = times
            .iter()
            .map(|time| {
                let by_then = names.iter().filter(|(since, _)| since <= time);
                let names = by_then.map(|(_, name)| self.held.shared(name.clone()));
                (state_of(*time), names.collect())
            })
            .collect();
        let states = times.iter().map(|time| (*time, state_of(*time)));
        let key = (claim.class, claim.source, claim.scope);
        self.held.change(uid, |owner, scopes| {
            let area = scopes.number(Class::Actual, claim.source, claim.scope);
            for (state, names) in versions {
                let (targets, aliases) =
                    (names.into_iter()).partition(|name| name.kind == Kind::Target);
                owner.put(area, state, Some(aliases), Some(targets));
            }
            scopes.restore(uid, &mut owner.claims, key, states, claim.seen);
        });
        self.changed = true;
    }
}
