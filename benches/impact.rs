//! Measures the impact query for a security group with 10,000 instances, and the memory of the impact graph. Run
//! with `cargo bench -p processors --bench impact`; it prints the results at the end.

#![allow(clippy::print_stderr, reason = "prints the results")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use criterion::Criterion;
use pipeline::component::{Host, Processor, UnixNanos};
use pipeline::registry::BuildProcessor;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{drift, edges, nodes};
use pipeline::{Batch, Delivery, Signal, SignalSet, uid};
use processors::impact::{Config, Impact};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const INSTANCES: usize = 10_000;
const SERVICES: usize = 200;
/// Nodes of each graph whose memory is measured.
const MANY: usize = 200_000;
/// Rows per batch.
const ROWS: usize = 1000;
const NOW: UnixNanos = UnixNanos(1_700_000_000_000_000_000);

fn main() {
    let mut group = security_group();
    let changed = drift(&arn("security-group/sg", 0));
    let mut criterion = Criterion::default().configure_from_args();
    criterion.bench_function(
        "impact of a security group with 10,000 instances",
        |bencher| {
            bencher.iter(|| black_box(group.process(changed.clone(), NOW)));
        },
    );
    let mut taken: Vec<f64> = Vec::new();
    for _ in 0..50 {
        let start = Instant::now();
        drop(black_box(group.process(changed.clone(), NOW)));
        taken.push(start.elapsed().as_secs_f64() * 1e3);
    }
    taken.sort_by(f64::total_cmp);
    eprintln!(
        "impact of a security group with {INSTANCES} instances, their pods and services: {:.1} ms, {:.1} at most",
        taken[taken.len() / 2],
        taken[taken.len() - 1]
    );
    for edges in [1, 9] {
        let memory = instances(edges).graph_size();
        eprintln!(
            "{} nodes, {} edges: {} bytes a node, {} an edge",
            memory.nodes,
            memory.edges,
            memory.node_bytes / memory.nodes,
            memory.edge_bytes / memory.edges
        );
    }
}

/// A graph of nodes with `edges` edges each, to 3,000 other nodes.
fn instances(edges: usize) -> Impact {
    let mut graph = GraphBuilder::new();
    for number in 0..MANY {
        let own = arn("instance/i", number);
        graph.node(&own, "AWS::EC2::Instance");
        for edge in 0..edges {
            let to = arn("security-group/sg", (number * 31 + edge * 7) % 3000);
            graph.edge(&own, "SECURED_BY", &to);
        }
    }
    graph.finish()
}

/// One security group, its instances, a pod on each, and services that call each other.
fn security_group() -> Impact {
    let mut graph = GraphBuilder::new();
    let group = arn("security-group/sg", 0);
    graph.node(&group, "AWS::EC2::SecurityGroup");
    for number in 0..INSTANCES {
        let (own, eni) = (
            arn("instance/i", number),
            arn("network-interface/eni", number),
        );
        graph.node(&own, "AWS::EC2::Instance");
        graph.edge(&own, "SECURED_BY", &group);
        graph.edge(&own, "PART_OF", &arn("subnet/subnet", number % 3));
        graph.node(&eni, "AWS::EC2::NetworkInterface");
        graph.edge(&eni, "SECURED_BY", &group);
        graph.edge(&eni, "ATTACHED_TO", &own);
        let pod = uid::kubernetes("cluster", "", "pod", &number.to_string());
        graph.node(&pod, "k8s.pod");
        graph.edge(&pod, "RUNS_ON", &own);
        let service = service(number % SERVICES);
        graph.edge(&service, "RUNS_ON", &pod);
    }
    for number in 0..SERVICES {
        graph.node(&service(number), "service");
        graph.edge(
            &service(number),
            "CALLS",
            &service((number * 7 + 1) % SERVICES),
        );
    }
    graph.finish()
}

fn arn(kind: &str, number: usize) -> String {
    let resource = format!("{kind}-0{number:016x}");
    uid::aws("ec2", "eu-west-1", "123456789012", &resource)
}

fn service(number: usize) -> String {
    uid::service("prod", "shop", &format!("service-{number}"))
}

fn drift(uid: &str) -> Batch {
    let mut rows = Rows::new(Signal::Drift);
    rows.push(
        Some(NOW),
        Some(uid),
        "bench",
        &[(drift::KIND, Cell::Text("changed"))],
    );
    rows.finish(Delivery::untracked())
}

/// Builds the graph of the processor with batches of a realistic size.
struct GraphBuilder {
    impact: Impact,
    nodes: Rows,
    edges: Rows,
}

impl GraphBuilder {
    fn new() -> GraphBuilder {
        let id = "impact".parse().expect("the id is valid");
        let host = Host::new(id, SignalSet::ALL, Arc::default());
        GraphBuilder {
            impact: Impact::build(Config::default(), &host).expect("the defaults are valid"),
            nodes: Rows::new(Signal::Nodes),
            edges: Rows::new(Signal::Edges),
        }
    }

    fn node(&mut self, uid: &str, kind: &str) {
        let cells = [
            (nodes::OP, Cell::Text("observed")),
            (nodes::GROUP, Cell::Text("lifecycle")),
            (nodes::KIND, Cell::Text(kind)),
        ];
        self.nodes.push(Some(NOW), Some(uid), "aws", &cells);
        // Flushes before the edges of a node, since a snapshot must not be divided between batches.
        if self.nodes.len() >= ROWS {
            self.flush();
        }
    }

    /// Edges of services are observations, all others belong to snapshots.
    fn edge(&mut self, from: &str, kind: &str, to: &str) {
        let mode = match from.starts_with("svc:") {
            true => "observed",
            false => "snapshot",
        };
        let cells = [
            (edges::MODE, Cell::Text(mode)),
            (edges::KIND, Cell::Text(kind)),
            (edges::TO, Cell::Text(to)),
            (edges::CONFIDENCE, Cell::Float(1.0)),
        ];
        self.edges.push(Some(NOW), Some(from), "aws", &cells);
    }

    fn flush(&mut self) {
        for rows in [&mut self.nodes, &mut self.edges] {
            let batch = rows.finish(Delivery::untracked());
            drop(self.impact.process(batch, NOW));
        }
    }

    fn finish(mut self) -> Impact {
        self.flush();
        self.impact
    }
}
