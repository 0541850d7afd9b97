//! The content of the index: the owners by uid, and the uids by name.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::name::{AliasKind, AliasName};
use super::owner::{NameCount, Owner};
use crate::claim_memory::ClaimScopes;
use crate::counters::Counter;
use crate::uid;

/// The number of scan completions that the index keeps for each scope.
const WINDOW: usize = 4;

#[derive(Debug)]
pub(super) struct IndexState {
    /// The owners by uid.
    pub(super) owners: HashMap<Arc<str>, Owner>,
    /// The uids of all owners by their hash, since scan completions list hashes.
    pub(super) by_hash: HashMap<u64, Arc<str>>,
    /// For each kind and value, the uids that have or had such a name, without duplicates.
    pub(super) by_value: [HashMap<Arc<str>, Vec<Arc<str>>>; AliasKind::COUNT],
    pub(super) scopes: ClaimScopes,
    /// The scopes of names, each stored once, since there are few. A name holds the text itself and not a number, since
    /// views return the text.
    name_scopes: HashSet<Arc<str>>,
    /// The number of names of all owners.
    pub(super) count: NameCount,
    /// The limit on `count.all`.
    pub(super) max_names: usize,
    pub(super) evicted: Counter,
    /// Whether the warning that the index is full was logged. It is logged once, since a full index stays full;
    /// `evicted` counts the evicted names.
    pub(super) has_warned: bool,
}

impl IndexState {
    pub(super) fn new(max_names: usize, evicted: Counter) -> IndexState {
        IndexState {
            owners: HashMap::new(),
            by_hash: HashMap::new(),
            by_value: Default::default(),
            scopes: ClaimScopes::new(WINDOW),
            name_scopes: HashSet::new(),
            count: NameCount::default(),
            max_names,
            evicted,
            has_warned: false,
        }
    }

    /// Changes an owner, and updates the other maps and the count accordingly. Removes an owner that has no names left.
    pub(super) fn change<T>(
        &mut self,
        uid: &str,
        change: impl FnOnce(&mut Owner, &mut ClaimScopes) -> T,
    ) -> T {
        let (uid, mut owner) = match self.owners.remove_entry(uid) {
            Some(known) => known,
            None => (Arc::from(uid), Owner::default()),
        };
        let before = owner.name_count(&self.scopes);
        let names = |owner: &Owner| -> HashSet<(AliasKind, Arc<str>)> {
            let names = owner.names();
            names.map(|name| (name.kind, name.value.clone())).collect()
        };
        let had = names(&owner);
        let changed = change(&mut owner, &mut self.scopes);
        let has = names(&owner);
        for (kind, value) in has.difference(&had) {
            let uids = self.by_value[*kind as usize].entry(value.clone());
            uids.or_default().push(uid.clone());
        }
        for (kind, value) in had.difference(&has) {
            self.remove_value(*kind, value, &uid);
        }
        let after = match has.is_empty() {
            true => NameCount::default(),
            false => owner.name_count(&self.scopes),
        };
        self.count.all = self.count.all + after.all - before.all;
        self.count.past = self.count.past + after.past - before.past;
        if has.is_empty() {
            self.by_hash.remove(&uid::hash(&uid));
        } else {
            self.by_hash
                .entry(uid::hash(&uid))
                .or_insert_with(|| uid.clone());
            self.owners.insert(uid, owner);
        }
        changed
    }

    /// Removes a uid from the owners of a value.
    fn remove_value(&mut self, kind: AliasKind, value: &str, uid: &Arc<str>) {
        let by_value = &mut self.by_value[kind as usize];
        if let Some(uids) = by_value.get_mut(value) {
            uids.retain(|other| other != uid);
            if uids.is_empty() {
                by_value.remove(value);
            }
        }
    }

    /// Returns an equal name that shares its texts with the names in the index.
    pub(super) fn intern(&mut self, name: AliasName) -> AliasName {
        let known = self.by_value[name.kind as usize].get_key_value(&name.value);
        AliasName {
            kind: name.kind,
            value: known.map_or(name.value, |(known, _)| known.clone()),
            scope: self.intern_scope(&name.scope),
        }
    }

    fn intern_scope(&mut self, scope: &str) -> Arc<str> {
        if let Some(known) = self.name_scopes.get(scope) {
            return known.clone();
        }
        let scope: Arc<str> = scope.into();
        self.name_scopes.insert(scope.clone());
        scope
    }
}
