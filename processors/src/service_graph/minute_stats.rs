//! The edge stats of one minute.

use std::sync::Arc;

use pipeline::component::UnixNanos;

use super::calls::{Call, ConnectionType};
use super::histogram::ExponentialBuckets;

/// The length of a minute in nanoseconds.
pub(super) const MINUTE: u64 = 60_000_000_000;

/// Edge stats of one minute of event time and one connection type.
#[derive(Debug)]
pub(super) struct MinuteStats {
    pub(super) connection: ConnectionType,
    /// Minutes since 1970.
    pub(super) minute: u64,
    /// A random id of the component that counts; a new one when its chunk numbers run out.
    pub(super) writer: Arc<str>,
    /// Stats that are opened again after an eviction have another chunk number. A reader adds up all chunks of a
    /// minute. Of the rows with the same writer and chunk, only the newest counts.
    pub(super) chunk: u32,
    pub(super) calls: u64,
    pub(super) errors: u64,
    /// The sum of the durations in nanoseconds.
    pub(super) sum: u128,
    /// The longest duration in nanoseconds.
    pub(super) max: u64,
    pub(super) buckets: ExponentialBuckets,
    /// Whether calls were added since the stats were last emitted.
    pub(super) changed: bool,
    /// When the last call was added.
    pub(super) last_added: UnixNanos,
}

impl MinuteStats {
    /// Stats without calls.
    pub(super) fn new(
        connection: ConnectionType,
        minute: u64,
        writer: Arc<str>,
        chunk: u32,
    ) -> MinuteStats {
        MinuteStats {
            connection,
            minute,
            writer,
            chunk,
            calls: 0,
            errors: 0,
            sum: 0,
            max: 0,
            buckets: ExponentialBuckets::default(),
            changed: false,
            last_added: UnixNanos(0),
        }
    }

    /// The start of the minute.
    pub(super) fn time(&self) -> UnixNanos {
        UnixNanos(self.minute * MINUTE)
    }

    /// Adds a call.
    pub(super) fn add(&mut self, call: &Call, now: UnixNanos) {
        let duration = call.duration();
        self.calls += 1;
        self.errors += u64::from(call.failed);
        self.sum += u128::from(duration);
        self.max = self.max.max(duration);
        self.buckets.add(duration);
        self.changed = true;
        self.last_added = now;
    }
}
