//! What is held: the owners of names, and who has or had each name.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::name::{Kind, Name};
use super::owner::{Owner, Size};
use crate::claim_memory::Scopes;
use crate::counters::Counter;
use crate::uid;

/// Completions of scans that are kept of each scope.
const WINDOW: usize = 4;

#[derive(Debug)]
pub(super) struct Held {
    pub(super) owners: HashMap<Arc<str>, Owner>,
    /// Owners by the hash of their uid, as scans name their members.
    pub(super) by_hash: HashMap<u64, Arc<str>>,
    /// For each kind the uids that have or had a name of this value, each once.
    pub(super) by_value: [HashMap<Arc<str>, Vec<Arc<str>>>; Kind::ALL],
    pub(super) scopes: Scopes,
    /// Sources and scopes of names: few, and the same again and again.
    words: HashSet<Arc<str>>,
    /// Of all owners.
    pub(super) size: Size,
    /// Names that are held at most, past ones included.
    pub(super) most: usize,
    pub(super) evicted: Counter,
    pub(super) has_warned: bool,
}

impl Held {
    pub(super) fn new(most: usize, evicted: Counter) -> Held {
        Held {
            owners: HashMap::new(),
            by_hash: HashMap::new(),
            by_value: Default::default(),
            scopes: Scopes::new(WINDOW),
            words: HashSet::new(),
            size: Size::default(),
            most,
            evicted,
            has_warned: false,
        }
    }

    /// Changes an owner, and keeps all else in step with it. An owner that has no names left is removed.
    pub(super) fn change<T>(
        &mut self,
        uid: &str,
        change: impl FnOnce(&mut Owner, &mut Scopes) -> T,
    ) -> T {
        let (uid, mut owner) = match self.owners.remove_entry(uid) {
            Some(known) => known,
            None => (Arc::from(uid), Owner::default()),
        };
        let before = owner.size(&self.scopes);
        let names = |owner: &Owner| -> HashSet<(Kind, Arc<str>)> {
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
            self.lead_no_more(*kind, value, &uid);
        }
        let after = match has.is_empty() {
            true => Size::default(),
            false => owner.size(&self.scopes),
        };
        self.size.all = self.size.all + after.all - before.all;
        self.size.past = self.size.past + after.past - before.past;
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

    fn lead_no_more(&mut self, kind: Kind, value: &str, uid: &Arc<str>) {
        let by_value = &mut self.by_value[kind as usize];
        if let Some(uids) = by_value.get_mut(value) {
            uids.retain(|other| other != uid);
            if uids.is_empty() {
                by_value.remove(value);
            }
        }
    }

    /// The same name, its texts shared with those that are held.
    pub(super) fn shared(&mut self, name: Name) -> Name {
        let known = self.by_value[name.kind as usize].get_key_value(&name.value);
        Name {
            kind: name.kind,
            value: known.map_or(name.value, |(known, _)| known.clone()),
            scope: self.word(&name.scope),
        }
    }

    fn word(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.words.get(word) {
            return known.clone();
        }
        let word: Arc<str> = word.into();
        self.words.insert(word.clone());
        word
    }
}
