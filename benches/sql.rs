//! Runs SQL on decoded batches, compared with direct calls of Arrow's kernels. Run with
//! `cargo bench -p processors --bench sql`; it prints the results at the end.

#![allow(clippy::print_stderr, reason = "prints the results")]

use std::hint::black_box;
use std::time::Instant;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use criterion::Criterion;
use pipeline::component::{Host, Processor, UnixNanos};
use pipeline::config::YamlNode;
use pipeline::registry::BuildProcessor;
use pipeline::schema::traces;
use pipeline::{Batch, Delivery, Signal, SignalSet, otlp};
use processors::query::Query;
use processors::sql::{Config, Sql};
use prost::Message;

#[allow(dead_code, reason = "this benchmark uses only traces")]
mod requests;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROWS: usize = 8192;
const FILTER: &str = "SELECT name, start_time_unix_nano, attributes FROM traces WHERE kind = 3";
const COLUMNS: [&str; 3] = [
    traces::NAME,
    traces::START_TIME_UNIX_NANO,
    traces::ATTRIBUTES,
];

fn main() {
    let many = batch(ROWS);
    let one = many.slice(0..1);
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("sql");
    for (rows, batch) in [(ROWS, &many), (1, &one)] {
        let mut query = query(FILTER);
        group.bench_function(format!("filter and projection, {rows} rows"), |bencher| {
            bencher.iter(|| run(&mut query, batch));
        });
        group.bench_function(format!("the kernels alone, {rows} rows"), |bencher| {
            bencher.iter(|| kernels(batch.rows()));
        });
        let mut sql = processor();
        group.bench_function(format!("processor, {rows} rows"), |bencher| {
            bencher.iter(|| black_box(sql.process(batch.clone(), UnixNanos(1))));
        });
    }
    group.finish();
    print_results(&many, &one);
}

fn print_results(many: &Batch, one: &Batch) {
    let mut filter = query(FILTER);
    let [whole, alone] = medians([&mut || run(&mut filter, many), &mut || kernels(many.rows())]);
    let [single] = medians([&mut || run(&mut filter, one)]);
    eprintln!(
        "filter and projection: {whole:.1} µs for {ROWS} rows, {alone:.1} µs by the kernels alone; \
         {single:.2} µs for one row"
    );
    let mut sql = processor();
    let [whole] = medians([&mut || drop(black_box(sql.process(many.clone(), UnixNanos(1))))]);
    let [single] = medians([&mut || drop(black_box(sql.process(one.clone(), UnixNanos(1))))]);
    eprintln!(
        "processor, SELECT * WHERE: {whole:.1} µs for {ROWS} rows, {single:.2} µs for one row"
    );
    for (what, expression) in [
        ("the first attribute", "attributes['http.request.method']"),
        (
            "the last attribute, an array as JSON",
            "attributes['app.languages']",
        ),
        (
            "the seventh attribute, a text",
            "attributes['user_agent.original']",
        ),
        ("an absent attribute", "attributes['absent']"),
        (
            "a number",
            "attributes['http.response.status_code']::BIGINT",
        ),
        (
            "a resource's attribute",
            "resource_attributes['service.name']",
        ),
    ] {
        let mut get = query(&format!("SELECT {expression} AS got FROM traces"));
        let mut pass = query("SELECT attributes, resource_attributes FROM traces");
        let [get, pass] = medians([&mut || run(&mut get, many), &mut || run(&mut pass, many)]);
        eprintln!(
            "{what}: {:.0} ns a row",
            (get - pass) * 1000.0 / ROWS as f64
        );
    }
    let before = resident();
    for _ in 0..100_000 {
        run(&mut filter, one);
    }
    eprintln!(
        "100,000 runs of one plan: {} KiB of memory before, {} KiB after",
        before,
        resident()
    );
}

fn query(sql: &str) -> Query {
    Query::new(sql, false).unwrap_or_else(|mistakes| panic!("{sql}: {mistakes:?}"))
}

fn processor() -> Sql {
    let yaml = "{query: SELECT * FROM traces WHERE kind = 3, into: traces, keep: false}";
    let config: Config = YamlNode::from_yaml(yaml)
        .and_then(|node| {
            node.decode()
                .map_err(|error| node.problem_at(0, error.to_string()))
        })
        .expect("it is valid");
    let id = "sql".parse().expect("an id");
    let host = Host::new(id, SignalSet::ALL, std::sync::Arc::default());
    Sql::build(config, &host).expect("it can be built")
}

fn run(query: &mut Query, batch: &Batch) {
    let rows = vec![(batch.signal(), vec![batch.rows().clone()])];
    black_box(query.run(rows, UnixNanos(1), None).expect("it runs"));
}

/// The same filter and projection with Arrow's kernels: a lower bound for the query.
fn kernels(rows: &RecordBatch) {
    let kind = rows
        .column_by_name(traces::KIND)
        .expect("a column of traces");
    let kind = kind.as_primitive::<Int32Type>();
    let mask = BooleanArray::from_unary(kind, |kind| kind == 3);
    let columns = COLUMNS.map(|name| rows.schema().index_of(name).expect("a column of traces"));
    let projected = rows.project(&columns).expect("columns of traces");
    black_box(filter_record_batch(&projected, &mask).expect("a mask of its length"));
}

/// Spans; every second span has kind 3.
fn batch(rows: usize) -> Batch {
    let mut request = requests::traces(rows);
    let spans = &mut request.resource_spans[0].scope_spans[0].spans;
    for (index, span) in spans.iter_mut().enumerate() {
        span.kind = 2 + i32::from(index % 2 == 0);
    }
    let request = request.encode_to_vec().into();
    let batch = otlp::decode(Signal::Traces, request, "bench", Delivery::untracked());
    let batch = batch.expect("it is valid");
    assert_eq!(batch.column(traces::KIND).len(), rows);
    batch
}

/// Median microseconds of each. The runs alternate, so that changes of the machine's speed affect all of them.
fn medians<const N: usize>(mut runs: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut taken: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..300 {
        for (run, taken) in runs.iter_mut().zip(&mut taken) {
            let start = Instant::now();
            for _ in 0..5 {
                run();
            }
            taken.push(start.elapsed().as_secs_f64() * 1e6 / 5.0);
        }
    }
    taken.map(|mut all| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    })
}

/// Resident memory in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}
