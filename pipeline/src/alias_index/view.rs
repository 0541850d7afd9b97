//! Queries the index.

use std::sync::{Arc, RwLockReadGuard};

use super::name::{AliasKind, AliasName};
use super::owner::Owner;
use super::state::IndexState;
use super::valid_interval::ValidInterval;
use crate::unix_nanos::UnixNanos;

/// A read lock on the index: all its queries see one state.
#[derive(Debug)]
pub struct AliasView<'a>(RwLockReadGuard<'a, IndexState>);

impl<'a> AliasView<'a> {
    pub(super) fn of(state: RwLockReadGuard<'a, IndexState>) -> AliasView<'a> {
        AliasView(state)
    }

    /// The uids that have a name at the moment of `valid`, each with the scope of the name. `value` must have the form
    /// that [`canonical_address`](super::canonical_address) or [`canonical_host`](super::canonical_host) returns.
    /// Narrows `valid` to the period in which the answer is the same.
    pub fn owners(
        &self,
        kind: AliasKind,
        value: &str,
        valid: &mut ValidInterval,
    ) -> Vec<(&str, &str)> {
        let mut owners = Vec::new();
        for uid in self.uids(kind, value) {
            let names = self.names(uid, kind, valid);
            let same = names.into_iter().filter(|name| *name.value == *value);
            owners.extend(same.map(|name| (uid, &*name.scope)));
        }
        // Several claims of a uid may report the same name.
        owners.sort_unstable();
        owners.dedup();
        owners
    }

    /// The names of a kind that a uid has at the moment of `valid`. Narrows `valid` to the period in which the answer
    /// is the same.
    pub fn names(&self, uid: &str, kind: AliasKind, valid: &mut ValidInterval) -> Vec<&AliasName> {
        let Some(owner) = self.0.owners.get(uid) else {
            return Vec::new();
        };
        let mut names = owner.names_at(&self.0.scopes, valid);
        names.retain(|name| name.kind == kind);
        names
    }

    /// The uids that have or had a name of this kind and value, without duplicates.
    pub fn uids(&self, kind: AliasKind, value: &str) -> impl Iterator<Item = &str> {
        let uids = self.0.by_value[kind as usize].get(value);
        uids.into_iter().flatten().map(|uid| &**uid)
    }

    /// The names of a kind that a uid has or had. A name may occur twice.
    pub fn all_names(&self, uid: &str, kind: AliasKind) -> impl Iterator<Item = &AliasName> {
        let names = self.0.owners.get(uid).map(Owner::names);
        names
            .into_iter()
            .flatten()
            .filter(move |name| name.kind == kind)
    }

    /// The time since which a uid has had a name without a break; `None` if it does not have the name now.
    pub fn since(&self, uid: &str, kind: AliasKind, value: &str) -> Option<UnixNanos> {
        let owner = self.0.owners.get(uid)?;
        owner.since(&self.0.scopes, |name| {
            name.kind == kind && *name.value == *value
        })
    }

    /// Whether a uid has or had any name.
    pub fn has_names(&self, uid: &str) -> bool {
        self.0.owners.contains_key(uid)
    }

    /// The uids that have or had any name, without duplicates.
    pub fn named_uids(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.owners.keys()
    }
}
