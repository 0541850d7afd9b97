//! All that was told, so that only what is new is told again.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use pipeline::component::UnixNanos;
use pipeline::graph_store::{GraphStore, StoreError};

use super::base::{Base, Told, lock};
use super::kind::Turn;
use super::kinds;
use super::names::parts;
use super::owners::Owners;
use super::retired::Scopes;

/// Uids that are read from the store at a time.
const PAGE: usize = 2000;

/// By account, region and kind, whatever the filter and whoever tells it: neither makes anything new.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    bases: Arc<Mutex<HashMap<String, Arc<Base>>>>,
    /// By region and kind, whose things are told that share them.
    sharing: Arc<Mutex<HashMap<String, BTreeSet<String>>>>,
    pub(super) scopes: Scopes,
    pub(super) owners: Owners,
}

impl Known {
    /// What a source has told before this process.
    pub(super) async fn read(store: &dyn GraphStore, source: &str) -> Result<Known, StoreError> {
        let known = Known::default();
        for scope in store.open_scopes(source).await? {
            known.scopes.add(&scope.into());
        }
        let mut scopes = HashSet::new();
        let mut after = None;
        loop {
            let page = store.scanned(source, after.as_deref(), PAGE).await?;
            for scanned in page.scanned {
                // One name for all that was told in a scope.
                let scope: Arc<str> = scanned.scope.into();
                let scope = scopes.get(&scope).cloned().unwrap_or_else(|| {
                    scopes.insert(scope.clone());
                    scope
                });
                known.recall(&scanned.uid, &scope, scanned.state);
            }
            after = page.last;
            if after.is_none() {
                return Ok(known);
            }
        }
    }

    /// Takes in that a uid was told in a scope, in this state, before this process.
    pub(super) fn recall(&self, uid: &str, scope: &Arc<str>, state: u64) {
        self.scopes.add(scope);
        let Some((account, place, is_shared)) = parts(scope) else {
            return;
        };
        // Only what others name by its id alone, as when it is scanned.
        let kind = place.split_once('/').map_or("", |(_, kind)| kind);
        let mut kinds = kinds::ALL.iter();
        if kinds.any(|it| it.turn() == Turn::First && it.name() == kind) {
            self.owners.learn(uid);
        }
        let base = self.base(&format!("{account}/{place}"));
        match is_shared {
            true => self.shares(place, account),
            false => base.told_by_owner(),
        }
        let told = Told {
            uid: uid.into(),
            scope: scope.clone(),
            state,
            time: UnixNanos(0),
        };
        base.remember([told]);
    }

    /// What this account shares is told, of one kind in one region.
    pub(super) fn shares(&self, place: &str, account: &str) {
        let mut sharing = lock(&self.sharing);
        sharing
            .entry(place.to_owned())
            .or_default()
            .insert(account.to_owned());
    }

    /// The accounts of which that is so.
    pub(super) fn sharing(&self, place: &str) -> BTreeSet<String> {
        lock(&self.sharing).get(place).cloned().unwrap_or_default()
    }

    pub(super) fn base(&self, base: &str) -> Arc<Base> {
        let mut bases = lock(&self.bases);
        match bases.get(base) {
            Some(known) => known.clone(),
            None => bases.entry(base.to_owned()).or_default().clone(),
        }
    }
}
