//! Joins client spans with server spans: `traces` → `nodes`, `edges`, `edge_stats`, `metrics`.
//!
//! ```yaml
//! processors:
//!   service_graph:
//!     store: {ttl: 10s, max_items: 100000}
//!     dimensions: [http.request.method]
//! ```
//!
//! It can also be a connector between a traces pipeline and a metrics pipeline, as in the Collector.
//!
//! | spans | call | `connection_type` |
//! |---|---|---|
//! | client and server: the parent of the server span is the client span | service → service | |
//! | producer and consumer: the parent or, without a parent, the first link of the consumer span is the producer span | service → service | `messaging_system` |
//! | client with a database name | service → database, counted when the span arrives | `database` |
//! | client without a server span, after `ttl` | service → the peer that its attributes name, else `unknown` | `virtual_node` |
//! | server without a parent, or consumer without a parent and without a link | `user` → service, counted when the span arrives | `virtual_node` |
//!
//! The node of a database, or of a server that sends no span, has the uid `ext://host:port`. If `peer_uid` of the
//! client span is set, the call leads to that node instead, unless the client names a service (`peer.service`). The
//! labels of the metrics do not depend on `peer_uid`.
//!
//! The processor forwards spans unchanged, with their delivery: counting does not delay their acknowledgement. It emits
//! the counts on a tick, as batches whose acknowledgement no sender awaits.
//!
//! ```text
//!  spans ──reader──▶ CallSpan ──pending: join or expire──▶ call ──counts──▶ edges, minute_stats ──rows──▶ graph rows
//!           └───────────── a call that needs one span ──────┘         └───▶ metrics
//! ```

use std::time::Duration;

use pipeline::component::{BuildError, Host, ProcessError, Processor, UnixNanos};
use pipeline::log_throttle::LogThrottle;
use pipeline::registry::{BuildConnector, BuildProcessor, ComponentMeta, Stability};
use pipeline::{Batch, Signal, SignalSet};

mod calls;
mod config;
mod counts;
mod edges;
mod histogram;
mod metrics;
mod minute_stats;
mod parties;
mod peer_attributes;
mod pending;
mod reader;
mod rows;
mod spans;
mod timer;

pub use config::Config;

use counts::CallCounts;
use parties::{Parties, UsedNames};
use pending::{JoinOutcome, PendingSpans};
use reader::{ReadSpan, SpanReader};
use spans::SpanColumns;
use timer::IntervalTimer;

/// How often changed edges and edge stats are emitted.
const FLUSH_INTERVAL: Duration = Duration::from_secs(2);
/// When this many rows are pending, the processor emits them together with the batch of spans, before the next tick.
const FLUSH_ROWS: usize = 8192;
/// The number of interned names at which unused names are removed for the first time.
const FIRST_SWEEP_AT: usize = 1 << 16;

/// The processor and connector `service_graph`.
#[derive(Debug)]
pub struct ServiceGraph {
    /// The produced signals that a downstream component accepts.
    emitted: SignalSet,
    reader: SpanReader,
    parties: Parties,
    pending: PendingSpans,
    counts: CallCounts,
    ttl: Duration,
    expiration: IntervalTimer,
    metrics_flush: IntervalTimer,
    /// For the removal of idle edges and series.
    retirement: IntervalTimer,
    /// The number of spans that were dropped since the last warning, because `store.max_items` spans were pending.
    dropped: u64,
    dropped_log: LogThrottle,
    /// The number of names at which unused names are removed.
    sweep_at: usize,
}

impl ComponentMeta for ServiceGraph {
    const TYPE: &'static str = "service_graph";
    const ALIASES: &'static [&'static str] = &["servicegraph"];
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str =
        "pairs client and server spans, as in the Collector, and emits edges and their statistics";
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
        let emitted = host.accepted_downstream().intersection(Self::PRODUCES);
        Ok(ServiceGraph {
            emitted,
            reader: SpanReader::new(&config, emitted.contains(Signal::Metrics)),
            parties: Parties::new(),
            pending: PendingSpans::new(config.store.max_items.get()),
            counts: CallCounts::new(&config, host.id().to_string(), emitted),
            ttl: config.store.ttl,
            expiration: IntervalTimer::new(config.store_expiration_loop),
            metrics_flush: IntervalTimer::new(config.metrics_flush_interval),
            retirement: IntervalTimer::new(config.cache_loop),
            dropped: 0,
            dropped_log: LogThrottle::default(),
            sweep_at: FIRST_SWEEP_AT,
        })
    }
}

impl BuildConnector for ServiceGraph {}

impl Processor for ServiceGraph {
    fn process(&mut self, batch: Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        if batch.signal() != Signal::Traces || self.emitted.is_empty() {
            return Ok(vec![batch]);
        }
        self.start_timers(now);
        self.count_spans(&batch, now);
        let mut output = Vec::new();
        if self.counts.pending_rows() >= FLUSH_ROWS {
            output.append(&mut self.counts.take_pending_rows());
        }
        if self.metrics_flush.interval().is_zero() {
            output.extend(self.counts.metrics(now));
        }
        output.push(batch);
        Ok(output)
    }

    fn tick_within(&self, now: UnixNanos) -> Option<Duration> {
        let counts = &self.counts;
        let flushes = counts.has_metrics() && !self.metrics_flush.interval().is_zero();
        let intervals = [
            (self.pending.len() > 0).then(|| self.expiration.until_due(now)),
            counts.has_changed().then_some(FLUSH_INTERVAL),
            flushes.then(|| self.metrics_flush.until_due(now)),
            counts.can_retire().then(|| self.retirement.until_due(now)),
            (self.dropped > 0).then_some(LogThrottle::INTERVAL),
        ];
        intervals.into_iter().flatten().min()
    }

    fn tick(&mut self, now: UnixNanos) -> Vec<Batch> {
        self.start_timers(now);
        if self.expiration.restart_if_due(now) {
            self.expire(now, now);
        }
        if self.retirement.restart_if_due(now) {
            self.counts.retire(now, &self.parties);
            self.sweep();
        }
        let mut output = self.counts.flush(&self.parties);
        if !self.metrics_flush.interval().is_zero() && self.metrics_flush.restart_if_due(now) {
            output.extend(self.counts.metrics(now));
        }
        self.log_dropped_throttled();
        output
    }

    fn finish(&mut self, now: UnixNanos) -> Vec<Batch> {
        self.start_timers(now);
        self.expire(UnixNanos(u64::MAX), now);
        let mut output = self.counts.flush(&self.parties);
        output.extend(self.counts.metrics(now));
        self.log_dropped();
        output
    }
}

impl ServiceGraph {
    fn start_timers(&mut self, now: UnixNanos) {
        self.counts.start(now);
        self.expiration.start(now);
        self.metrics_flush.start(now);
        self.retirement.start(now);
    }

    /// Counts the calls whose spans have all arrived with this batch. A span whose partner has not arrived becomes
    /// pending; if too many spans are pending, it is dropped.
    fn count_spans(&mut self, batch: &Batch, now: UnixNanos) {
        let mut spans = SpanColumns::of(batch);
        let expires = now + self.ttl;
        for row in 0..spans.len() {
            let call = match self.reader.read(&mut spans, row, &mut self.parties, now) {
                None => continue,
                Some(ReadSpan::Call(call)) => call,
                Some(ReadSpan::OneSide(key, span)) => {
                    let mut outcome = self.pending.join(key, span, expires);
                    if outcome == JoinOutcome::Full && self.expire(now, now) > 0 {
                        outcome = self.pending.join(key, span, expires);
                    }
                    match outcome {
                        JoinOutcome::Joined(partner) => calls::Call::joined(&span, &partner),
                        JoinOutcome::Pending => continue,
                        JoinOutcome::Full => {
                            self.dropped += 1;
                            continue;
                        }
                    }
                }
            };
            self.counts.add(&call, now, &mut self.parties);
        }
        self.log_dropped_throttled();
        if self.parties.len() >= self.sweep_at {
            self.sweep();
        }
    }

    /// Removes the pending spans that expired by `until`. If virtual nodes are enabled, counts each client span as a
    /// call to its peer. Server spans are not counted. Returns the number of removed spans.
    fn expire(&mut self, until: UnixNanos, now: UnixNanos) -> usize {
        let mut expired = 0;
        while let Some(span) = self.pending.pop_expired(until) {
            expired += 1;
            if let Some(call) = self.reader.expired(&span) {
                self.counts.add(&call, now, &mut self.parties);
            }
        }
        expired
    }

    /// Removes the names that no pending span, edge or series uses.
    fn sweep(&mut self) {
        let mut used = UsedNames::of(&self.parties);
        for span in self.pending.iter() {
            used.mark_party(span.party);
            used.mark_party(span.peer);
            used.mark_text(span.dimensions);
        }
        self.counts.mark_used(&mut used);
        self.parties.sweep(used);
        self.sweep_at = FIRST_SWEEP_AT + 2 * self.parties.len();
    }

    /// Logs the number of dropped spans if the throttle allows it. Otherwise a later batch or tick logs it.
    fn log_dropped_throttled(&mut self) {
        if self.dropped > 0 && self.dropped_log.allow().is_some() {
            self.log_dropped();
        }
    }

    fn log_dropped(&mut self) {
        if self.dropped == 0 {
            return;
        }
        tracing::warn!(
            spans = self.dropped,
            pending = self.pending.len(),
            "spans not counted: the store of pending spans is full; raise store.max_items or lower store.ttl"
        );
        self.dropped = 0;
    }
}

#[cfg(test)]
mod tests;
