//! Reads.

use std::sync::RwLockReadGuard;

use super::held::Held;
use super::name::{Kind, Name};
use super::owner::Owner;
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

    pub(super) fn moment(&self) -> UnixNanos {
        self.at
    }

    /// Something begins or ends at this time.
    pub(super) fn narrow(&mut self, time: UnixNanos) {
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

    pub(super) fn held(&self) -> &Held {
        &self.0
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
        // Several claims of a uid may have one name.
        found.sort_unstable();
        found.dedup();
        found
    }

    /// All names of a kind that lead to the uid at the moment of `holds`, which is narrowed to how
    /// long that is so.
    pub fn names(&self, uid: &str, kind: Kind, holds: &mut Holds) -> Vec<&Name> {
        let Some(owner) = self.0.owners.get(uid) else {
            return Vec::new();
        };
        let mut names = owner.names_at(&self.0.scopes, holds);
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

    /// Since when a name that leads to the uid now has done so; none where it does not lead there.
    pub fn since(&self, uid: &str, kind: Kind, value: &str) -> Option<UnixNanos> {
        let owner = self.0.owners.get(uid)?;
        owner.since(&self.0.scopes, |name| {
            name.kind == kind && *name.value == *value
        })
    }
}
