//! Unchanged scans make no commit. Nevertheless, when a scope reports a deletion, a process must know which claims of
//! other scopes such scans have confirmed.

use std::time::Duration;

use pipeline::resource::{Resource, ResourceAlias, ResourceRelation, ScanContext};
use pipeline::rows::Rows;
use pipeline::schema::nodes;
use pipeline::testing::GatedBackend;
use pipeline::{Batch, Delivery, Signal, uid};

use super::SimulatedProcess;
use super::simulated_cloud::{at, host};
use crate::following::pending::WATCH_PERIOD;
use crate::test_store::write;

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

fn instance() -> Resource {
    Resource {
        uid: "u0".to_owned(),
        kind: "AWS::EC2::Instance".into(),
        provider: "aws".into(),
        aliases: vec![ResourceAlias::new("dns", host(0))],
        relations: vec![ResourceRelation::to("SECURED_BY", "u1".to_owned())],
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

/// A scan of a scope that began at `second`: the rows of its members if `has_rows`, and its completion. An unchanged
/// scan has only the completion.
fn scan(scope: &str, second: u64, members: &[Resource], has_rows: bool) -> Vec<Batch> {
    let scan = ScanContext {
        source: "aws",
        group: nodes::group::ACTUAL,
        scope,
        id: Some("scan"),
        began: at(second),
    };
    let mut rows = Rows::new(Signal::Resources);
    match has_rows {
        true => scan.push_whole_scan(&mut rows, members),
        false => {
            let members = members
                .iter()
                .map(|member| (uid::hash(&member.uid), member.state()));
            scan.push_completion(&mut rows, members.collect());
        }
    }
    vec![rows.finish(Delivery::untracked())]
}

/// A store to which another process writes scans of two scopes, and a reference process. The reference process has no
/// store and processes all batches of all processes.
struct TwoScopes {
    backend: GatedBackend,
    reference: SimulatedProcess,
}

impl TwoScopes {
    /// A store in which scans of both scopes have reported the instance.
    async fn new() -> TwoScopes {
        let backend = GatedBackend::default();
        backend.gate.cancel();
        let reference = SimulatedProcess::new(None).await;
        let mut case = TwoScopes { backend, reference };
        let both = [instance(), group()];
        case.another_reports(scan("one", 0, &both, true), 0).await;
        case.another_reports(scan("other", 1, &both[..1], true), 1)
            .await;
        case
    }

    /// Writes reports to the store as another process.
    async fn another_reports(&mut self, batches: Vec<Batch>, second: u64) {
        let made = self.reference.process(batches, second);
        write(&self.backend, &made, at(second)).await;
    }

    /// Lets time pass until the process no longer watches the uids that it has read so far.
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

    /// `process` processes reports and writes them to the store.
    async fn reports(&mut self, process: &mut SimulatedProcess, batches: Vec<Batch>, second: u64) {
        self.reference.process(batches.clone(), second);
        let made = process.process(batches, second);
        process.write(&made, second).await;
        process.follow(second).await;
    }

    /// Asserts that `process` and the reference process have the same state.
    fn assert_agrees(&mut self, process: &mut SimulatedProcess, second: u64) {
        let (expected, actual) = (self.reference.state(second), process.state(second));
        assert_eq!(super::differences(&expected, &actual), [""; 0]);
    }

    /// Whether the instance exists for the reference process.
    fn exists(&mut self, second: u64) -> bool {
        let state = self.reference.state(second);
        state[0].contains("u0")
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
    case.assert_agrees(&mut process, now);
}

#[tokio::test(start_paused = true)]
async fn a_stale_claim_is_valid_again_once_an_unchanged_scan_confirms_it() {
    let mut case = TwoScopes::new().await;
    let mut process = SimulatedProcess::new(Some(&case.backend)).await;
    case.end_watch_period(&mut process, 10).await;
    let now = 2 * DAY;
    let gone = scan("other", now, &[], true);
    case.reports(&mut process, gone, now).await;
    assert!(!case.exists(now), "the claim of the other scope is stale");
    case.assert_agrees(&mut process, now);
    // A process that starts now loads no claims of uids that do not exist.
    let mut restarted = SimulatedProcess::new(Some(&case.backend)).await;
    case.end_watch_period(&mut restarted, now + 10).await;
    let now = now + HOUR;
    let unchanged = scan("one", now, &[instance(), group()], false);
    case.reports(&mut restarted, unchanged, now).await;
    process.follow(now).await;
    assert!(case.exists(now));
    case.assert_agrees(&mut restarted, now);
    case.assert_agrees(&mut process, now);
}
