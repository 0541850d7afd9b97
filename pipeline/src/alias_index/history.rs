//! What one source has told of a uid, in the order of its times.

use std::sync::Arc;

use super::name::Name;
use crate::component::UnixNanos;

/// Which of its sets a source tells of a uid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Aliases,
    /// Names of the kind [`Kind::Target`](super::Kind::Target).
    Targets,
}

/// The sets that a source told, by time; no two that follow each other are equal. Each holds until
/// the next.
#[derive(Debug)]
pub(super) struct History {
    pub(super) source: Arc<str>,
    pub(super) part: Part,
    pub(super) told: Vec<Told>,
}

/// A set, and when it was first and last told before another was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) first: UnixNanos,
    last: UnixNanos,
    /// Ascending, each once.
    pub(super) names: Arc<[Name]>,
}

impl Told {
    fn at(time: UnixNanos, names: Arc<[Name]>) -> Told {
        Told {
            first: time,
            last: time,
            names,
        }
    }

    pub(super) fn is_told_at(&mut self, time: UnixNanos) {
        self.last = self.last.max(time);
    }

    /// What it takes of the room: the end of all names does, too.
    pub(super) fn size(&self) -> usize {
        self.names.len().max(1)
    }
}

impl History {
    pub(super) fn new(source: Arc<str>, part: Part) -> History {
        History {
            source,
            part,
            told: Vec::new(),
        }
    }

    /// The place of the set that holds at a moment; none before the first.
    pub(super) fn place_at(&self, at: UnixNanos) -> Option<usize> {
        let later = self.told.partition_point(|told| told.first <= at);
        later.checked_sub(1)
    }

    /// Takes a set in. Of two sets of one time the greater counts: which of them came first must
    /// not matter.
    pub(super) fn tell(&mut self, time: UnixNanos, names: Arc<[Name]>) {
        let Some(place) = self.place_at(time) else {
            self.told.insert(0, Told::at(time, names));
            self.join(0);
            return;
        };
        let before = &mut self.told[place];
        if before.names == names {
            before.last = before.last.max(time);
            self.join(place);
            return;
        }
        let at_once = time == before.first || time == before.last;
        if at_once && before.names > names {
            return;
        }
        // It was told again later: then it holds again.
        let again = (time < before.last).then(|| Told::at(before.last, before.names.clone()));
        let new = Told::at(time, names);
        let at = if time == before.first {
            *before = new;
            place
        } else {
            if time <= before.last {
                before.last = before.first;
            }
            self.told.insert(place + 1, new);
            place + 1
        };
        if let Some(again) = again {
            self.told.insert(at + 1, again);
        }
        self.join(at);
    }

    /// Makes one of the set at this place and its neighbours, where they are equal.
    fn join(&mut self, place: usize) {
        for left in [place, place.saturating_sub(1)] {
            let Some([one, next]) = self.told.get_mut(left..left + 2) else {
                continue;
            };
            if one.names == next.names {
                one.last = one.last.max(next.last);
                self.told.remove(left + 1);
            }
        }
    }

    /// What it takes of the room, and how much of that is past.
    pub(super) fn size(&self) -> (usize, usize) {
        let all = self.told.iter().map(Told::size).sum();
        let newest = self.told.last().filter(|newest| !newest.names.is_empty());
        (all, all - newest.map_or(0, Told::size))
    }
}
