//! The spans that wait for their partner.

use std::hash::BuildHasher;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use pipeline::component::UnixNanos;

use super::parties::Party;

/// What both spans of a call have: the trace, and the client's span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) trace: u128,
    pub(super) span: u64,
}

/// One side of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Half {
    pub(super) side: Side,
    /// A producer or consumer.
    pub(super) messaging: bool,
    pub(super) failed: bool,
    pub(super) party: Party,
    /// Whom a client span names as its server.
    pub(super) peer: Party,
    /// Interned attributes for metrics.
    pub(super) dimensions: u32,
    /// Nanoseconds since 1970.
    pub(super) start: u64,
    /// Nanoseconds since 1970, 0 where not given.
    pub(super) end: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

/// What a half met.
#[derive(Debug, PartialEq)]
pub(super) enum Met {
    /// Its partner, which waits no longer.
    Partner(Half),
    /// Nobody yet: it waits.
    Nobody,
    /// Nobody yet, and there is no room to wait.
    NoRoom,
}

const NONE: u32 = u32::MAX;

#[derive(Debug)]
struct Slot {
    key: Key,
    half: Half,
    expires: UnixNanos,
    older: u32,
    newer: u32,
}

/// Halves by key, and in the order of their arrival.
#[derive(Debug)]
pub(super) struct Halves {
    most: usize,
    numbers: HashTable<u32>,
    hashing: DefaultHashBuilder,
    slots: Vec<Slot>,
    free: Vec<u32>,
    oldest: u32,
    newest: u32,
}

impl Halves {
    /// `most` may wait at once.
    pub(super) fn new(most: usize) -> Halves {
        Halves {
            most: most.min(NONE as usize),
            numbers: HashTable::new(),
            hashing: DefaultHashBuilder::default(),
            slots: Vec::new(),
            free: Vec::new(),
            oldest: NONE,
            newest: NONE,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Half> {
        let slot_of = |number: &u32| &self.slots[*number as usize].half;
        self.numbers.iter().map(slot_of)
    }

    /// Takes the partner out where it waits; else the half waits until `expires`. The same side of
    /// the same call replaces what waits, which a sender's second try needs to count once.
    pub(super) fn meet(&mut self, key: Key, half: Half, expires: UnixNanos) -> Met {
        let hash = self.hashing.hash_one(key);
        let slots = &self.slots;
        let found = self.numbers.entry(
            hash,
            |&number| slots[number as usize].key == key,
            |&number| self.hashing.hash_one(slots[number as usize].key),
        );
        let vacant = match found {
            Entry::Occupied(entry) => {
                let number = *entry.get();
                let waiting = slots[number as usize].half;
                if waiting.side == half.side {
                    self.slots[number as usize].half = half;
                    return Met::Nobody;
                }
                entry.remove();
                self.unlink(number);
                return Met::Partner(waiting);
            }
            Entry::Vacant(vacant) => vacant,
        };
        if slots.len() - self.free.len() >= self.most {
            return Met::NoRoom;
        }
        let slot = Slot {
            key,
            half,
            expires,
            older: self.newest,
            newer: NONE,
        };
        let number = match self.free.pop() {
            Some(number) => {
                self.slots[number as usize] = slot;
                number
            }
            None => {
                self.slots.push(slot);
                (self.slots.len() - 1) as u32
            }
        };
        vacant.insert(number);
        match self.newest {
            NONE => self.oldest = number,
            newest => self.slots[newest as usize].newer = number,
        }
        self.newest = number;
        Met::Nobody
    }

    /// Takes out the oldest, if its time is over.
    pub(super) fn pop_expired(&mut self, now: UnixNanos) -> Option<Half> {
        if self.oldest == NONE || self.slots[self.oldest as usize].expires > now {
            return None;
        }
        let number = self.oldest;
        let Slot { key, half, .. } = self.slots[number as usize];
        let hash = self.hashing.hash_one(key);
        if let Ok(entry) = self.numbers.find_entry(hash, |&other| other == number) {
            entry.remove();
        }
        self.unlink(number);
        Some(half)
    }

    fn unlink(&mut self, number: u32) {
        let Slot { older, newer, .. } = self.slots[number as usize];
        match older {
            NONE => self.oldest = newer,
            older => self.slots[older as usize].newer = newer,
        }
        match newer {
            NONE => self.newest = older,
            newer => self.slots[newer as usize].older = older,
        }
        self.free.push(number);
    }
}

#[cfg(test)]
mod tests {
    use super::{Half, Halves, Key, Met, Party, Side, UnixNanos};

    const PARTY: Party = Party { node: 0, label: 0 };

    fn half(side: Side, start: u64) -> Half {
        Half {
            side,
            messaging: false,
            failed: false,
            party: PARTY,
            peer: PARTY,
            dimensions: 0,
            start,
            end: 0,
        }
    }

    fn key(span: u64) -> Key {
        Key { trace: 7, span }
    }

    #[test]
    fn the_second_half_takes_the_first_out() {
        let mut halves = Halves::new(10);
        let (client, server) = (half(Side::Client, 1), half(Side::Server, 2));
        assert_eq!(halves.meet(key(1), client, UnixNanos(5)), Met::Nobody);
        assert_eq!(halves.meet(key(2), server, UnixNanos(5)), Met::Nobody);
        let met = halves.meet(key(1), server, UnixNanos(5));
        assert_eq!(met, Met::Partner(client));
        assert_eq!(halves.len(), 1);
    }

    #[test]
    fn the_oldest_expire_first_and_only_when_their_time_is_over() {
        let mut halves = Halves::new(10);
        for at in 1..=4 {
            halves.meet(key(at), half(Side::Client, at), UnixNanos(at));
        }
        halves.meet(key(2), half(Side::Server, 0), UnixNanos(9));
        assert_eq!(halves.pop_expired(UnixNanos(3)).unwrap().start, 1);
        assert_eq!(halves.pop_expired(UnixNanos(3)).unwrap().start, 3);
        assert_eq!(halves.pop_expired(UnixNanos(3)), None);
        assert_eq!(halves.pop_expired(UnixNanos(4)).unwrap().start, 4);
        assert_eq!(halves.pop_expired(UnixNanos(99)), None);
        assert_eq!(halves.len(), 0);
    }

    #[test]
    fn a_full_store_takes_partners_but_no_more_halves() {
        let mut halves = Halves::new(2);
        for at in 1..=2 {
            halves.meet(key(at), half(Side::Client, at), UnixNanos(at));
        }
        let server = half(Side::Server, 0);
        assert_eq!(halves.meet(key(3), server, UnixNanos(9)), Met::NoRoom);
        let met = halves.meet(key(2), server, UnixNanos(9));
        assert!(matches!(met, Met::Partner(_)));
        assert_eq!(halves.meet(key(3), server, UnixNanos(9)), Met::Nobody);
    }
}
