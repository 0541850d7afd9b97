//! A process that follows the commits of a store must know what a process knows that all batches pass.

mod confirming;
mod world;

use std::sync::Arc;
use std::time::Duration;

use arrow_array::Array;
use pipeline::alias_index::{Holds, Kind};
use pipeline::attributes::{Map, map_to_json};
use pipeline::component::{Host, Processor, Shared, StoreRef};
use pipeline::registry::BuildProcessor;
use pipeline::reports::ReportBatch;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::drift;
use pipeline::store::Store;
use pipeline::{Batch, Delivery, Signal, SignalSet};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;

use crate::graph::Graph;
use crate::identity::Identity;
use crate::impact::Impact;
use crate::test_store::{HeldBack, provide, write};
use world::{NAMES, SimulatedCloud, UIDS, address, at, host, uid};

/// The processors of one process.
struct SimulatedProcess {
    graph: Graph,
    identity: Identity,
    impact: Impact,
    shared: Arc<Shared>,
    /// The store to load and follow; none if the process has no store.
    store: Option<Arc<Store<HeldBack>>>,
}

impl SimulatedProcess {
    async fn new(backend: Option<&HeldBack>) -> SimulatedProcess {
        let shared = Arc::<Shared>::default();
        let host = |id: &str| Host::new(id.parse().unwrap(), SignalSet::ALL, shared.clone());
        let store = backend.map(|backend| provide(backend, &host("sqlite")));
        let named = backend.map(|_| "sqlite");
        let identity = serde_json::from_value(json!({"store": named})).unwrap();
        let impact = crate::impact::Config {
            store: named.map(|named| StoreRef(named.parse().unwrap())),
            seen_for: Duration::ZERO,
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

    /// Processes batches. Returns what goes into the store.
    fn take(&mut self, batches: Vec<Batch>, second: u64) -> Vec<Batch> {
        let made = batches
            .into_iter()
            .map(|batch| self.graph.process(batch, at(second)));
        let made = made.flat_map(Result::unwrap);
        let made = made.filter(|batch| batch.signal() != Signal::Resources);
        let made: Vec<Batch> = made.collect();
        for batch in &made {
            self.impact.process(batch.clone(), at(second)).unwrap();
            // Aliases made by `graph` are in the index already; others are new to it.
            self.identity.process(batch.clone(), at(second)).unwrap();
        }
        made
    }

    /// Follows commits until there are no more.
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

    async fn write(&self, batches: &[Batch], second: u64) {
        for batch in batches {
            let reports = ReportBatch::of(batch, at(second));
            let store = self.store.as_ref().unwrap();
            store.write_at(&reports, at(second)).await.unwrap();
        }
    }

    /// The owners of each name, and the impact of a drift of each uid, as text.
    fn answers(&mut self, second: u64) -> Vec<String> {
        let host_of = Host::new("x".parse().unwrap(), SignalSet::ALL, self.shared.clone());
        let index = host_of.alias_index();
        let mut answers = Vec::new();
        for number in 0..NAMES {
            let names = [(Kind::Host, host(number)), (Kind::Address, address(number))];
            for (kind, name) in names {
                let view = index.view();
                let owners = view.owners(kind, &name, &mut Holds::at(at(second)));
                answers.push(format!("{name} is {owners:?}"));
            }
        }
        let mut rows = Rows::new(Signal::Drift);
        let uids: Vec<String> = (0..UIDS).map(uid).collect();
        for uid in &uids {
            let cells = [(drift::KIND, Cell::Text("changed"))];
            rows.push(Some(at(second)), Some(uid), "drift", &cells);
        }
        let drifts = rows.finish(Delivery::nobody());
        let filled = self.impact.process(drifts, at(second)).unwrap().remove(0);
        let impacts = filled.bytes(drift::IMPACT);
        for (row, uid) in uids.iter().enumerate() {
            let impact = impacts
                .is_valid(row)
                .then(|| map_to_json(Map::new(impacts.value(row))));
            let top = impact.and_then(|impact| impact.get("top").cloned());
            let top = top.filter(|top| top.as_array().is_some_and(|top| !top.is_empty()));
            answers.push(format!("{uid} touches {}", top.unwrap_or_default()));
        }
        answers
    }
}

/// The answers that differ.
fn differences(one: &[String], other: &[String]) -> Vec<String> {
    let pairs = one.iter().zip(other).filter(|(one, other)| one != other);
    pairs
        .map(|(one, other)| format!("{one}, but got {other}"))
        .collect()
}

/// Two processes write one store; the second follows it. When its reports are written and when it follows
/// commits is random.
async fn run(seed: u64, steps: usize, with_crowds: bool) -> Result<(), String> {
    let backend = HeldBack::default();
    backend.gate.cancel();
    let mut cloud = SimulatedCloud::new(StdRng::seed_from_u64(seed), with_crowds);
    let mut all = SimulatedProcess::new(None).await;
    let mut second = SimulatedProcess::new(Some(&backend)).await;
    let mut in_flight: Vec<Vec<Batch>> = Vec::new();
    for step in 0..steps {
        let (batches, is_second) = (cloud.report(), cloud.chance(0.4));
        let now = cloud.second;
        let made = all.take(batches.clone(), now);
        match is_second {
            true => in_flight.push(second.take(batches, now)),
            false => write(&backend, &made, at(now)).await,
        }
        while !in_flight.is_empty() && cloud.chance(0.5) {
            second.write(&in_flight.remove(0), now).await;
        }
        if cloud.chance(0.4) {
            second.follow(now).await;
        }
        if !cloud.chance(0.1) && step + 1 < steps {
            continue;
        }
        for made in in_flight.drain(..) {
            second.write(&made, now).await;
        }
        second.follow(now).await;
        let actual = second.answers(now);
        let expected = all.answers(now);
        let mut restarted = SimulatedProcess::new(Some(&backend)).await;
        let fresh = restarted.answers(now);
        let references = [
            ("restarted process", &fresh),
            ("process with all batches", &expected),
        ];
        for (reference, answers) in references {
            let differences = differences(answers, &actual);
            if !differences.is_empty() {
                return Err(format!(
                    "seed {seed}, step {step}, compared with the {reference}: {differences:#?}"
                ));
            }
        }
    }
    Ok(())
}

async fn run_all(seeds: std::ops::Range<u64>, steps: usize, with_crowds: bool) {
    for seed in seeds {
        let result = run(seed, steps, with_crowds).await;
        result.unwrap_or_else(|error| panic!("{error}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_follows_commits_knows_what_a_restarted_process_knows() {
    run_all(0..30, 50, false).await;
}

#[tokio::test(start_paused = true)]
async fn changes_that_commits_do_not_name_are_read_with_the_whole_store() {
    run_all(100..104, 25, true).await;
}
