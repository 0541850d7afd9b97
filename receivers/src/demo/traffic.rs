//! Simulates one user request and its spans. The result depends only on the seeds, the number of the request and the
//! situation.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::script::Situation;
use super::shop::{Call, Operation, Query, REQUESTS, ShopService, Topic};

const NANOS_PER_MILLISECOND: f64 = 1e6;
/// The standard deviation of the logarithm of latencies.
const LATENCY_SIGMA: f64 = 0.5;
/// The probability that an operation fails although its calls succeed. A request involves two to five operations.
const FAILURE_RATE: f64 = 0.003;
/// By how much the flood at its peak multiplies the latency of queries.
const FLOOD_SLOWDOWN: f64 = 8.0;
/// The probability that a query times out while the flood is at its peak.
const FLOOD_TIMEOUT_RATE: f64 = 0.05;
const STATEMENT_TIMEOUT_NANOS: u64 = 2_000_000_000;

/// PostgreSQL's `query_canceled`: the statement timeout.
pub(super) const QUERY_CANCELED: &str = "57014";
const INTERNAL_ERROR: &str = "500";

/// One simulated request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SimulatedRequest {
    pub(super) trace_id: [u8; 16],
    /// The number of the product, cart or order that the request concerns.
    pub(super) subject: u32,
    /// The number of deploys of `catalog` before the request began.
    pub(super) deploys: u64,
    /// The spans. A parent precedes its children.
    pub(super) spans: Vec<SimulatedSpan>,
}

/// One simulated span. Times are nanoseconds since the request began.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SimulatedSpan {
    pub(super) id: [u8; 8],
    /// The index of the parent among the spans of the request.
    pub(super) parent: Option<usize>,
    pub(super) service: ShopService,
    pub(super) replica: u32,
    pub(super) action: SpanAction,
    pub(super) start: u64,
    pub(super) end: u64,
    /// `error.type`.
    pub(super) failure: Option<&'static str>,
}

/// The operation that a span describes.
#[derive(Clone, Copy, Debug)]
pub(super) enum SpanAction {
    Serve(&'static Operation),
    Call(&'static Operation),
    Query(&'static Query),
    Publish(&'static Topic),
    Consume(&'static Topic),
}

impl PartialEq for SpanAction {
    fn eq(&self, other: &SpanAction) -> bool {
        match (self, other) {
            (SpanAction::Serve(one), SpanAction::Serve(two))
            | (SpanAction::Call(one), SpanAction::Call(two)) => std::ptr::eq(*one, *two),
            (SpanAction::Query(one), SpanAction::Query(two)) => std::ptr::eq(*one, *two),
            (SpanAction::Publish(one), SpanAction::Publish(two))
            | (SpanAction::Consume(one), SpanAction::Consume(two)) => std::ptr::eq(*one, *two),
            _ => false,
        }
    }
}

impl SimulatedRequest {
    /// When the last of its spans ends.
    pub(super) fn end(&self) -> u64 {
        let ends = self.spans.iter().map(|span| span.end);
        ends.max().unwrap_or_default()
    }
}

/// The request with this number. `id_seed` is the seed of the span ids and trace ids. Two runs with the same `seed`
/// have different `id_seed`s, and so different ids.
pub(super) fn request(
    seed: u64,
    id_seed: u64,
    number: u64,
    situation: &Situation,
) -> SimulatedRequest {
    let mut id_source = ChaCha8Rng::seed_from_u64(id_seed);
    id_source.set_stream(number);
    let trace_id = id_source.random();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    let operation = pick_operation(&mut rng);
    let subject = rng.random_range(1..500);
    let mut walk = RequestWalk {
        rng,
        ids: id_source,
        flood: situation.flood,
        spans: Vec::new(),
    };
    walk.serve(operation, None, 0);
    SimulatedRequest {
        trace_id,
        subject,
        deploys: situation.deploys,
        spans: walk.spans,
    }
}

fn pick_operation(rng: &mut ChaCha8Rng) -> &'static Operation {
    let mut remaining = rng.random_range(0..REQUESTS.iter().map(|(weight, _)| weight).sum());
    for (weight, operation) in &REQUESTS {
        if remaining < *weight {
            return operation;
        }
        remaining -= weight;
    }
    unreachable!("the number is less than the sum of all weights")
}

/// Walks the tree of calls of one request and records spans.
struct RequestWalk {
    rng: ChaCha8Rng,
    ids: ChaCha8Rng,
    flood: f64,
    spans: Vec<SimulatedSpan>,
}

impl RequestWalk {
    /// Adds a span and returns its index; [`RequestWalk::end`] sets its end.
    fn begin(
        &mut self,
        (service, replica): (ShopService, u32),
        action: SpanAction,
        parent: Option<usize>,
        start: u64,
    ) -> usize {
        self.spans.push(SimulatedSpan {
            id: self.ids.random(),
            parent,
            service,
            replica,
            action,
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

    /// Simulates the server side; returns the index of the server span.
    fn serve(&mut self, operation: &'static Operation, parent: Option<usize>, start: u64) -> usize {
        let replica = self.rng.random_range(0..operation.service.replicas());
        let pod = (operation.service, replica);
        let span = self.begin(pod, SpanAction::Serve(operation), parent, start);
        // The duration of the operation without its calls is spread evenly before, between and after the calls.
        let pause = self.latency(operation.median_ms) / (operation.calls.len() as u64 + 1);
        let mut now = start + pause;
        for call in operation.calls {
            let child = match call {
                Call::Http(callee) | Call::Optional(callee) => self.call(callee, span, now),
                Call::Query(query) => self.query(query, span, now),
                Call::Publish(topic) => self.publish(topic, span, now),
            };
            let SimulatedSpan { end, failure, .. } = self.spans[child];
            now = end + pause;
            if failure.is_some() && !matches!(call, Call::Optional(_)) {
                self.end(span, now, Some(INTERNAL_ERROR));
                return span;
            }
        }
        let failure = self.rng.random_bool(FAILURE_RATE).then_some(INTERNAL_ERROR);
        self.end(span, now, failure);
        span
    }

    /// Simulates an HTTP call; returns the index of the client span, which is longer than the server span by the
    /// network latency.
    fn call(&mut self, callee: &'static Operation, caller: usize, start: u64) -> usize {
        let pod = (self.spans[caller].service, self.spans[caller].replica);
        let span = self.begin(pod, SpanAction::Call(callee), Some(caller), start);
        let arrival = start + self.latency(0.4);
        let server_span = self.serve(callee, Some(span), arrival);
        let SimulatedSpan { end, failure, .. } = self.spans[server_span];
        let returned = end + self.latency(0.4);
        self.end(span, returned, failure);
        span
    }

    /// Simulates a database query; returns the index of the client span.
    fn query(&mut self, query: &'static Query, caller: usize, start: u64) -> usize {
        let pod = (self.spans[caller].service, self.spans[caller].replica);
        let span = self.begin(pod, SpanAction::Query(query), Some(caller), start);
        let duration = self.latency(query.median_ms * (1.0 + (FLOOD_SLOWDOWN - 1.0) * self.flood));
        if self.rng.random_bool(FLOOD_TIMEOUT_RATE * self.flood)
            || duration > STATEMENT_TIMEOUT_NANOS
        {
            self.end(span, start + STATEMENT_TIMEOUT_NANOS, Some(QUERY_CANCELED));
        } else {
            self.end(span, start + duration, None);
        }
        span
    }

    /// Simulates a message; returns the index of the producer span. The consumer span begins after the producer span,
    /// and may end after the span of the caller.
    fn publish(&mut self, topic: &'static Topic, caller: usize, start: u64) -> usize {
        let pod = (self.spans[caller].service, self.spans[caller].replica);
        let span = self.begin(pod, SpanAction::Publish(topic), Some(caller), start);
        let sent = start + self.latency(1.5);
        self.end(span, sent, None);

        let pod = (topic.consumer, 0);
        let received = sent + self.latency(15.0);
        let consumed = self.begin(pod, SpanAction::Consume(topic), Some(span), received);
        let done = received + self.latency(topic.median_ms);
        self.end(consumed, done, None);
        span
    }

    /// A log-normal latency in nanoseconds, given its median in milliseconds.
    fn latency(&mut self, median: f64) -> u64 {
        // Box-Muller transform. `1 - random` is never 0, so its logarithm is finite.
        let radius = (-2.0 * (1.0 - self.rng.random::<f64>()).ln()).sqrt();
        let angle = std::f64::consts::TAU * self.rng.random::<f64>();
        let normal = radius * angle.cos();
        (median * NANOS_PER_MILLISECOND * (LATENCY_SIGMA * normal).exp()) as u64
    }
}
