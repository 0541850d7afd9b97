//! How much is held: what is past goes first, the oldest of it before the rest; then nothing new is
//! taken.

use std::sync::Arc;

use super::held::{Held, Owner};
use super::history::History;
use crate::component::UnixNanos;

/// The part of the room that is made free at once: looking for what is past takes a look at all.
const AT_ONCE: usize = 16;

impl Held {
    /// Whether there is room for as many names more.
    pub(super) fn make_room(&mut self, wanted: usize) -> bool {
        if self.size + wanted <= self.most {
            return true;
        }
        let at_once = (self.most / AT_ONCE).max(wanted);
        if self.past >= at_once {
            self.forget(at_once);
        }
        let has_room = self.size + wanted <= self.most;
        if !has_room {
            self.left_out.add(wanted as u64);
        }
        has_room
    }

    /// Forgets so many names that are past, and all that ended as early.
    fn forget(&mut self, many: usize) {
        let mut ends: Vec<(UnixNanos, usize)> =
            self.owners.values().flat_map(Owner::ends).collect();
        ends.sort_unstable();
        let mut sum = 0;
        let enough = ends.iter().find(|(_, size)| {
            sum += size;
            sum >= many
        });
        let Some((until, _)) = enough.or(ends.last()).copied() else {
            return;
        };
        let mut forgotten = Vec::new();
        self.owners.retain(|uid, owner| {
            if owner.ends().all(|(end, _)| end > until) {
                return true;
            }
            let names: Vec<_> = owner.names().cloned().collect();
            let before = owner.size();
            owner.forget(until);
            let after = owner.size();
            self.size = self.size + after.0 - before.0;
            self.past = self.past + after.1 - before.1;
            forgotten.extend(names.into_iter().map(|name| (name, uid.clone())));
            after.0 > 0
        });
        for (name, uid) in forgotten {
            self.lead_no_more(&name.value, name.kind as usize, &uid);
        }
    }

    fn lead_no_more(&mut self, value: &str, kind: usize, uid: &Arc<str>) {
        let stays = self.owners.get(uid).is_some_and(|owner| {
            let mut names = owner.names();
            names.any(|name| name.kind as usize == kind && *name.value == *value)
        });
        if stays {
            return;
        }
        if let Some(uids) = self.by_value[kind].get_mut(value) {
            uids.retain(|other| other != uid);
            if uids.is_empty() {
                self.by_value[kind].remove(value);
            }
        }
    }
}

impl Owner {
    /// When what is past has ended, and what it takes.
    fn ends(&self) -> impl Iterator<Item = (UnixNanos, usize)> {
        let told = self.histories.iter().flat_map(History::ends);
        let seen = self.seen.iter().filter_map(|seen| Some((seen.until?, 1)));
        told.chain(seen)
    }

    fn forget(&mut self, until: UnixNanos) {
        self.seen
            .retain(|seen| seen.until.is_none_or(|end| end > until));
        for history in &mut self.histories {
            history.forget(until);
        }
        self.histories.retain(|history| !history.told.is_empty());
    }
}

impl History {
    fn ends(&self) -> impl Iterator<Item = (UnixNanos, usize)> {
        let next = self.told.iter().skip(1).map(|next| next.first);
        let replaced = self.told.iter().zip(next);
        let replaced = replaced.map(|(told, end)| (end, told.size()));
        // The end of all names is past as well.
        let end = self.told.last().filter(|last| last.names.is_empty());
        replaced.chain(end.map(|end| (end.first, end.size())))
    }

    fn forget(&mut self, until: UnixNanos) {
        let past = self
            .told
            .iter()
            .skip(1)
            .take_while(|next| next.first <= until);
        let past = past.count();
        self.told.drain(..past);
        if let [end] = self.told.as_slice()
            && end.names.is_empty()
            && end.first <= until
        {
            self.told.clear();
        }
    }
}
