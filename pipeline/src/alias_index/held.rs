//! What is held: who has or had each name, and the history of each uid.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::history::{History, Part};
use super::name::{Kind, Name};
use crate::component::UnixNanos;
use crate::counters::Counter;

#[derive(Debug)]
pub(super) struct Held {
    pub(super) owners: HashMap<Arc<str>, Owner>,
    /// For each kind the uids that have or had a name of this value, each once.
    pub(super) by_value: [HashMap<Arc<str>, Vec<Arc<str>>>; Kind::ALL],
    /// Sources and scopes: few, and the same again and again.
    words: HashSet<Arc<str>>,
    /// Names that are held, and how many of them are past.
    pub(super) size: usize,
    pub(super) past: usize,
    pub(super) most: usize,
    pub(super) left_out: Counter,
}

/// What is known of one uid.
#[derive(Debug, Default)]
pub(super) struct Owner {
    pub(super) histories: Vec<History>,
    pub(super) seen: Vec<Seen>,
}

/// A name that was seen by itself.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) name: Name,
    pub(super) from: UnixNanos,
    pub(super) until: Option<UnixNanos>,
}

impl Held {
    pub(super) fn new(most: usize, left_out: Counter) -> Held {
        Held {
            owners: HashMap::new(),
            by_value: Default::default(),
            words: HashSet::new(),
            size: 0,
            past: 0,
            most,
            left_out,
        }
    }

    /// A set that a source tells of a uid; whether that changes anything.
    pub(super) fn tell(
        &mut self,
        uid: &str,
        (source, part): (&str, Part),
        time: UnixNanos,
        mut names: Vec<Name>,
    ) -> bool {
        names.sort_unstable();
        names.dedup();
        let owner = self.owners.get_mut(uid);
        let history = owner.and_then(|owner| owner.history(source, part));
        match history.and_then(|history| history.told.last_mut()) {
            // As of most resources: they have no names that anybody asks for.
            None if names.is_empty() => return false,
            // Told again as it was.
            Some(newest) if newest.first <= time && *newest.names == *names => {
                newest.is_told_at(time);
                return false;
            }
            _ => {}
        }
        if !self.make_room(names.len().max(1)) {
            return false;
        }
        let uid = self.uid(uid);
        let source = self.word(source);
        let names: Vec<Name> = names.into_iter().map(|name| self.shared(name)).collect();
        for name in &names {
            self.lead(name, &uid);
        }
        let owner = self.owners.entry(uid).or_default();
        let before = owner.size();
        owner.history_of(source, part).tell(time, names.into());
        let after = owner.size();
        self.resize(before, after);
        true
    }

    /// A name that was seen by itself; whether that changes anything.
    pub(super) fn see(&mut self, uid: &str, new: Seen) -> bool {
        let owner = self.owners.get_mut(uid);
        let known = owner.and_then(|owner| owner.seen.iter_mut().find(|old| old.name == new.name));
        if let Some(old) = known {
            let before = (old.from, old.until);
            old.from = old.from.min(new.from);
            let both = old.until.zip(new.until);
            old.until = both.map(|(one, other)| one.max(other));
            return before != (old.from, old.until);
        }
        if !self.make_room(1) {
            return false;
        }
        let uid = self.uid(uid);
        let name = self.shared(new.name);
        self.lead(&name, &uid);
        let owner = self.owners.entry(uid).or_default();
        let before = owner.size();
        owner.seen.push(Seen { name, ..new });
        let after = owner.size();
        self.resize(before, after);
        true
    }

    /// The uid is no more: whether any name has led to it.
    pub(super) fn end(&mut self, uid: &str, time: UnixNanos) -> bool {
        let Some(owner) = self.owners.get_mut(uid) else {
            return false;
        };
        let before = owner.size();
        for history in &mut owner.histories {
            history.tell(time, Arc::default());
        }
        for seen in owner.seen.iter_mut().filter(|seen| seen.from < time) {
            seen.until = Some(seen.until.map_or(time, |until| until.min(time)));
        }
        let after = owner.size();
        self.resize(before, after);
        true
    }

    fn resize(&mut self, before: (usize, usize), after: (usize, usize)) {
        self.size = self.size + after.0 - before.0;
        self.past = self.past + after.1 - before.1;
    }

    fn lead(&mut self, name: &Name, uid: &Arc<str>) {
        let uids = self.by_value[name.kind as usize]
            .entry(name.value.clone())
            .or_default();
        if !uids.contains(uid) {
            uids.push(uid.clone());
        }
    }

    fn uid(&self, uid: &str) -> Arc<str> {
        let known = self.owners.get_key_value(uid);
        known.map_or_else(|| uid.into(), |(known, _)| known.clone())
    }

    /// The same name, its texts shared with those that are held.
    fn shared(&mut self, name: Name) -> Name {
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

impl Owner {
    fn history(&mut self, source: &str, part: Part) -> Option<&mut History> {
        let is_it = |history: &&mut History| *history.source == *source && history.part == part;
        self.histories.iter_mut().find(is_it)
    }

    fn history_of(&mut self, source: Arc<str>, part: Part) -> &mut History {
        let is_it = |history: &History| history.source == source && history.part == part;
        let place = self.histories.iter().position(is_it);
        let place = place.unwrap_or_else(|| {
            self.histories.push(History::new(source, part));
            self.histories.len() - 1
        });
        &mut self.histories[place]
    }

    /// What it takes of the room, and how much of that is past.
    pub(super) fn size(&self) -> (usize, usize) {
        let ended = self.seen.iter().filter(|seen| seen.until.is_some()).count();
        let sizes = self.histories.iter().map(History::size);
        sizes.fold(
            (self.seen.len(), ended),
            |(all, past), (of_all, of_past)| (all + of_all, past + of_past),
        )
    }

    /// All names that lead or led here.
    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        let told = self.histories.iter().flat_map(|history| &history.told);
        let seen = self.seen.iter().map(|seen| &seen.name);
        told.flat_map(|told| told.names.iter()).chain(seen)
    }
}
