//! Decodes and validates OTLP protobuf, compared with prost, which decodes the same bytes into generated structs, and
//! decodes and encodes OTLP JSON. Run with `cargo bench -p pipeline --bench decode`; it prints the ratios at the end.

#![allow(clippy::print_stderr, reason = "prints the results")]

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use pipeline::{Delivery, Signal, otlp};
use prost::Message;

mod requests;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Spans, points or records per request.
const ITEMS: usize = 512;

fn main() {
    let traces = Bytes::from(requests::traces(ITEMS).encode_to_vec());
    let metrics = Bytes::from(requests::metrics(ITEMS).encode_to_vec());
    let logs = Bytes::from(requests::logs(ITEMS).encode_to_vec());
    let mut criterion = Criterion::default().configure_from_args();
    let mut ratios = Vec::new();
    for (signal, request) in [
        (Signal::Traces, &traces),
        (Signal::Metrics, &metrics),
        (Signal::Logs, &logs),
    ] {
        let mut group = criterion.benchmark_group(format!("decode/{signal}"));
        group.throughput(Throughput::Elements(ITEMS as u64));
        group.bench_function("airdig", |bencher| bencher.iter(|| decode(signal, request)));
        group.bench_function("prost", |bencher| {
            bencher.iter(|| decode_with_prost(signal, request))
        });
        let json = encode_json(signal, request);
        group.throughput(Throughput::Bytes(json.len() as u64));
        group.bench_function("from JSON", |bencher| {
            bencher.iter(|| decode_json(signal, &json))
        });
        group.bench_function("protobuf to JSON", |bencher| {
            bencher.iter(|| encode_json(signal, request))
        });
        group.finish();
        ratios.push((signal, request.len() / ITEMS, ratio(signal, request)));
    }
    for (signal, bytes, [ours, prost]) in ratios {
        eprintln!(
            "{signal}, {bytes} bytes an item: {:.2} M/s, prost {:.2} M/s, {:.1}x",
            rate(ours),
            rate(prost),
            prost / ours
        );
    }
}

fn decode(signal: Signal, request: &Bytes) {
    black_box(
        otlp::decode(signal, request.clone(), "otlp", Delivery::untracked())
            .expect("the request is valid"),
    );
}

fn decode_json(signal: Signal, json: &str) {
    black_box(
        otlp::json::decode(signal, json.as_bytes(), "otlp", Delivery::untracked())
            .expect("the JSON is right"),
    );
}

fn encode_json(signal: Signal, request: &Bytes) -> String {
    let batch = otlp::decode(signal, request.clone(), "otlp", Delivery::untracked());
    otlp::json::encode(&batch.expect("the request is right")).expect("OTLP carries the signal")
}

fn decode_with_prost(signal: Signal, request: &Bytes) {
    match signal {
        Signal::Traces => drop(black_box(ExportTraceServiceRequest::decode(
            request.as_ref(),
        ))),
        Signal::Metrics => drop(black_box(ExportMetricsServiceRequest::decode(
            request.as_ref(),
        ))),
        _ => drop(black_box(ExportLogsServiceRequest::decode(
            request.as_ref(),
        ))),
    }
}

/// Median seconds per request of both. The runs alternate, so that changes of the machine's speed affect both.
fn ratio(signal: Signal, request: &Bytes) -> [f64; 2] {
    let (mut ours, mut prost) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        ours.push(seconds(|| decode(signal, request)));
        prost.push(seconds(|| decode_with_prost(signal, request)));
    }
    [median(ours), median(prost)]
}

fn seconds(mut run: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..5 {
        run();
    }
    start.elapsed().as_secs_f64() / 5.0
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn rate(seconds: f64) -> f64 {
    ITEMS as f64 / seconds / 1e6
}
