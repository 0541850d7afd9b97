//! Holds pending spans: a span is pending until its partner arrives, which is the span of the other side of the call.

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
    pub(super) side: CallSide,
    /// Whether the span is of a producer or consumer.
    pub(super) messaging: bool,
    pub(super) failed: bool,
    pub(super) party: Party,
    /// The server that a client span names.
    pub(super) peer: Party,
    /// The number of the interned dimensions.
    pub(super) dimensions: u32,
    /// Nanoseconds since 1970.
    pub(super) start: u64,
    /// Nanoseconds since 1970.
    pub(super) end: u64,
}

/// The side of a call that sent a span. A producer is a client, a consumer is a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallSide {
    Client,
    Server,
}

/// The result of [`PendingSpans::join`].
#[derive(Debug, PartialEq)]
pub(super) enum JoinOutcome {
    /// The partner was pending and was removed.
    Joined(CallSpan),
    /// The span has no partner yet and is pending now.
    Pending,
    /// The span has no partner yet and was dropped, since the limit is reached.
    Full,
}

/// Stands for "no slot" in place of the number of a slot.
const NO_SLOT: u32 = u32::MAX;

/// A pending span, linked with the spans that arrived before and after it.
#[derive(Debug)]
struct PendingSlot {
    key: CallKey,
    span: CallSpan,
    expires: UnixNanos,
    /// The number of the slot that was filled before this one.
    older: u32,
    /// The number of the slot that was filled after this one.
    newer: u32,
}

/// Pending spans by key, linked in the order of their arrival.
#[derive(Debug)]
pub(super) struct PendingSpans {
    max_items: usize,
    /// The numbers of the filled slots, by the hash of their key.
    numbers: HashTable<u32>,
    hashing: DefaultHashBuilder,
    slots: Vec<PendingSlot>,
    /// The numbers of the empty slots.
    free: Vec<u32>,
    oldest: u32,
    newest: u32,
}

impl PendingSpans {
    /// Holds at most `max_items` spans.
    pub(super) fn new(max_items: usize) -> PendingSpans {
        PendingSpans {
            max_items: max_items.min(NO_SLOT as usize),
            numbers: HashTable::new(),
            hashing: DefaultHashBuilder::default(),
            slots: Vec::new(),
            free: Vec::new(),
            oldest: NO_SLOT,
            newest: NO_SLOT,
        }
    }

    /// The number of pending spans.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &CallSpan> {
        let span_of = |number: &u32| &self.slots[*number as usize].span;
        self.numbers.iter().map(span_of)
    }

    /// If the partner is pending, removes and returns it. If a span of the same side of the call is pending, replaces
    /// that span and keeps its expiry: a sender may have sent the same span twice. Otherwise holds the span until
    /// `expires`, or drops it if `max_items` spans are pending.
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
                let pending = slots[number as usize].span;
                if pending.side == span.side {
                    self.slots[number as usize].span = span;
                    return JoinOutcome::Pending;
                }
                entry.remove();
                self.unlink(number);
                return JoinOutcome::Joined(pending);
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
            newer: NO_SLOT,
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
            NO_SLOT => self.oldest = number,
            newest => self.slots[newest as usize].newer = number,
        }
        self.newest = number;
        JoinOutcome::Pending
    }

    /// Removes and returns the oldest span if it has expired.
    pub(super) fn pop_expired(&mut self, now: UnixNanos) -> Option<CallSpan> {
        if self.oldest == NO_SLOT || self.slots[self.oldest as usize].expires > now {
            return None;
        }
        let number = self.oldest;
        let PendingSlot { key, span, .. } = self.slots[number as usize];
        let hash = self.hashing.hash_one(key);
        if let Ok(entry) = self
            .numbers
            .find_entry(hash, |&candidate| candidate == number)
        {
            entry.remove();
        }
        self.unlink(number);
        Some(span)
    }

    /// Removes a slot from the order of arrival and frees it.
    fn unlink(&mut self, number: u32) {
        let PendingSlot { older, newer, .. } = self.slots[number as usize];
        match older {
            NO_SLOT => self.oldest = newer,
            older => self.slots[older as usize].newer = newer,
        }
        match newer {
            NO_SLOT => self.newest = older,
            newer => self.slots[newer as usize].older = older,
        }
        self.free.push(number);
    }
}

#[cfg(test)]
mod tests {
    use super::{CallKey, CallSide, CallSpan, JoinOutcome, Party, PendingSpans, UnixNanos};

    const PARTY: Party = Party { node: 0, label: 0 };

    fn span(side: CallSide, start: u64) -> CallSpan {
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
    fn a_joined_span_is_no_longer_pending() {
        let mut store = PendingSpans::new(10);
        let (client, server) = (span(CallSide::Client, 1), span(CallSide::Server, 2));
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
        for number in 1..=4 {
            store.join(
                key(number),
                span(CallSide::Client, number),
                UnixNanos(number),
            );
        }
        store.join(key(2), span(CallSide::Server, 0), UnixNanos(9));
        assert_eq!(store.pop_expired(UnixNanos(3)).unwrap().start, 1);
        assert_eq!(store.pop_expired(UnixNanos(3)).unwrap().start, 3);
        assert_eq!(store.pop_expired(UnixNanos(3)), None);
        assert_eq!(store.pop_expired(UnixNanos(4)).unwrap().start, 4);
        assert_eq!(store.pop_expired(UnixNanos(99)), None);
        assert_eq!(store.len(), 0);
    }

    #[test]
    fn at_the_limit_partners_are_joined_and_new_spans_are_dropped() {
        let mut store = PendingSpans::new(2);
        for number in 1..=2 {
            store.join(
                key(number),
                span(CallSide::Client, number),
                UnixNanos(number),
            );
        }
        let server = span(CallSide::Server, 0);
        assert_eq!(store.join(key(3), server, UnixNanos(9)), JoinOutcome::Full);
        let outcome = store.join(key(2), server, UnixNanos(9));
        assert!(matches!(outcome, JoinOutcome::Joined(_)));
        assert_eq!(
            store.join(key(3), server, UnixNanos(9)),
            JoinOutcome::Pending
        );
    }
}
