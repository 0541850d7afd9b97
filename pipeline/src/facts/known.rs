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
pub struct Known(HashMap<String, Vec<Row>>);

#[derive(Debug)]
struct Row {
    group: String,
    source: String,
    scope: String,
    hash: u64,
    first_seen: UnixNanos,
    last_seen: UnixNanos,
}

impl Known {
    /// Takes in what is stored, or about to be.
    pub fn add(&mut self, fact: &Fact<'_>) {
        let rows = self.0.entry(fact.uid.clone().into_owned()).or_default();
        match rows.iter_mut().find(|row| row.is(fact)) {
            Some(row) => {
                row.first_seen = row.first_seen.min(fact.first_seen);
                row.last_seen = row.last_seen.max(fact.last_seen);
            }
            None => rows.push(Row {
                group: fact.group.clone().into_owned(),
                source: fact.source.clone().into_owned(),
                scope: fact.scope.clone().into_owned(),
                hash: fact.hash,
                first_seen: fact.first_seen,
                last_seen: fact.last_seen,
            }),
        }
    }

    /// How new the fact is. `scanned`: the completion of a scan will vouch for it, so that a
    /// sighting alone need not be stored.
    pub fn novelty(&self, fact: &Fact<'_>, scanned: bool) -> Novelty {
        let rows = self.0.get(fact.uid.as_ref()).map_or(&[][..], Vec::as_slice);
        let Some(same) = rows.iter().find(|row| row.is(fact)) else {
            return Novelty::News;
        };
        let of_source = rows
            .iter()
            .filter(|row| row.group == fact.group && row.source == fact.source);
        let newest = of_source.max_by_key(|row| (row.last_seen, row.hash));
        let is_newest = newest.is_some_and(|newest| newest.is(fact));
        match is_newest {
            // What is older than all that is known of this value moves its beginning.
            true if scanned && fact.first_seen >= same.first_seen => Novelty::Repeats,
            true => Novelty::Sighting,
            false => Novelty::News,
        }
    }
}

impl Row {
    fn is(&self, fact: &Fact<'_>) -> bool {
        self.hash == fact.hash
            && self.group == fact.group
            && self.source == fact.source
            && self.scope == fact.scope
    }
}
