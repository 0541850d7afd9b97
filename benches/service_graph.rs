//! Processes decoded spans in the service graph, compared with decoding them. Run with
//! `cargo bench -p processors --bench service_graph`; it prints the rates at the end.

#![allow(clippy::print_stderr, reason = "prints the results")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use pipeline::component::{Host, Processor, UnixNanos};
use pipeline::registry::BuildProcessor;
use pipeline::{Batch, Delivery, Signal, SignalSet, otlp};
use processors::service_graph::{Config, ServiceGraph};
use prost::Message;

#[allow(dead_code, reason = "this benchmark uses only traces")]
mod requests;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Spans per request.
const SPANS: usize = 512;
const REQUESTS: usize = 16;
const SERVICES: usize = 20;
/// Batches between two ticks. In production ticks are rarer: one in 2 s, at a million spans a second.
const TICK: usize = 256;

fn main() {
    let requests = requests();
    let batches: Vec<Batch> = requests.iter().map(decode).collect();
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("service_graph");
    group.throughput(Throughput::Elements(SPANS as u64));
    let mut graph = TickingGraph::new();
    let mut cycle = batches.iter().cycle();
    group.bench_function("process", |bencher| {
        bencher.iter(|| graph.process(cycle.next().expect("the cycle does not end")));
    });
    let mut cycle = requests.iter().cycle();
    group.bench_function("decode", |bencher| {
        bencher.iter(|| black_box(decode(cycle.next().expect("the cycle does not end"))));
    });
    group.finish();

    let [process, decode] = rates(&requests, &batches);
    eprintln!("{process:.2} M spans/s into the graph; {decode:.2} M spans/s decoded");
}

/// Millions of spans per second, medians. The runs alternate, so that changes of the machine's speed affect both.
fn rates(requests: &[Bytes], batches: &[Batch]) -> [f64; 2] {
    let mut graph = TickingGraph::new();
    let (mut process, mut decoding) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        let start = Instant::now();
        batches.iter().for_each(|batch| graph.process(batch));
        process.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        requests.iter().for_each(|request| {
            black_box(decode(request));
        });
        decoding.push(start.elapsed().as_secs_f64());
    }
    [process, decoding].map(|mut seconds| {
        seconds.sort_by(f64::total_cmp);
        (SPANS * REQUESTS) as f64 / seconds[seconds.len() / 2] / 1e6
    })
}

/// A service graph for which all signals are wanted; it ticks after every `TICK` batches.
struct TickingGraph {
    graph: ServiceGraph,
    batches: usize,
}

impl TickingGraph {
    fn new() -> TickingGraph {
        let id = "service_graph".parse().expect("the id is valid");
        let host = Host::new(id, SignalSet::ALL, Arc::default());
        let graph = ServiceGraph::build(Config::default(), &host).expect("the defaults are valid");
        TickingGraph { graph, batches: 0 }
    }

    fn process(&mut self, batch: &Batch) {
        let now = UnixNanos::now();
        self.batches += 1;
        let emitted = self.graph.process(batch.clone(), now);
        black_box(emitted.expect("spans are never rejected"));
        if self.batches.is_multiple_of(TICK) {
            black_box(self.graph.tick(now));
        }
    }
}

fn decode(request: &Bytes) -> Batch {
    otlp::decode(
        Signal::Traces,
        request.clone(),
        "otlp",
        Delivery::untracked(),
    )
    .expect("the request is valid")
}

/// Calls between services; half of the server spans are in the next request. One pair in ten is instead a call to
/// a database and a call by a user.
fn requests() -> Vec<Bytes> {
    let template = requests::traces(SPANS).resource_spans.remove(0);
    let spans = template.scope_spans[0].spans.clone();
    let mut services = vec![vec![Vec::new(); SERVICES]; REQUESTS];
    for request in 0..REQUESTS {
        for (pair, two) in spans.chunks_exact(2).enumerate() {
            let number = (request * SPANS + pair + 1) as u64;
            let (mut client, mut server) = (two[1].clone(), two[0].clone());
            let trace = u128::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_be_bytes();
            client.trace_id = trace.to_vec();
            client.span_id = number.to_be_bytes().to_vec();
            server.trace_id = trace.to_vec();
            server.span_id = (number << 32).to_be_bytes().to_vec();
            server.parent_span_id = client.span_id.clone();
            if pair % 10 == 0 {
                server.parent_span_id = Vec::new();
                client.attributes.push(name_of_database());
            }
            services[request][pair % SERVICES].push(client);
            let target_request = (request + pair % 2) % REQUESTS;
            services[target_request][(pair * 7 + 3) % SERVICES].push(server);
        }
    }
    let request = |services: Vec<Vec<Span>>| {
        let of_service = |(service, spans)| of_service(&template, service, spans);
        let resource_spans = services.into_iter().enumerate().map(of_service).collect();
        ExportTraceServiceRequest { resource_spans }
    };
    services
        .into_iter()
        .map(|services| Bytes::from(request(services).encode_to_vec()))
        .collect()
}

fn of_service(template: &ResourceSpans, service: usize, spans: Vec<Span>) -> ResourceSpans {
    let mut one = template.clone();
    if let Some(resource) = &mut one.resource {
        resource.attributes[0].value = Some(text(format!("service-{service}")));
    }
    one.scope_spans[0].spans = spans;
    one
}

fn name_of_database() -> KeyValue {
    KeyValue {
        key: "db.namespace".into(),
        value: Some(text("orders".into())),
        ..KeyValue::default()
    }
}

fn text(text: String) -> AnyValue {
    AnyValue {
        value: Some(Value::StringValue(text)),
    }
}
