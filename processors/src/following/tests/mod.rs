//! A process that follows the commits of a store must have the same state as a process that processes all batches.

mod confirming;
mod simulated_cloud;

use std::sync::Arc;
use std::time::Duration;

use arrow_array::Array;
use pipeline::alias_index::{AliasKind, ValidInterval};
use pipeline::attributes::{Map, map_to_json};
use pipeline::component::{Host, Processor, SharedServices, StoreRef};
use pipeline::registry::BuildProcessor;
use pipeline::reports::ReportBatch;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::drift;
use pipeline::store::Store;
use pipeline::testing::GatedBackend;
use pipeline::{Batch, Delivery, Signal, SignalSet};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;

use crate::graph::Graph;
use crate::identity::Identity;
use crate::impact::Impact;
use crate::test_store::{provide_store, write};
use simulated_cloud::{NAMES, SimulatedCloud, UIDS, address, at, host, uid};

/// One process with the processors that hold a part of the store, and `graph`.
struct SimulatedProcess {
    graph: Graph,
    identity: Identity,
    impact: Impact,
    shared: Arc<SharedServices>,
    /// The store that the process loads and follows; `None` if it has no store.
    store: Option<Arc<Store<GatedBackend>>>,
}

impl SimulatedProcess {
    async fn new(backend: Option<&GatedBackend>) -> SimulatedProcess {
        let shared = Arc::<SharedServices>::default();
        let host = |id: &str| Host::new(id.parse().unwrap(), SignalSet::ALL, shared.clone());
        let store = backend.map(|backend| provide_store(backend, &host("sqlite")));
        let store_id = backend.map(|_| "sqlite");
        let identity = serde_json::from_value(json!({"store": store_id})).unwrap();
        let impact = crate::impact::Config {
            store: store_id.map(|id| StoreRef(id.parse().unwrap())),
            observed_edge_ttl: Duration::ZERO,
            ..crate::impact::Config::default()
        };
        let mut process = SimulatedProcess {
            graph: Graph::build(crate::graph::Config::default(), &host("graph")).unwrap(),
            identity: Identity::build(identity, &host("identity")).unwrap(),
            impact: Impact::build(impact, &host("impact")).unwrap(),
            store,
            shared: shared.clone(),
        };
        process.identity.load().await;
        process.impact.load().await;
        process
    }

    /// Processes batches. Returns the batches to write to the store.
    fn process(&mut self, batches: Vec<Batch>, second: u64) -> Vec<Batch> {
        let made = batches
            .into_iter()
            .map(|batch| self.graph.process(batch, at(second)));
        let made = made.flat_map(Result::unwrap);
        let made = made.filter(|batch| batch.signal() != Signal::Resources);
        let made: Vec<Batch> = made.collect();
        for batch in &made {
            self.impact.process(batch.clone(), at(second)).unwrap();
            // `graph` has already added the aliases of resources to the index, but not those of other batches.
            self.identity.process(batch.clone(), at(second)).unwrap();
        }
        made
    }

    /// Follows commits until none arrives for a second.
    async fn follow(&mut self, second: u64) {
        let store = self.store.clone().unwrap();
        loop {
            let quiet = tokio::time::sleep(Duration::from_secs(1));
            tokio::select! {
                () = store.follow() => unreachable!("it never returns"),
                () = self.identity.wake() => drop(self.identity.tick(at(second))),
                () = self.impact.wake() => drop(self.impact.tick(at(second))),
                () = quiet => return,
            }
        }
    }

    /// Writes batches to the store as own commits.
    async fn write(&self, batches: &[Batch], second: u64) {
        for batch in batches {
            let reports = ReportBatch::from_batch(batch, at(second));
            let store = self.store.as_ref().unwrap();
            store.write_at(&reports, at(second)).await.unwrap();
        }
    }

    /// The state of the process as text: the owners of each name, and the nodes that a drift of each uid affects.
    fn state(&mut self, second: u64) -> Vec<String> {
        let host_of = Host::new("x".parse().unwrap(), SignalSet::ALL, self.shared.clone());
        let index = host_of.alias_index();
        let mut lines = Vec::new();
        for number in 0..NAMES {
            let names = [
                (AliasKind::Host, host(number)),
                (AliasKind::Address, address(number)),
            ];
            for (kind, name) in names {
                let view = index.view();
                let owners = view.owners(kind, &name, &mut ValidInterval::at(at(second)));
                lines.push(format!("{name} belongs to {owners:?}"));
            }
        }
        let mut rows = Rows::new(Signal::Drift);
        let uids: Vec<String> = (0..UIDS).map(uid).collect();
        for uid in &uids {
            let cells = [(drift::KIND, Cell::Text("changed"))];
            rows.push(Some(at(second)), Some(uid), "drift", &cells);
        }
        let drifts = rows.finish(Delivery::untracked());
        let filled = self.impact.process(drifts, at(second)).unwrap().remove(0);
        let impacts = filled.bytes(drift::IMPACT);
        for (row, uid) in uids.iter().enumerate() {
            let impact = impacts
                .is_valid(row)
                .then(|| map_to_json(Map::new(impacts.value(row))));
            let top = impact.and_then(|impact| impact.get("top").cloned());
            let top = top.filter(|top| top.as_array().is_some_and(|top| !top.is_empty()));
            lines.push(format!("{uid} affects {}", top.unwrap_or_default()));
        }
        lines
    }
}

/// The lines that differ.
fn differences(expected: &[String], actual: &[String]) -> Vec<String> {
    let pairs = expected.iter().zip(actual);
    let pairs = pairs.filter(|(expected, actual)| expected != actual);
    pairs
        .map(|(expected, actual)| format!("{expected}, but got {actual}"))
        .collect()
}

/// Two processes write to one store, and the second process follows its commits. The second process writes its reports
/// and follows at random times. Returns a description of the first difference.
async fn run(seed: u64, steps: usize, with_large_scans: bool) -> Result<(), String> {
    let backend = GatedBackend::default();
    backend.gate.cancel();
    let mut cloud = SimulatedCloud::new(StdRng::seed_from_u64(seed), with_large_scans);
    let mut reference = SimulatedProcess::new(None).await;
    let mut follower = SimulatedProcess::new(Some(&backend)).await;
    let mut in_flight: Vec<Vec<Batch>> = Vec::new();
    for step in 0..steps {
        let (batches, is_by_follower) = (cloud.report(), cloud.happens_with(0.4));
        let now = cloud.second;
        let made = reference.process(batches.clone(), now);
        match is_by_follower {
            true => in_flight.push(follower.process(batches, now)),
            false => write(&backend, &made, at(now)).await,
        }
        while !in_flight.is_empty() && cloud.happens_with(0.5) {
            follower.write(&in_flight.remove(0), now).await;
        }
        if cloud.happens_with(0.4) {
            follower.follow(now).await;
        }
        if !cloud.happens_with(0.1) && step + 1 < steps {
            continue;
        }
        for made in in_flight.drain(..) {
            follower.write(&made, now).await;
        }
        follower.follow(now).await;
        let actual = follower.state(now);
        let expected = reference.state(now);
        let mut restarted = SimulatedProcess::new(Some(&backend)).await;
        let fresh = restarted.state(now);
        let references = [
            ("restarted process", &fresh),
            ("process with all batches", &expected),
        ];
        for (name, state) in references {
            let differences = differences(state, &actual);
            if !differences.is_empty() {
                return Err(format!(
                    "seed {seed}, step {step}, compared with the {name}: {differences:#?}"
                ));
            }
        }
    }
    Ok(())
}

async fn run_all(seeds: std::ops::Range<u64>, steps: usize, with_large_scans: bool) {
    for seed in seeds {
        let result = run(seed, steps, with_large_scans).await;
        result.unwrap_or_else(|error| panic!("{error}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_follows_commits_has_the_state_of_a_restarted_process() {
    run_all(0..30, 50, false).await;
}

#[tokio::test(start_paused = true)]
async fn changes_that_truncated_commits_do_not_name_are_found_by_a_full_read() {
    run_all(100..104, 25, true).await;
}
