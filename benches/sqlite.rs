//! Writes node facts to SQLite in bulk, and a scan without changes, compared with one statement per row in one
//! transaction. Run with `cargo bench -p exporters --bench sqlite`; it prints the rates at the end.

#![allow(clippy::print_stderr, reason = "prints the results")]

use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput};
use exporters::sqlite::{Config, Sqlite};
use pipeline::attributes::MapBuilder;
use pipeline::component::{Exporter, Host, Tasks, UnixNanos};
use pipeline::registry::BuildExporter;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::nodes;
use pipeline::{Batch, Delivery, Signal, SignalSet, uid};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Nodes of a scan; each node has two facts.
const NODES: usize = 10_000;
const FACTS: u64 = 2 * NODES as u64;

fn main() {
    let runtime = Runtime::new().expect("threads can be started");
    let mut criterion = Criterion::default()
        .sample_size(10)
        .measurement_time(Duration::from_secs(10))
        .configure_from_args();
    let (first, again) = (scan(1), scan(2));
    let mut group = criterion.benchmark_group("sqlite");
    group.throughput(Throughput::Elements(FACTS));
    group.bench_function("new facts", |bencher| {
        bencher.iter_batched(
            || runtime.block_on(open()),
            |open| {
                runtime.block_on(async {
                    open.write(&first).await;
                    open
                })
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("the same facts, one statement a row", |bencher| {
        bencher.iter_batched(
            || runtime.block_on(plain()),
            |(mut connection, folder)| {
                runtime.block_on(one_by_one(&mut connection));
                folder
            },
            BatchSize::PerIteration,
        );
    });
    let known = runtime.block_on(async {
        let open = open().await;
        open.write(&first).await;
        open
    });
    group.bench_function("an unchanged scan", |bencher| {
        bencher.iter(|| runtime.block_on(known.write(&again)));
    });
    group.finish();
    summary(&runtime, &first, &again);
    criterion.final_summary();
}

#[expect(clippy::print_stderr, reason = "prints the results")]
fn summary(runtime: &Runtime, first: &Batch, again: &Batch) {
    let best =
        |mut run: Box<dyn FnMut() -> f64>| (0..5).map(|_| run()).fold(f64::INFINITY, f64::min);
    let ours = best(Box::new(|| {
        let open = runtime.block_on(open());
        let start = Instant::now();
        runtime.block_on(open.write(first));
        start.elapsed().as_secs_f64()
    }));
    let theirs = best(Box::new(|| {
        let (mut connection, _folder) = runtime.block_on(plain());
        let start = Instant::now();
        runtime.block_on(one_by_one(&mut connection));
        start.elapsed().as_secs_f64()
    }));
    let open = runtime.block_on(open());
    runtime.block_on(open.write(first));
    let unchanged = best(Box::new(|| {
        let start = Instant::now();
        runtime.block_on(open.write(again));
        start.elapsed().as_secs_f64()
    }));
    let rate = |seconds: f64| FACTS as f64 / seconds / 1e3;
    eprintln!(
        "sqlite: {:.0} k new facts/s, one statement a row {:.0} k/s, {:.1}x; an unchanged scan of {NODES} nodes {:.0} ms",
        rate(ours),
        rate(theirs),
        theirs / ours,
        unchanged * 1e3,
    );
}

struct OpenSqlite {
    sqlite: Sqlite,
    _folder: tempfile::TempDir,
}

impl OpenSqlite {
    async fn write(&self, batch: &Batch) {
        self.sqlite.export(batch).await.expect("it is written");
    }
}

async fn open() -> OpenSqlite {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let host = Host::new(
        "sqlite".parse().expect("an id"),
        SignalSet::NONE,
        Arc::default(),
    );
    let config = Config {
        path: folder.path().join("graph.db"),
        observed_edge_ttl: Duration::ZERO,
        retention: pipeline::store::Retention::default(),
    };
    let mut sqlite = Sqlite::build(config, &host).expect("it is built");
    let mut tasks = Tasks::new(CancellationToken::new());
    sqlite.start(&mut tasks).await.expect("it starts");
    OpenSqlite {
        sqlite,
        _folder: folder,
    }
}

fn uid(index: usize) -> String {
    format!(
        "arn:aws:ec2:eu-west-1:123456789012:instance/i-{:016x}",
        index.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    )
}

fn configuration(index: usize) -> Vec<u8> {
    MapBuilder::new()
        .text("InstanceType", "m7g.large")
        .text(
            "PrivateIpAddress",
            &format!("10.0.{}.{}", index / 256, index % 256),
        )
        .text("SubnetId", "subnet-0a1b2c3d4e5f60718")
        .text("VpcId", "vpc-0a1b2c3d4e5f60718")
        .text("ImageId", "ami-0a1b2c3d4e5f60718")
        .finish()
}

/// The rows that the `graph` processor emits for a scan of one scope.
fn scan(began: u64) -> Batch {
    let mut rows = Rows::new(Signal::Nodes);
    let mut members = Vec::with_capacity(NODES);
    for index in 0..NODES {
        let (uid, value) = (uid(index), configuration(index));
        for group in [nodes::group::LIFECYCLE, nodes::group::ACTUAL] {
            let cells = [
                (nodes::OP, Cell::Text("observed")),
                (nodes::GROUP, Cell::Text(group)),
                (
                    nodes::SCOPE,
                    Cell::Text("123456789012/eu-west-1/AWS::EC2::Instance"),
                ),
                (nodes::STATE, Cell::UInt(7)),
                (nodes::KIND, Cell::Text("AWS::EC2::Instance")),
                (nodes::NAME, Cell::Text("web")),
                (nodes::PROVIDER, Cell::Text("aws")),
                (nodes::ACCOUNT, Cell::Text("123456789012")),
                (nodes::REGION, Cell::Text("eu-west-1")),
                (nodes::VALUE, Cell::Bytes(&value)),
            ];
            rows.push(Some(UnixNanos(began)), Some(&uid), "aws", &cells);
        }
        members.push(uid::hash(&uid));
    }
    members.sort_unstable();
    let complete = [
        (nodes::OP, Cell::Text("scope_complete")),
        (nodes::GROUP, Cell::Text(nodes::group::ACTUAL)),
        (
            nodes::SCOPE,
            Cell::Text("123456789012/eu-west-1/AWS::EC2::Instance"),
        ),
        (nodes::MEMBERS, Cell::UInts(&members)),
        (nodes::MEMBER_STATES, Cell::UInts(&vec![7; NODES])),
    ];
    rows.push(Some(UnixNanos(began)), None, "aws", &complete);
    rows.finish(Delivery::untracked())
}

/// A new file with the facts table of version 1, opened with the same settings.
async fn plain() -> (SqliteConnection, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let options = SqliteConnectOptions::from_str("sqlite:")
        .expect("an address")
        .filename(folder.path().join("plain.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options)
        .await
        .expect("it opens");
    let schema = include_str!("../exporters/src/sqlite/migrations/0001_graph.sql");
    sqlx::raw_sql(schema)
        .execute(&mut connection)
        .await
        .expect("tables are made");
    (connection, folder)
}

const ROW: &str = "INSERT INTO facts (uid, grp, source, scope, hash, first_seen, last_seen, kind, name, provider, \
     account, region, value) VALUES (?1, ?2, 'aws', ?3, ?4, ?5, ?5, 'AWS::EC2::Instance', 'web', 'aws', \
     '123456789012', 'eu-west-1', ?6) ON CONFLICT DO UPDATE SET first_seen = min(first_seen, excluded.first_seen), \
     last_seen = max(last_seen, excluded.last_seen)";

async fn one_by_one(connection: &mut SqliteConnection) {
    let mut transaction = connection.begin().await.expect("it begins");
    for index in 0..NODES {
        let (uid, value) = (uid(index), configuration(index));
        for group in [nodes::group::LIFECYCLE, nodes::group::ACTUAL] {
            sqlx::query(ROW)
                .bind(&uid)
                .bind(group)
                .bind("123456789012/eu-west-1/AWS::EC2::Instance")
                .bind(7_i64)
                .bind(1_i64)
                .bind(&value)
                .execute(&mut *transaction)
                .await
                .expect("a row is written");
        }
    }
    transaction.commit().await.expect("it commits");
}
