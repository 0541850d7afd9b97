//! Loading the graph from a store at the start.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use pipeline::SignalSet;
use pipeline::component::{Host, Processor, StoreRef};
use pipeline::registry::BuildProcessor;
use pipeline::schema;
use pipeline::testing::GatedBackend;

use super::batches::{
    drift, fact, observed_edge, scan, scan_aliases, scan_completion, scan_edges, scan_rows,
};
use super::{affected, apply, at, column_values, drift_impact};
use crate::impact::{Config, Impact};
use crate::test_store::{TestProcess, provide_store, write};

/// A store with a small graph: a security group, two instances, and a service that calls one of them.
async fn store_with_a_small_graph() -> GatedBackend {
    let backend = GatedBackend::default();
    backend.gate.cancel();
    let scanned = [
        ("i-1", "AWS::EC2::Instance"),
        ("i-2", "AWS::EC2::Instance"),
        ("sg", "AWS::EC2::SecurityGroup"),
    ];
    let edges_of_i1 = [("PART_OF", "subnet"), ("SECURED_BY", "sg")];
    let batches = [
        scan("s", 5, &scanned),
        scan_edges("s", 5, ("i-1", 7), &edges_of_i1),
        scan_edges("s", 5, ("i-2", 7), &[("SECURED_BY", "sg")]),
        scan_aliases("s", 5, ("i-2", 7), ("same_as", "ext://db:5432")),
        fact("cart", "telemetry", "observed", "service", 5),
        observed_edge("cart", "CALLS", "i-1", 5),
    ];
    write(&backend, &batches, at(5)).await;
    backend
}

/// A processor that loads its graph from the store of this backend.
fn build(backend: &GatedBackend) -> Impact {
    let id = || "sqlite".parse().unwrap();
    let host = Host::new(id(), SignalSet::ALL, Arc::default());
    provide_store(backend, &host);
    let config = Config {
        store: Some(StoreRef(id())),
        ..Config::default()
    };
    Impact::build(config, &host).unwrap()
}

async fn build_and_load() -> Impact {
    load_with_failures(0).await
}

/// Loads the small graph from a store whose first `failures` reads fail.
async fn load_with_failures(failures: usize) -> Impact {
    let backend = store_with_a_small_graph().await;
    backend.failures.store(failures, Ordering::Relaxed);
    let mut impact = build(&backend);
    impact.load().await;
    impact
}

#[tokio::test]
async fn stored_graph_is_loaded_at_the_start() {
    let mut impact = build_and_load().await;
    assert_eq!(affected(&mut impact, "sg", 10), ["i-1", "i-2", "cart"]);
    assert_eq!(impact.graph.len(), 5, "four listed nodes and the subnet");
}

#[tokio::test]
async fn reports_after_the_load_replace_loaded_snapshots() {
    let mut impact = build_and_load().await;
    for batch in scan_rows("s", 20, ("i-1", 8), "other") {
        apply(&mut impact, batch);
    }
    assert_eq!(affected(&mut impact, "sg", 30), ["i-2"]);
    apply(&mut impact, scan_completion("s", 30, &["i-1", "sg"]));
    assert_eq!(affected(&mut impact, "sg", 40), [""; 0], "i-2 ended");
}

#[tokio::test]
async fn loaded_observation_expires_like_any_other() {
    let mut impact = build_and_load().await;
    let day = 24 * 60 * 60;
    assert_eq!(affected(&mut impact, "i-1", day), ["cart"]);
    assert_eq!(affected(&mut impact, "i-1", day + 6), [""; 0]);
}

#[tokio::test]
async fn edge_to_a_loaded_name_leads_to_the_node_with_the_name() {
    let mut impact = build_and_load().await;
    apply(
        &mut impact,
        observed_edge("mail", "CALLS", "ext://db:5432", 20),
    );
    assert_eq!(affected(&mut impact, "i-2", 30), ["mail"]);
    for batch in scan_rows("s", 30, ("i-2", 8), "sg") {
        apply(&mut impact, batch);
    }
    apply(
        &mut impact,
        scan_aliases("s", 30, ("i-2", 8), ("id", "i-2")),
    );
    assert_eq!(affected(&mut impact, "i-2", 40), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn failed_page_is_read_again() {
    let mut impact = load_with_failures(3).await;
    assert_eq!(affected(&mut impact, "sg", 10), ["i-1", "i-2", "cart"]);
    assert_eq!(drift_impact(&mut impact, "sg", 10)["truncated"], false);
}

#[tokio::test(start_paused = true)]
async fn impacts_are_truncated_when_loading_times_out() {
    let mut impact = load_with_failures(usize::MAX).await;
    apply(
        &mut impact,
        scan("s", 10, &[("sg", "AWS::EC2::SecurityGroup")]),
    );
    assert_eq!(drift_impact(&mut impact, "sg", 20)["truncated"], true);
}

#[tokio::test]
async fn drift_that_arrives_while_loading_gets_its_whole_impact() {
    let backend = GatedBackend::default();
    let batches = scan_rows("s", 10, ("i-1", 7), "sg");
    write(&backend, &batches, at(20)).await;
    let impact = build(&backend);
    let mut process = TestProcess::start(impact, vec![drift(&[Some("sg")])]);
    process.assert_waits().await;
    backend.gate.cancel();
    process.assert_delivers().await;
    let impact = column_values(&process.captured.batches()[0], schema::drift::IMPACT).remove(0);
    assert_eq!(
        (&impact["count"], &impact["truncated"]),
        (&1.into(), &false.into())
    );
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn edge_that_another_process_observes_again_does_not_expire() {
    let hour = 60 * 60;
    let backend = GatedBackend::default();
    backend.gate.cancel();
    let cart = || fact("cart", "telemetry", "observed", "service", 1);
    write(
        &backend,
        &[cart(), observed_edge("cart", "CALLS", "i-1", 1)],
        at(1),
    )
    .await;
    let mut impact = build(&backend);
    impact.load().await;
    let again = [observed_edge("cart", "CALLS", "i-1", 20 * hour)];
    write(&backend, &again, at(20 * hour)).await;
    impact.tick(at(24 * hour - 60));
    impact.wake().await;
    impact.tick(at(24 * hour - 59));
    assert_eq!(affected(&mut impact, "i-1", 25 * hour), ["cart"]);
    impact.tick(at(44 * hour + 60));
    assert_eq!(affected(&mut impact, "i-1", 44 * hour + 60), [""; 0]);
}
