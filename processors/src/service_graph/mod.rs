//! Joins client spans with server spans: `traces` → `nodes`, `edges`, `edge_stats`, `metrics`.
//!
//! ```yaml
//! processors:
//!   service_graph:
//!     store: {ttl: 10s, max_items: 100000}
//!     dimensions: [http.request.method]
//! ```
//!
//! It may also stand in `connectors`, between a pipeline of traces and one of metrics, as the
//! Collector has it.
//!
//! | spans | make a call | `connection_type` |
//! |---|---|---|
//! | client and server: the server's parent is the client | service → service | |
//! | producer and consumer: likewise, or a consumer without a parent links to the producer | service → service | `messaging_system` |
//! | client with the name of a database | service → database, without waiting | `database` |
//! | client alone, after `ttl` | service → whom it names as its peer, else `unknown` | `virtual_node` |
//! | server or consumer without a parent | `user` → service, without waiting | `virtual_node` |
//!
//! Where a span's `peer_uid` is set, the node of a database or of a lone client's server is that one
//! rather than `ext://host:port`; a service that the client names stays. Metrics call it what they
//! would have without.
//!
//! Spans pass on unchanged and are answered once they are counted; what is counted goes out on the
//! next tick, and nobody waits for it.

use std::time::Duration;

use pipeline::component::{BuildError, Host, ProcessError, Processor, UnixNanos};
use pipeline::registry::{BuildConnector, BuildProcessor, Described, Stability};
use pipeline::{Batch, Signal, SignalSet};

mod calls;
mod clock;
mod config;
mod counts;
mod edges;
mod halves;
mod histogram;
mod intern;
mod keys;
mod metrics;
mod parties;
mod reader;
mod rows;
mod spans;

pub use config::Config;

use clock::Clock;
use counts::Counts;
use halves::{Halves, Met};
use parties::{Marks, Parties};
use reader::{Reader, Seen};
use spans::Spans;

/// How often changed figures go out.
const FLUSH: Duration = Duration::from_secs(2);
/// How often it is said at most that spans are not counted.
const WARNING: Duration = Duration::from_secs(10);
/// Rows that go out with a batch rather than on the next tick.
const MOST_ROWS: usize = 8192;
/// Names that are kept before it is looked for those that nobody uses.
const MOST_NAMES: usize = 1 << 16;

#[derive(Debug)]
pub struct ServiceGraph {
    wanted: SignalSet,
    reader: Reader,
    parties: Parties,
    halves: Halves,
    counts: Counts,
    ttl: Duration,
    expiration: Clock,
    metrics_flush: Clock,
    cache: Clock,
    warning: Clock,
    /// Spans that found no room since the last warning.
    dropped: u64,
    /// With how many names to look for unused ones.
    sweep_at: usize,
}

impl Described for ServiceGraph {
    const TYPE: &'static str = "service_graph";
    const ALIASES: &'static [&'static str] = &["servicegraph"];
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "client and server spans become edges with their figures";
    type Config = Config;
}

impl BuildProcessor for ServiceGraph {
    const ACCEPTS: SignalSet = SignalSet::of(&[Signal::Traces]);
    const PRODUCES: SignalSet = SignalSet::of(&[
        Signal::Nodes,
        Signal::Edges,
        Signal::EdgeStats,
        Signal::Metrics,
    ]);

    fn build(config: Config, host: &Host) -> Result<ServiceGraph, BuildError> {
        let wanted = host.wanted().intersection(Self::PRODUCES);
        Ok(ServiceGraph {
            wanted,
            reader: Reader::new(&config, wanted.contains(Signal::Metrics)),
            parties: Parties::new(),
            halves: Halves::new(config.store.max_items.get()),
            counts: Counts::new(&config, host.id().to_string(), wanted),
            ttl: config.store.ttl,
            expiration: Clock::new(config.store_expiration_loop),
            metrics_flush: Clock::new(config.metrics_flush_interval),
            cache: Clock::new(config.cache_loop),
            warning: Clock::new(WARNING),
            dropped: 0,
            sweep_at: MOST_NAMES,
        })
    }
}

impl BuildConnector for ServiceGraph {}

impl Processor for ServiceGraph {
    fn process(&mut self, batch: Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        if batch.signal() != Signal::Traces || self.wanted.is_empty() {
            return Ok(vec![batch]);
        }
        self.start_clocks(now);
        self.absorb(&batch, now);
        let mut made = Vec::new();
        if self.counts.waiting_rows() >= MOST_ROWS {
            made.append(&mut self.counts.take());
        }
        if self.metrics_flush.every().is_zero() {
            made.extend(self.counts.metrics(now));
        }
        made.push(batch);
        Ok(made)
    }

    fn tick_within(&self, now: UnixNanos) -> Option<Duration> {
        let counts = &self.counts;
        let flushes = counts.has_metrics() && !self.metrics_flush.every().is_zero();
        let intervals = [
            (self.halves.len() > 0).then(|| self.expiration.within(now)),
            counts.has_changed().then_some(FLUSH),
            flushes.then(|| self.metrics_flush.within(now)),
            counts.has_any().then(|| self.cache.within(now)),
            (self.dropped > 0).then_some(WARNING),
        ];
        intervals.into_iter().flatten().min()
    }

    fn tick(&mut self, now: UnixNanos) -> Vec<Batch> {
        self.start_clocks(now);
        if self.expiration.is_due(now) {
            self.expire(now, now);
        }
        if self.cache.is_due(now) {
            self.counts.retire(now, &self.parties);
            self.sweep();
        }
        let mut made = self.counts.flush(&self.parties);
        if !self.metrics_flush.every().is_zero() && self.metrics_flush.is_due(now) {
            made.extend(self.counts.metrics(now));
        }
        self.warn(now);
        made
    }

    fn finish(&mut self, now: UnixNanos) -> Vec<Batch> {
        self.start_clocks(now);
        self.expire(UnixNanos(u64::MAX), now);
        let mut made = self.counts.flush(&self.parties);
        made.extend(self.counts.metrics(now));
        self.warning.make_due();
        self.warn(now);
        made
    }
}

impl ServiceGraph {
    fn start_clocks(&mut self, now: UnixNanos) {
        self.counts.start(now);
        self.expiration.start(now);
        self.metrics_flush.start(now);
        self.cache.start(now);
    }

    fn absorb(&mut self, batch: &Batch, now: UnixNanos) {
        let mut spans = Spans::of(batch);
        let expires = now.after(self.ttl);
        for row in 0..spans.len() {
            let call = match self.reader.read(&mut spans, row, &mut self.parties, now) {
                None => continue,
                Some(Seen::Call(call)) => call,
                Some(Seen::Half(key, half)) => {
                    let mut met = self.halves.meet(key, half, expires);
                    if met == Met::NoRoom && self.expire(now, now) > 0 {
                        met = self.halves.meet(key, half, expires);
                    }
                    match met {
                        Met::Partner(other) => calls::Call::joined(&half, &other),
                        Met::Nobody => continue,
                        Met::NoRoom => {
                            self.dropped += 1;
                            continue;
                        }
                    }
                }
            };
            self.counts.add(&call, now, &mut self.parties);
        }
        self.warn(now);
        if self.parties.len() >= self.sweep_at {
            self.sweep();
        }
    }

    /// Counts the halves whose time was over at `until`; returns how many there were.
    fn expire(&mut self, until: UnixNanos, now: UnixNanos) -> usize {
        let mut expired = 0;
        while let Some(half) = self.halves.pop_expired(until) {
            expired += 1;
            if let Some(call) = self.reader.expired(&half) {
                self.counts.add(&call, now, &mut self.parties);
            }
        }
        expired
    }

    /// Forgets the names that nothing which is held has.
    fn sweep(&mut self) {
        let mut marks = Marks::of(&self.parties);
        for half in self.halves.iter() {
            marks.party(half.party);
            marks.party(half.peer);
            marks.text(half.dimensions);
        }
        self.counts.mark(&mut marks);
        self.parties.sweep(marks);
        self.sweep_at = MOST_NAMES + 2 * self.parties.len();
    }

    fn warn(&mut self, now: UnixNanos) {
        if self.dropped == 0 || !self.warning.is_due(now) {
            return;
        }
        tracing::warn!(
            spans = self.dropped,
            waiting = self.halves.len(),
            "spans are not counted: store.max_items spans wait for their partner"
        );
        self.dropped = 0;
    }
}

#[cfg(test)]
mod tests;
