//! One request of a user becomes the spans that it leaves: pure, by seed and number.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::company::{Call, Operation, Query, REQUESTS, Service, Topic};
use super::script::Situation;

const MILLISECOND: f64 = 1e6;
/// Spread of latencies: the standard deviation of their logarithm.
const SPREAD: f64 = 0.5;
/// How often an operation fails by itself; most requests take three or four.
const FAILS: f64 = 0.003;
/// What the flood does at its height: so many times the latency …
const FLOODED: f64 = 8.0;
/// … and so often no answer at all before the client's patience ends.
const STARVED: f64 = 0.05;
const PATIENCE: u64 = 2_000_000_000;

/// PostgreSQL's `query_canceled`: the statement timeout.
pub(super) const QUERY_CANCELED: &str = "57014";
const INTERNAL_ERROR: &str = "500";

/// All that one request leaves.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    pub(super) trace_id: [u8; 16],
    /// Which product, cart or order it is about.
    pub(super) subject: u32,
    /// How often `catalog` was deployed when it began.
    pub(super) deploys: u64,
    /// Parents before their children.
    pub(super) spans: Vec<Span>,
}

/// Times are nanoseconds since the request began.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) id: [u8; 8],
    /// Index of another span of the request.
    pub(super) parent: Option<usize>,
    pub(super) service: Service,
    pub(super) replica: u32,
    pub(super) what: What,
    pub(super) start: u64,
    pub(super) end: u64,
    /// `error.type`.
    pub(super) failure: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Serve(&'static Operation),
    Call(&'static Operation),
    Query(&'static Query),
    Publish(&'static Topic),
    Consume(&'static Topic),
}

impl PartialEq for What {
    fn eq(&self, other: &What) -> bool {
        match (self, other) {
            (What::Serve(one), What::Serve(two)) | (What::Call(one), What::Call(two)) => {
                std::ptr::eq(*one, *two)
            }
            (What::Query(one), What::Query(two)) => std::ptr::eq(*one, *two),
            (What::Publish(one), What::Publish(two)) | (What::Consume(one), What::Consume(two)) => {
                std::ptr::eq(*one, *two)
            }
            _ => false,
        }
    }
}

impl Request {
    /// When the last of its spans ends.
    pub(super) fn end(&self) -> u64 {
        let ends = self.spans.iter().map(|span| span.end);
        ends.max().unwrap_or_default()
    }
}

/// The request of this number. `ids` tells apart the ids of two runs with the same seed.
pub(super) fn request(seed: u64, ids: u64, number: u64, situation: &Situation) -> Request {
    let mut id_source = ChaCha8Rng::seed_from_u64(ids);
    id_source.set_stream(number);
    let trace_id = id_source.random();
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    dice.set_stream(number);
    let operation = pick(&mut dice);
    let subject = dice.random_range(1..500);
    let mut walk = Walk {
        dice,
        ids: id_source,
        flood: situation.flood,
        spans: Vec::new(),
    };
    walk.serve(operation, None, 0);
    Request {
        trace_id,
        subject,
        deploys: situation.deploys,
        spans: walk.spans,
    }
}

fn pick(dice: &mut ChaCha8Rng) -> &'static Operation {
    let mut left = dice.random_range(0..REQUESTS.iter().map(|(weight, _)| weight).sum());
    for (weight, operation) in &REQUESTS {
        if left < *weight {
            return operation;
        }
        left -= weight;
    }
    unreachable!("less than the sum of all weights is left")
}

/// Goes through the tree of calls as time passes.
struct Walk {
    dice: ChaCha8Rng,
    ids: ChaCha8Rng,
    flood: f64,
    spans: Vec<Span>,
}

impl Walk {
    /// Begins a span; its end is set once it is known.
    fn begin(
        &mut self,
        (service, replica): (Service, u32),
        what: What,
        parent: Option<usize>,
        start: u64,
    ) -> usize {
        self.spans.push(Span {
            id: self.ids.random(),
            parent,
            service,
            replica,
            what,
            start,
            end: start,
            failure: None,
        });
        self.spans.len() - 1
    }

    fn end(&mut self, span: usize, end: u64, failure: Option<&'static str>) {
        self.spans[span].end = end;
        self.spans[span].failure = failure;
    }

    /// The index of the server's span.
    fn serve(&mut self, operation: &'static Operation, parent: Option<usize>, start: u64) -> usize {
        let replica = self.dice.random_range(0..operation.service.replicas());
        let place = (operation.service, replica);
        let span = self.begin(place, What::Serve(operation), parent, start);
        // Its own time passes before, between and after its calls.
        let own = self.latency(operation.takes) / (operation.calls.len() as u64 + 1);
        let mut now = start + own;
        for call in operation.calls {
            let made = match call {
                Call::Http(callee) | Call::Optional(callee) => self.call(callee, span, now),
                Call::Query(query) => self.query(query, span, now),
                Call::Publish(topic) => self.publish(topic, span, now),
            };
            let Span { end, failure, .. } = self.spans[made];
            now = end + own;
            if failure.is_some() && !matches!(call, Call::Optional(_)) {
                self.end(span, now, Some(INTERNAL_ERROR));
                return span;
            }
        }
        let failure = self.dice.random_bool(FAILS).then_some(INTERNAL_ERROR);
        self.end(span, now, failure);
        span
    }

    /// The index of the client's span, which encloses the server's by the time on the network.
    fn call(&mut self, callee: &'static Operation, caller: usize, start: u64) -> usize {
        let place = (self.spans[caller].service, self.spans[caller].replica);
        let span = self.begin(place, What::Call(callee), Some(caller), start);
        let there = start + self.latency(0.4);
        let served = self.serve(callee, Some(span), there);
        let Span { end, failure, .. } = self.spans[served];
        let back = end + self.latency(0.4);
        self.end(span, back, failure);
        span
    }

    fn query(&mut self, query: &'static Query, caller: usize, start: u64) -> usize {
        let place = (self.spans[caller].service, self.spans[caller].replica);
        let span = self.begin(place, What::Query(query), Some(caller), start);
        let takes = self.latency(query.takes * (1.0 + (FLOODED - 1.0) * self.flood));
        if self.dice.random_bool(STARVED * self.flood) || takes > PATIENCE {
            self.end(span, start + PATIENCE, Some(QUERY_CANCELED));
        } else {
            self.end(span, start + takes, None);
        }
        span
    }

    /// The index of the producer's span. The consumer's begins after it and outlives the caller.
    fn publish(&mut self, topic: &'static Topic, caller: usize, start: u64) -> usize {
        let place = (self.spans[caller].service, self.spans[caller].replica);
        let span = self.begin(place, What::Publish(topic), Some(caller), start);
        let sent = start + self.latency(1.5);
        self.end(span, sent, None);

        let place = (topic.consumer, 0);
        let taken = sent + self.latency(15.0);
        let consumed = self.begin(place, What::Consume(topic), Some(span), taken);
        let done = taken + self.latency(topic.takes);
        self.end(consumed, done, None);
        span
    }

    /// Nanoseconds, log-normal around a median in milliseconds.
    fn latency(&mut self, median: f64) -> u64 {
        // Box and Muller's normal deviate; the first must not be 0.
        let radius = (-2.0 * (1.0 - self.dice.random::<f64>()).ln()).sqrt();
        let angle = std::f64::consts::TAU * self.dice.random::<f64>();
        let normal = radius * angle.cos();
        (median * MILLISECOND * (SPREAD * normal).exp()) as u64
    }
}
