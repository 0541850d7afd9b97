//! Runs the simulation: given the time, returns the batches that are due. It reads no clock and no environment.

use std::time::Duration;

use bytes::Bytes;
use pipeline::component::UnixNanos;
use pipeline::rows::Rows;
use pipeline::{Batch, Delivery, Signal, SignalSet, otlp, uid};
use prost::Message;

use super::Config;
use super::cloud::{self, DemoNames};
use super::script::{changes_between, situation};
use super::spans::{self, StartedRequest};
use super::telemetry::{self, Durations};
use super::{changes, traffic};

/// How often metrics are exported, in real time.
const METRICS_INTERVAL: Duration = Duration::from_secs(10);
/// A request that is overdue by more than this, in real time, is skipped.
const MAX_LAG: Duration = Duration::from_secs(2);

/// One moment, read from two clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClockReading {
    pub(super) wall: UnixNanos,
    /// Real time since the start, monotonic.
    pub(super) elapsed: Duration,
}

impl ClockReading {
    /// The wall clock at an earlier moment, given as real time since the start.
    fn wall_at(&self, elapsed: Duration) -> UnixNanos {
        let ago = self.elapsed.saturating_sub(elapsed).as_nanos();
        let ago = u64::try_from(ago).unwrap_or(u64::MAX);
        UnixNanos(self.wall.0.saturating_sub(ago))
    }
}

/// The state of a run.
#[derive(Debug)]
pub(super) struct Simulation {
    config: Config,
    source: String,
    accepted: SignalSet,
    names: DemoNames,
    /// Distinguishes this run from other runs with the same seed.
    run: u64,
    /// The script time up to which changes have been emitted.
    emitted_until: Duration,
    /// When the next scan is due, in script time.
    next_scan: Duration,
    scans: u64,
    /// The number of the next request.
    next_request: u64,
    /// Requests that have not ended, each with its end in real time since the start.
    in_flight: Vec<(Duration, StartedRequest)>,
    durations: Durations,
    metrics_exported: ClockReading,
}

impl Simulation {
    /// Produces only the signals `accepted`, which a pipeline accepts.
    pub(super) fn new(
        config: Config,
        source: String,
        accepted: SignalSet,
        now: ClockReading,
    ) -> Simulation {
        Simulation {
            names: DemoNames::new(config.seed),
            run: uid::hash(&format!("{}/{}", config.seed, now.wall.0)),
            config,
            source,
            accepted,
            emitted_until: Duration::ZERO,
            next_scan: Duration::ZERO,
            scans: 0,
            next_request: 0,
            in_flight: Vec::new(),
            durations: Durations::default(),
            metrics_exported: now,
        }
    }

    /// The batches due since the last call, in the order in which to send them: changes, then the scan that
    /// reports their results, then telemetry.
    pub(super) fn advance(&mut self, now: ClockReading) -> Vec<Batch> {
        let mut due = Vec::new();
        // The bound is exclusive: 1 ns more includes the changes and scans that are due at exactly this moment.
        let until = self.script_time(now.elapsed) + Duration::from_nanos(1);
        due.extend(self.changes(until, now));
        due.extend(self.scan(until, now.wall));
        self.emitted_until = until;
        self.begin_requests(now);
        self.telemetry(now, &mut due);
        due
    }

    fn script_time(&self, elapsed: Duration) -> Duration {
        elapsed.mul_f64(self.config.speed)
    }

    fn changes(&self, until: Duration, now: ClockReading) -> Option<Batch> {
        let due = changes_between(self.emitted_until, until);
        if due.is_empty() || !self.accepted.contains(Signal::Changes) {
            return None;
        }
        let mut rows = Rows::new(Signal::Changes);
        for (at, round, change) in due {
            let time = now.wall_at(at.div_f64(self.config.speed));
            let run = (self.run, round);
            changes::push(&mut rows, self.names, &self.source, run, change, time);
        }
        Some(rows.finish(Delivery::untracked()))
    }

    fn scan(&mut self, until: Duration, wall: UnixNanos) -> Option<Batch> {
        if self.next_scan >= until {
            return None;
        }
        while self.next_scan < until {
            self.next_scan += self.config.scan_interval;
        }
        if !self.accepted.contains(Signal::Resources) {
            return None;
        }
        let scan_id = self
            .names
            .uuid(&format!("scan/{}/{}", self.run, self.scans));
        self.scans += 1;
        let resources = cloud::resources(self.names, &situation(until));
        Some(cloud::rows(&resources, &self.source, &scan_id, wall))
    }

    /// Starts one request every 1/rate seconds.
    fn begin_requests(&mut self, now: ClockReading) {
        let number_at = |elapsed: Duration| (elapsed.as_secs_f64() * self.config.rate) as u64;
        let until = number_at(now.elapsed);
        let from = number_at(now.elapsed.saturating_sub(MAX_LAG));
        for number in self.next_request.max(from)..until {
            let began = Duration::from_secs_f64(number as f64 / self.config.rate);
            let state = situation(self.script_time(began));
            let request = traffic::request(self.config.seed, self.run, number, &state);
            let end = began + Duration::from_nanos(request.end());
            let at = now.wall_at(began);
            self.in_flight.push((end, StartedRequest { at, request }));
        }
        self.next_request = until;
    }

    fn telemetry(&mut self, now: ClockReading, due: &mut Vec<Batch>) {
        let all = std::mem::take(&mut self.in_flight).into_iter();
        let (ended, in_flight): (Vec<_>, Vec<_>) = all.partition(|(end, _)| *end <= now.elapsed);
        self.in_flight = in_flight;
        let ended: Vec<StartedRequest> = ended.into_iter().map(|(_, started)| started).collect();
        if self.accepted.contains(Signal::Traces) && !ended.is_empty() {
            let request = spans::export(self.names, &ended);
            due.push(self.decode(Signal::Traces, &request));
        }
        if self.accepted.contains(Signal::Logs)
            && let Some(request) = telemetry::logs(self.names, &ended)
        {
            due.push(self.decode(Signal::Logs, &request));
        }
        if self.accepted.contains(Signal::Metrics) {
            for started in &ended {
                self.durations.count(started);
            }
            let from = self.metrics_exported;
            if now.elapsed.saturating_sub(from.elapsed) >= METRICS_INTERVAL {
                let request = self.durations.export(self.names, from.wall, now.wall);
                if !request.resource_metrics.is_empty() {
                    due.push(self.decode(Signal::Metrics, &request));
                }
                self.metrics_exported = now;
            }
        }
    }

    /// Decodes a request as an OTLP receiver does.
    fn decode(&self, signal: Signal, request: &impl Message) -> Batch {
        let bytes = Bytes::from(request.encode_to_vec());
        otlp::decode(signal, bytes, &self.source, Delivery::untracked())
            .expect("prost encodes a valid request of the signal")
    }
}
