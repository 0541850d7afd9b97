//! The company at work: given the time, the batches that have become due. Pure but for its state.

use std::time::Duration;

use bytes::Bytes;
use pipeline::component::UnixNanos;
use pipeline::rows::Rows;
use pipeline::{Batch, Delivery, Signal, SignalSet, otlp, uid};
use prost::Message;

use super::Config;
use super::cloud::{self, Names};
use super::script::{deeds, situation};
use super::spans::{self, Begun};
use super::telemetry::{self, Durations};
use super::{changes, traffic};

/// How often metrics are exported, in real time.
const METRICS_EVERY: Duration = Duration::from_secs(10);
/// Requests that could not be told for longer than this are left out, in real time.
const MOST_BEHIND: Duration = Duration::from_secs(2);

/// The same moment by two clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) wall: UnixNanos,
    /// Since the start, in real time; never goes back.
    pub(super) since: Duration,
}

impl Now {
    /// The wall's clock at an earlier time since the start.
    fn wall_at(&self, since: Duration) -> UnixNanos {
        let ago = self.since.saturating_sub(since).as_nanos();
        let ago = u64::try_from(ago).unwrap_or(u64::MAX);
        UnixNanos(self.wall.0.saturating_sub(ago))
    }
}

#[derive(Debug)]
pub(super) struct Stage {
    config: Config,
    source: String,
    wanted: SignalSet,
    names: Names,
    /// Tells this run apart from others with the same seed.
    run: u64,
    /// Up to when the story is told, by its own clock.
    told: Duration,
    /// When the next scan is due, by the clock of the story.
    next_scan: Duration,
    scans: u64,
    /// Number of the next request.
    next_request: u64,
    /// Requests that go on, each with its end in real time since the start.
    going_on: Vec<(Duration, Begun)>,
    durations: Durations,
    metrics_exported: Now,
}

impl Stage {
    /// `wanted` is what somebody takes; all else is not made.
    pub(super) fn new(config: Config, source: String, wanted: SignalSet, now: Now) -> Stage {
        Stage {
            names: Names::new(config.seed),
            run: uid::hash(&format!("{}/{}", config.seed, now.wall.0)),
            config,
            source,
            wanted,
            told: Duration::ZERO,
            next_scan: Duration::ZERO,
            scans: 0,
            next_request: 0,
            going_on: Vec::new(),
            durations: Durations::default(),
            metrics_exported: now,
        }
    }

    /// What has become due since the last call, in the order in which it is to be sent: what
    /// somebody did, what a scan then saw, what services did.
    pub(super) fn advance(&mut self, now: Now) -> Vec<Batch> {
        let mut due = Vec::new();
        // Also what is due at this very moment.
        let story = self.story(now.since) + Duration::from_nanos(1);
        due.extend(self.changes(story, now));
        due.extend(self.scan(story, now.wall));
        self.told = story;
        self.begin_requests(now);
        self.telemetry(now, &mut due);
        due
    }

    fn story(&self, since: Duration) -> Duration {
        since.mul_f64(self.config.speed)
    }

    fn changes(&self, until: Duration, now: Now) -> Option<Batch> {
        let done = deeds(self.told, until);
        if done.is_empty() || !self.wanted.contains(Signal::Changes) {
            return None;
        }
        let mut rows = Rows::new(Signal::Changes);
        for (at, round, deed) in done {
            let time = now.wall_at(at.div_f64(self.config.speed));
            let run = (self.run, round);
            changes::push(&mut rows, self.names, &self.source, run, deed, time);
        }
        Some(rows.finish(Delivery::nobody()))
    }

    fn scan(&mut self, until: Duration, wall: UnixNanos) -> Option<Batch> {
        if self.next_scan >= until {
            return None;
        }
        while self.next_scan < until {
            self.next_scan += self.config.scan_interval;
        }
        if !self.wanted.contains(Signal::Resources) {
            return None;
        }
        let scan_id = self
            .names
            .uuid(&format!("scan/{}/{}", self.run, self.scans));
        self.scans += 1;
        let resources = cloud::resources(self.names, &situation(until));
        Some(cloud::rows(&resources, &self.source, &scan_id, wall))
    }

    /// One request each 1/rate seconds.
    fn begin_requests(&mut self, now: Now) {
        let number_at = |since: Duration| (since.as_secs_f64() * self.config.rate) as u64;
        let until = number_at(now.since);
        let from = number_at(now.since.saturating_sub(MOST_BEHIND));
        for number in self.next_request.max(from)..until {
            let began = Duration::from_secs_f64(number as f64 / self.config.rate);
            let state = situation(self.story(began));
            let request = traffic::request(self.config.seed, self.run, number, &state);
            let end = began + Duration::from_nanos(request.end());
            let at = now.wall_at(began);
            self.going_on.push((end, Begun { at, request }));
        }
        self.next_request = until;
    }

    fn telemetry(&mut self, now: Now, due: &mut Vec<Batch>) {
        let all = std::mem::take(&mut self.going_on).into_iter();
        let (ended, going_on): (Vec<_>, Vec<_>) = all.partition(|(end, _)| *end <= now.since);
        self.going_on = going_on;
        let ended: Vec<Begun> = ended.into_iter().map(|(_, begun)| begun).collect();
        if self.wanted.contains(Signal::Traces) && !ended.is_empty() {
            let request = spans::export(self.names, &ended);
            due.push(self.decode(Signal::Traces, &request));
        }
        if self.wanted.contains(Signal::Logs)
            && let Some(request) = telemetry::logs(self.names, &ended)
        {
            due.push(self.decode(Signal::Logs, &request));
        }
        if self.wanted.contains(Signal::Metrics) {
            for begun in &ended {
                self.durations.count(begun);
            }
            let from = self.metrics_exported;
            if now.since.saturating_sub(from.since) >= METRICS_EVERY {
                let request = self.durations.export(self.names, from.wall, now.wall);
                if !request.resource_metrics.is_empty() {
                    due.push(self.decode(Signal::Metrics, &request));
                }
                self.metrics_exported = now;
            }
        }
    }

    /// The way that requests from elsewhere go, too.
    fn decode(&self, signal: Signal, request: &impl Message) -> Batch {
        let bytes = Bytes::from(request.encode_to_vec());
        otlp::decode(signal, bytes, &self.source, Delivery::nobody())
            .expect("what prost encodes is a request of its signal")
    }
}
