//! What a store has already, so that it writes only what is new.

use std::collections::HashMap;

use super::fact::Fact;
use crate::component::UnixNanos;

/// What a fact would change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Novelty {
    /// Nothing that a completion of its scope does not say as well: it need not be stored.
    Repeats,
    /// When it was seen, not what is current.
    Sighting,
    /// What its source says.
    News,
}

/// The facts of some uids, without what they say.
#[derive(Debug, Default)]
pub struct Known {
    of: HashMap<String, Vec<Row>>,
    /// Groups, sources and scopes: few, and the same again and again.
    words: HashMap<String, u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    group: u32,
    source: u32,
    scope: u32,
    hash: u64,
}

#[derive(Debug)]
struct Row {
    key: Key,
    first_seen: UnixNanos,
    last_seen: UnixNanos,
}

impl Known {
    /// Takes in what is stored, or about to be.
    pub fn add(&mut self, fact: &Fact<'_>) {
        let key = Key {
            group: self.word(&fact.group),
            source: self.word(&fact.source),
            scope: self.word(&fact.scope),
            hash: fact.hash,
        };
        let new = Row {
            key,
            first_seen: fact.first_seen,
            last_seen: fact.last_seen,
        };
        let Some(rows) = self.of.get_mut(fact.uid.as_ref()) else {
            self.of.insert(fact.uid.clone().into_owned(), vec![new]);
            return;
        };
        match rows.iter_mut().find(|row| row.key == key) {
            Some(row) => {
                row.first_seen = row.first_seen.min(fact.first_seen);
                row.last_seen = row.last_seen.max(fact.last_seen);
            }
            None => rows.push(new),
        }
    }

    fn word(&mut self, word: &str) -> u32 {
        if let Some(number) = self.words.get(word) {
            return *number;
        }
        let number = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        self.words.insert(word.to_owned(), number);
        number
    }

    /// None where something of it was never met.
    fn key(&self, fact: &Fact<'_>) -> Option<Key> {
        let word = |word: &str| self.words.get(word).copied();
        Some(Key {
            group: word(&fact.group)?,
            source: word(&fact.source)?,
            scope: word(&fact.scope)?,
            hash: fact.hash,
        })
    }

    /// How new the fact is. `scanned`: the completion of a scan will vouch for it, so that a
    /// sighting alone need not be stored.
    pub fn novelty(&self, fact: &Fact<'_>, scanned: bool) -> Novelty {
        let rows = self
            .of
            .get(fact.uid.as_ref())
            .map_or(&[][..], Vec::as_slice);
        let Some(key) = self.key(fact) else {
            return Novelty::News;
        };
        let Some(same) = rows.iter().find(|row| row.key == key) else {
            return Novelty::News;
        };
        let of_source = rows
            .iter()
            .filter(|row| row.key.group == key.group && row.key.source == key.source);
        let newest = of_source.max_by_key(|row| (row.last_seen, row.key.hash));
        let is_newest = newest.is_some_and(|newest| newest.key == key);
        match is_newest {
            // What is older than all that is known of this value moves its beginning.
            true if scanned && fact.first_seen >= same.first_seen => Novelty::Repeats,
            true => Novelty::Sighting,
            false => Novelty::News,
        }
    }
}
