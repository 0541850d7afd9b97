//! What is asked.

use std::sync::RwLockReadGuard;

use super::held::{Held, Owner};
use super::history::History;
use super::name::{Kind, Name};
use crate::component::UnixNanos;

/// The index as it is, while this is held.
#[derive(Debug)]
pub struct View<'a>(RwLockReadGuard<'a, Held>);

/// Around a moment, how long what was asked for it holds: `from` until before `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holds {
    at: UnixNanos,
    from: UnixNanos,
    until: UnixNanos,
}

impl Holds {
    pub fn at(at: UnixNanos) -> Holds {
        Holds {
            at,
            from: UnixNanos(0),
            until: UnixNanos(u64::MAX),
        }
    }

    pub fn contains(&self, time: UnixNanos) -> bool {
        self.from <= time && (time < self.until || time == self.at)
    }

    /// Something begins or ends at this time.
    fn narrow(&mut self, time: UnixNanos) {
        if time <= self.at {
            self.from = self.from.max(time);
        } else {
            self.until = self.until.min(time);
        }
    }
}

impl<'a> View<'a> {
    pub(super) fn of(held: RwLockReadGuard<'a, Held>) -> View<'a> {
        View(held)
    }

    /// The uids that a name leads to at the moment of `holds`, each with the scope of the name; in
    /// the form that [`address`](super::address) and [`host`](super::host) give it. `holds` is
    /// narrowed to how long that is so.
    pub fn owners(&self, kind: Kind, value: &str, holds: &mut Holds) -> Vec<(&str, &str)> {
        let mut found = Vec::new();
        for uid in self.uids(kind, value) {
            let names = self.names(uid, kind, holds);
            let same = names.into_iter().filter(|name| *name.value == *value);
            found.extend(same.map(|name| (uid, &*name.scope)));
        }
        found
    }

    /// All names of a kind that lead to the uid at the moment of `holds`, which is narrowed to how
    /// long that is so.
    pub fn names(&self, uid: &str, kind: Kind, holds: &mut Holds) -> Vec<&Name> {
        let Some(owner) = self.0.owners.get(uid) else {
            return Vec::new();
        };
        let mut names = owner.at(holds);
        names.retain(|name| name.kind == kind);
        names
    }

    /// The uids that a name of this value leads to or has led to, each once.
    pub fn uids(&self, kind: Kind, value: &str) -> impl Iterator<Item = &str> {
        let uids = self.0.by_value[kind as usize].get(value);
        uids.into_iter().flatten().map(|uid| &**uid)
    }

    /// All names of a kind that lead to the uid or have led to it; some may come twice.
    pub fn all_names(&self, uid: &str, kind: Kind) -> impl Iterator<Item = &Name> {
        let names = self.0.owners.get(uid).map(Owner::names);
        names
            .into_iter()
            .flatten()
            .filter(move |name| name.kind == kind)
    }

    /// When a name that leads to the uid now was first told to; none where it does not lead there.
    pub fn since(&self, uid: &str, kind: Kind, value: &str) -> Option<UnixNanos> {
        let owner = self.0.owners.get(uid)?;
        let is_it = |name: &Name| name.kind == kind && *name.value == *value;
        let told = owner.histories.iter().filter_map(|history| {
            let newest_first = history.told.iter().rev();
            let mut unbroken = newest_first.take_while(|told| told.names.iter().any(is_it));
            let newest = unbroken.next()?;
            Some(unbroken.last().unwrap_or(newest).first)
        });
        let seen = owner.seen.iter().filter(|seen| is_it(&seen.name));
        let seen = seen
            .filter(|seen| seen.until.is_none())
            .map(|seen| seen.from);
        told.chain(seen).min()
    }
}

impl Owner {
    /// The names at the moment of `holds`, which is narrowed.
    fn at(&self, holds: &mut Holds) -> Vec<&Name> {
        let mut names: Vec<&Name> = Vec::new();
        for history in &self.histories {
            names.extend(history.at(holds));
        }
        for seen in &self.seen {
            holds.narrow(seen.from);
            if let Some(until) = seen.until {
                holds.narrow(until);
            }
            if seen.from <= holds.at && seen.until.is_none_or(|until| holds.at < until) {
                names.push(&seen.name);
            }
        }
        names
    }
}

impl History {
    fn at(&self, holds: &mut Holds) -> &[Name] {
        let place = self.place_at(holds.at);
        let next = place.map_or(0, |place| place + 1);
        if let Some(next) = self.told.get(next) {
            holds.narrow(next.first);
        }
        let Some(told) = place.and_then(|place| self.told.get(place)) else {
            return &[];
        };
        holds.narrow(told.first);
        &told.names
    }
}
