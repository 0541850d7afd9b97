//! Unchanged scans make no commit: what they confirm is known when it matters.

use std::time::Duration;

use pipeline::resource::{Alias, Relation, Resource, Scan};
use pipeline::rows::Rows;
use pipeline::schema::nodes;
use pipeline::{Batch, Delivery, Signal, uid};

use super::super::pending::KEPT;
use super::Process;
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

/// A scan of a scope; where it found nothing new, without a row of what it saw.
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

/// A store, another process that writes it, and one without a store that sees all batches.
struct Case {
    backend: HeldBack,
    all: Process,
}

impl Case {
    /// Two scopes saw an instance at the start.
    async fn new() -> Case {
        let backend = HeldBack::default();
        backend.gate.cancel();
        let all = Process::new(None).await;
        let mut case = Case { backend, all };
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

    /// So much that own commits of what the process read before are not read any more.
    async fn goes_on(&mut self, process: &mut Process, second: u64) {
        for step in 0..3 {
            tokio::time::advance(KEPT + Duration::from_secs(1)).await;
            let other = Resource {
                uid: format!("other {step}"),
                ..group()
            };
            let batches = scan("third", second + step, &[other], true);
            self.another_reports(batches, second + step).await;
            process.follow(second + step).await;
        }
    }

    async fn reports(&mut self, process: &mut Process, batches: Vec<Batch>, second: u64) {
        self.all.take(batches.clone(), second);
        let made = process.take(batches, second);
        process.write(&made, second).await;
        process.follow(second).await;
    }

    fn agrees(&mut self, process: &mut Process, second: u64) {
        let (expected, found) = (self.all.answers(second), process.answers(second));
        assert_eq!(super::differences(&expected, &found), [""; 0]);
    }

    /// Whether the instance exists for the process that saw all.
    fn exists(&mut self, second: u64) -> bool {
        let answers = self.all.answers(second);
        answers[0].contains("u0")
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_another_process_confirms_for_days_outlives_a_deletion_here() {
    let mut case = Case::new().await;
    let mut process = Process::new(Some(&case.backend)).await;
    case.goes_on(&mut process, 10).await;
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
async fn a_stale_claim_that_a_scan_confirms_again_is_known_again() {
    let mut case = Case::new().await;
    let mut process = Process::new(Some(&case.backend)).await;
    case.goes_on(&mut process, 10).await;
    let now = 2 * DAY;
    let gone = scan("other", now, &[], true);
    case.reports(&mut process, gone, now).await;
    assert!(!case.exists(now), "nothing was heard of the other scope");
    case.agrees(&mut process, now);
    // One that starts now knows no claim of what does not exist.
    let mut restarted = Process::new(Some(&case.backend)).await;
    case.goes_on(&mut restarted, now + 10).await;
    let now = now + HOUR;
    let unchanged = scan("one", now, &[instance(), group()], false);
    case.reports(&mut restarted, unchanged, now).await;
    process.follow(now).await;
    assert!(case.exists(now));
    case.agrees(&mut restarted, now);
    case.agrees(&mut process, now);
}
