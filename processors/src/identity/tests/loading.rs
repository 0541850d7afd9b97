//! Tests of loading the aliases of a store while batches and reports arrive.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use pipeline::alias_index::{AliasKind, ValidInterval};
use pipeline::component::{Host, Processor, SharedServices, StoreRef};
use pipeline::registry::BuildProcessor;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{aliases, traces};
use pipeline::testing::GatedBackend;
use pipeline::{Batch, Delivery, Signal, SignalSet};

use super::cloud::{DATABASE, call, spans, to};
use super::support::at;
use crate::graph::Graph;
use crate::identity::{Config, Identity};
use crate::test_store::{TestProcess, provide_store, write};

fn host(id: &str, shared: &Arc<SharedServices>) -> Host {
    Host::new(id.parse().unwrap(), SignalSet::ALL, shared.clone())
}

/// An `identity` that loads from the exporter `sqlite`, which has a store on this backend.
fn identity(backend: &GatedBackend, shared: &Arc<SharedServices>) -> Identity {
    provide_store(backend, &host("sqlite", shared));
    identity_of("sqlite", shared)
}

fn identity_of(store: &str, shared: &Arc<SharedServices>) -> Identity {
    let config = Config {
        store: Some(StoreRef(store.parse().unwrap())),
        ..Config::default()
    };
    Identity::build(config, &host("identity", shared)).unwrap()
}

/// A snapshot of one alias `dns`, from the source `aws`.
fn name(uid: &str, second: u64, value: &str) -> Batch {
    name_by("aws", uid, second, value)
}

fn name_by(source: &str, uid: &str, second: u64, value: &str) -> Batch {
    let mut rows = Rows::new(Signal::Aliases);
    let cells = [
        (aliases::MODE, Cell::Text("snapshot")),
        (aliases::KIND, Cell::Text("dns")),
        (aliases::VALUE, Cell::Text(value)),
    ];
    rows.push(Some(at(second)), Some(uid), source, &cells);
    rows.finish(Delivery::untracked())
}

async fn store_with_a_name() -> GatedBackend {
    let backend = GatedBackend::default();
    let batch = name(DATABASE, 10, "db.example");
    write(&backend, &[batch], at(20)).await;
    backend
}

fn peers_of(batches: &[Batch]) -> Vec<String> {
    let spans = batches
        .iter()
        .filter(|batch| batch.signal() == Signal::Traces);
    let peers = spans.flat_map(|batch| batch.text(traces::PEER_UID).iter());
    peers.map(|uid| uid.unwrap_or("").to_owned()).collect()
}

#[tokio::test]
async fn a_span_that_arrives_during_loading_is_resolved_by_the_loaded_aliases() {
    let (backend, shared) = (store_with_a_name().await, Arc::default());
    let identity = identity(&backend, &shared);
    let calls = spans(&[call(30, to("db.example")), call(30, to("other.example"))]);
    let mut process = TestProcess::start(identity, vec![calls]);
    process.assert_waits().await;
    backend.gate.cancel();
    process.assert_delivers().await;
    assert_eq!(peers_of(&process.captured.batches()), [DATABASE, ""]);
    process.stop().await;
}

#[tokio::test]
async fn a_page_that_cannot_be_read_is_retried() {
    let (backend, shared) = (store_with_a_name().await, Arc::default());
    backend.failures.store(2, Ordering::Relaxed);
    backend.gate.cancel();
    let identity = identity(&backend, &shared);
    let mut process = TestProcess::start(identity, vec![spans(&[call(30, to("db.example"))])]);
    process.assert_delivers().await;
    assert_eq!(peers_of(&process.captured.batches()), [DATABASE]);
    process.stop().await;
}

#[tokio::test]
async fn a_scan_during_loading_replaces_the_loaded_aliases() {
    let (backend, shared) = (store_with_a_name().await, Arc::default());
    let mut identity = identity(&backend, &shared);
    let graph = Graph::build(crate::graph::Config::default(), &host("graph", &shared));
    let mut graph = graph.unwrap();
    let scanned = async {
        graph.load().await;
        report_to_index(&shared, &name(DATABASE, 25, "new.example"));
    };
    let loaded = async {
        tokio::task::yield_now().await;
        backend.gate.cancel();
        identity.load().await;
    };
    tokio::join!(scanned, loaded);
    let index = host("test", &shared).alias_index();
    let view = index.view();
    let owners = |value: &str, second| {
        let mut valid = ValidInterval::at(at(second));
        view.owners(AliasKind::Host, value, &mut valid).len()
    };
    assert_eq!(
        [owners("db.example", 20), owners("new.example", 20)],
        [1, 0]
    );
    assert_eq!(
        [owners("db.example", 30), owners("new.example", 30)],
        [0, 1]
    );
}

fn report_to_index(shared: &Arc<SharedServices>, names: &Batch) {
    let index = host("test", shared).alias_index();
    let reports = pipeline::reports::ReportBatch::from_batch(names, at(30));
    index.writer().unwrap().apply(&reports);
}

#[tokio::test(start_paused = true)]
async fn a_read_of_a_uid_from_one_store_keeps_its_aliases_from_another_store() {
    let shared = Arc::default();
    let ids = ["sqlite/a", "sqlite/b"];
    let backends = [(); 2].map(|()| GatedBackend::default());
    let sources = ["a", "b"];
    for (backend, source) in backends.iter().zip(sources) {
        backend.gate.cancel();
        let batch = name_by(source, DATABASE, 10, &format!("{source}.example"));
        write(backend, &[batch], at(20)).await;
    }
    let stores =
        [0, 1].map(|store: usize| provide_store(&backends[store], &host(ids[store], &shared)));
    let [mut one, mut other] = ids.map(|id| identity_of(id, &shared));
    tokio::join!(one.load(), other.load());
    let index = host("test", &shared).alias_index();
    let owners = |second| {
        let view = index.view();
        ["a.example", "b.example", "c.example"].map(|value| {
            let mut valid = ValidInterval::at(at(second));
            view.owners(AliasKind::Host, value, &mut valid).len()
        })
    };
    assert_eq!(owners(20), [1, 1, 0]);
    let batch = name_by("b", DATABASE, 30, "c.example");
    write(&backends[1], &[batch], at(30)).await;
    tokio::select! {
        () = stores[1].follow() => unreachable!("it never returns"),
        () = other.wake() => drop(other.tick(at(40))),
    }
    assert_eq!(owners(50), [1, 0, 1]);
}
