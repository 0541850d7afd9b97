//! Unchanged scans make no commit. A process must still know what they confirm once it matters.

use std::time::Duration;

use pipeline::resource::{Alias, Relation, Resource, Scan};
use pipeline::rows::Rows;
use pipeline::schema::nodes;
use pipeline::{Batch, Delivery, Signal, uid};

use super::super::pending::WATCH_PERIOD;
use super::SimulatedProcess;
use super::world::{at, host};
use crate::test_store::{HeldBack, write};

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

fn instance() -> Resource {
    Resource {
        uid: "u0".to_owned(),
        kind: "AWS::EC2::Instance".into(),
        provider: "aws".into(),
        aliases: vec![Alias::new("dns", host(0))],
        relations: vec![Relation::to("SECURED_BY", "u1".to_owned())],
        ..Resource::default()
    }
}

fn group() -> Resource {
    Resource {
        uid: "u1".to_owned(),
        kind: "AWS::EC2::SecurityGroup".into(),
        provider: "aws".into(),
        ..Resource::default()
    }
}

/// A scan of a scope. If `is_new` is false, it has only its completion, without rows of the members.
fn scan(scope: &str, second: u64, seen: &[Resource], is_new: bool) -> Vec<Batch> {
    let scan = Scan {
        source: "aws",
        group: nodes::group::ACTUAL,
        scope,
        id: Some("scan"),
        began: at(second),
    };
    let mut rows = Rows::new(Signal::Resources);
    match is_new {
        true => scan.whole(&mut rows, seen),
        false => {
            let members = seen.iter().map(|it| (uid::hash(&it.uid), it.state()));
            scan.complete(&mut rows, members.collect());
        }
    }
    vec![rows.finish(Delivery::nobody())]
}

/// A store that another process writes, and a reference process without a store that all batches pass.
struct TwoScopes {
    backend: HeldBack,
    all: SimulatedProcess,
}

impl TwoScopes {
    /// At the start, scans of both scopes have an instance.
    async fn new() -> TwoScopes {
        let backend = HeldBack::default();
        backend.gate.cancel();
        let all = SimulatedProcess::new(None).await;
        let mut case = TwoScopes { backend, all };
        let both = [instance(), group()];
        case.another_reports(scan("one", 0, &both, true), 0).await;
        case.another_reports(scan("other", 1, &both[..1], true), 1)
            .await;
        case
    }

    async fn another_reports(&mut self, batches: Vec<Batch>, second: u64) {
        let made = self.all.take(batches, second);
        write(&self.backend, &made, at(second)).await;
    }

    /// Lets time pass until own commits are no longer read for the uids that the process has read.
    async fn end_watch_period(&mut self, process: &mut SimulatedProcess, second: u64) {
        for step in 0..3 {
            tokio::time::advance(WATCH_PERIOD + Duration::from_secs(1)).await;
            let other = Resource {
                uid: format!("other {step}"),
                ..group()
            };
            let batches = scan("third", second + step, &[other], true);
            self.another_reports(batches, second + step).await;
            process.follow(second + step).await;
        }
    }

    async fn reports(&mut self, process: &mut SimulatedProcess, batches: Vec<Batch>, second: u64) {
        self.all.take(batches.clone(), second);
        let made = process.take(batches, second);
        process.write(&made, second).await;
        process.follow(second).await;
    }

    fn agrees(&mut self, process: &mut SimulatedProcess, second: u64) {
        let (expected, actual) = (self.all.answers(second), process.answers(second));
        assert_eq!(super::differences(&expected, &actual), [""; 0]);
    }

    /// Whether the instance exists for the reference process.
    fn exists(&mut self, second: u64) -> bool {
        let answers = self.all.answers(second);
        answers[0].contains("u0")
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_confirmed_by_another_process_outlives_a_deletion_by_this_process() {
    let mut case = TwoScopes::new().await;
    let mut process = SimulatedProcess::new(Some(&case.backend)).await;
    case.end_watch_period(&mut process, 10).await;
    for day in 1..=3 {
        let unchanged = scan("one", day * DAY, &[instance(), group()], false);
        case.another_reports(unchanged, day * DAY).await;
        process.follow(day * DAY).await;
    }
    let now = 3 * DAY + HOUR;
    let gone = scan("other", now, &[], true);
    case.reports(&mut process, gone, now).await;
    assert!(case.exists(now));
    case.agrees(&mut process, now);
}

#[tokio::test(start_paused = true)]
async fn a_stale_claim_holds_again_once_an_unchanged_scan_confirms_it() {
    let mut case = TwoScopes::new().await;
    let mut process = SimulatedProcess::new(Some(&case.backend)).await;
    case.end_watch_period(&mut process, 10).await;
    let now = 2 * DAY;
    let gone = scan("other", now, &[], true);
    case.reports(&mut process, gone, now).await;
    assert!(!case.exists(now), "the claim of the other scope is stale");
    case.agrees(&mut process, now);
    // A process that starts now loads no claims of uids that do not exist.
    let mut restarted = SimulatedProcess::new(Some(&case.backend)).await;
    case.end_watch_period(&mut restarted, now + 10).await;
    let now = now + HOUR;
    let unchanged = scan("one", now, &[instance(), group()], false);
    case.reports(&mut restarted, unchanged, now).await;
    process.follow(now).await;
    assert!(case.exists(now));
    case.agrees(&mut restarted, now);
    case.agrees(&mut process, now);
}
