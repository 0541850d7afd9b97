//! Encodes batches as OTLP protobuf, compared with prost, which encodes the same request from generated structs
//! that are built in advance. Run with `cargo bench -p pipeline --bench encode`; it prints the ratios at the end.

#![allow(clippy::print_stderr, reason = "prints the results")]

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use pipeline::{Batch, Delivery, Signal, otlp};
use prost::Message;

mod requests;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Spans, points or records per request.
const ITEMS: usize = 512;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let lines = [
        compare(&mut criterion, Signal::Traces, &requests::traces(ITEMS)),
        compare(&mut criterion, Signal::Metrics, &requests::metrics(ITEMS)),
        compare(&mut criterion, Signal::Logs, &requests::logs(ITEMS)),
    ];
    for line in lines {
        eprintln!("{line}");
    }
}

fn compare(criterion: &mut Criterion, signal: Signal, request: &impl Message) -> String {
    let bytes = Bytes::from(request.encode_to_vec());
    let unchanged = otlp::decode(signal, bytes.clone(), "otlp", Delivery::untracked())
        .expect("the request is valid");
    let rows = unchanged.rows().clone();
    let changed = unchanged
        .clone()
        .with_rows(rows)
        .expect("the rows have the schema of the signal");
    assert_eq!(
        encode(&changed).len(),
        bytes.len(),
        "both encodings have the same length"
    );

    let mut group = criterion.benchmark_group(format!("encode/{signal}"));
    group.throughput(Throughput::Elements(ITEMS as u64));
    group.bench_function("airdig", |bencher| bencher.iter(|| encode(&changed)));
    group.bench_function("forwarded", |bencher| bencher.iter(|| encode(&unchanged)));
    group.bench_function("prost", |bencher| bencher.iter(|| request.encode_to_vec()));
    group.finish();

    // The runs alternate, so that changes of the machine's speed affect all of them.
    let (mut ours, mut prost, mut forwarded) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..200 {
        ours.push(seconds(|| drop(encode(&changed))));
        prost.push(seconds(|| drop(black_box(request.encode_to_vec()))));
        forwarded.push(seconds(|| drop(encode(&unchanged))));
    }
    let [ours, prost, forwarded] = [ours, prost, forwarded].map(median);
    let rate = |seconds: f64| ITEMS as f64 / seconds / 1e6;
    format!(
        "{signal}, {} bytes an item: {:.2} M/s, prost {:.2} M/s, {:.1}x; forwarded in {:.0} ns",
        bytes.len() / ITEMS,
        rate(ours),
        rate(prost),
        prost / ours,
        forwarded * 1e9
    )
}

fn encode(batch: &Batch) -> Bytes {
    black_box(otlp::encode(black_box(batch)).expect("OTLP has the signal"))
}

/// Mean seconds of five runs.
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
