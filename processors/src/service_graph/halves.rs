//! The store of spans that wait for their partner.

use std::hash::BuildHasher;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use pipeline::component::UnixNanos;

use super::parties::Party;

/// The key that both spans of a call share: the trace id and the id of the client span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct CallKey {
    pub(super) trace: u128,
    pub(super) span: u64,
}

/// One side of a call, as its span reports it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct CallSpan {
    pub(super) side: Side,
    /// Whether it is a producer or consumer span.
    pub(super) messaging: bool,
    pub(super) failed: bool,
    pub(super) party: Party,
    /// The server that a client span names.
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

/// What [`PendingSpans::join`] did with a span.
#[derive(Debug, PartialEq)]
pub(super) enum JoinOutcome {
    /// Its partner was pending and has been removed from the store.
    Joined(CallSpan),
    /// No partner yet: the span is pending.
    Pending,
    /// No partner yet, and the store is full: the span was not stored.
    Full,
}

const NONE: u32 = u32::MAX;

#[derive(Debug)]
struct PendingSlot {
    key: CallKey,
    span: CallSpan,
    expires: UnixNanos,
    older: u32,
    newer: u32,
}

/// Pending spans by key, linked in the order of their arrival.
#[derive(Debug)]
pub(super) struct PendingSpans {
    max_items: usize,
    numbers: HashTable<u32>,
    hashing: DefaultHashBuilder,
    slots: Vec<PendingSlot>,
    free: Vec<u32>,
    oldest: u32,
    newest: u32,
}

impl PendingSpans {
    /// A store of at most `max_items` spans.
    pub(super) fn new(max_items: usize) -> PendingSpans {
        PendingSpans {
            max_items: max_items.min(NONE as usize),
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

    pub(super) fn iter(&self) -> impl Iterator<Item = &CallSpan> {
        let span_of = |number: &u32| &self.slots[*number as usize].span;
        self.numbers.iter().map(span_of)
    }

    /// Removes and returns the partner if it is pending; else stores the span until `expires`. A span of the
    /// same side and call replaces the stored one, so that a span sent again by a retry counts once.
    pub(super) fn join(&mut self, key: CallKey, span: CallSpan, expires: UnixNanos) -> JoinOutcome {
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
                let waiting = slots[number as usize].span;
                if waiting.side == span.side {
                    self.slots[number as usize].span = span;
                    return JoinOutcome::Pending;
                }
                entry.remove();
                self.unlink(number);
                return JoinOutcome::Joined(waiting);
            }
            Entry::Vacant(vacant) => vacant,
        };
        if slots.len() - self.free.len() >= self.max_items {
            return JoinOutcome::Full;
        }
        let slot = PendingSlot {
            key,
            span,
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
        JoinOutcome::Pending
    }

    /// Removes and returns the oldest span if it has expired.
    pub(super) fn pop_expired(&mut self, now: UnixNanos) -> Option<CallSpan> {
        if self.oldest == NONE || self.slots[self.oldest as usize].expires > now {
            return None;
        }
        let number = self.oldest;
        let PendingSlot { key, span, .. } = self.slots[number as usize];
        let hash = self.hashing.hash_one(key);
        if let Ok(entry) = self.numbers.find_entry(hash, |&other| other == number) {
            entry.remove();
        }
        self.unlink(number);
        Some(span)
    }

    fn unlink(&mut self, number: u32) {
        let PendingSlot { older, newer, .. } = self.slots[number as usize];
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
    use super::{CallKey, CallSpan, JoinOutcome, Party, PendingSpans, Side, UnixNanos};

    const PARTY: Party = Party { node: 0, label: 0 };

    fn span(side: Side, start: u64) -> CallSpan {
        CallSpan {
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

    fn key(span: u64) -> CallKey {
        CallKey { trace: 7, span }
    }

    #[test]
    fn the_second_span_removes_the_first() {
        let mut store = PendingSpans::new(10);
        let (client, server) = (span(Side::Client, 1), span(Side::Server, 2));
        assert_eq!(
            store.join(key(1), client, UnixNanos(5)),
            JoinOutcome::Pending
        );
        assert_eq!(
            store.join(key(2), server, UnixNanos(5)),
            JoinOutcome::Pending
        );
        let outcome = store.join(key(1), server, UnixNanos(5));
        assert_eq!(outcome, JoinOutcome::Joined(client));
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn spans_expire_in_the_order_of_arrival_and_not_early() {
        let mut store = PendingSpans::new(10);
        for at in 1..=4 {
            store.join(key(at), span(Side::Client, at), UnixNanos(at));
        }
        store.join(key(2), span(Side::Server, 0), UnixNanos(9));
        assert_eq!(store.pop_expired(UnixNanos(3)).unwrap().start, 1);
        assert_eq!(store.pop_expired(UnixNanos(3)).unwrap().start, 3);
        assert_eq!(store.pop_expired(UnixNanos(3)), None);
        assert_eq!(store.pop_expired(UnixNanos(4)).unwrap().start, 4);
        assert_eq!(store.pop_expired(UnixNanos(99)), None);
        assert_eq!(store.len(), 0);
    }

    #[test]
    fn a_full_store_joins_partners_but_stores_no_new_spans() {
        let mut store = PendingSpans::new(2);
        for at in 1..=2 {
            store.join(key(at), span(Side::Client, at), UnixNanos(at));
        }
        let server = span(Side::Server, 0);
        assert_eq!(store.join(key(3), server, UnixNanos(9)), JoinOutcome::Full);
        let outcome = store.join(key(2), server, UnixNanos(9));
        assert!(matches!(outcome, JoinOutcome::Joined(_)));
        assert_eq!(
            store.join(key(3), server, UnixNanos(9)),
            JoinOutcome::Pending
        );
    }
}
