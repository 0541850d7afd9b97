//! Resources with a long history. A fresh graph has the same resources without history.

use std::time::Duration;

use pipeline::component::UnixNanos;
use pipeline::schema::edges::kind;
use pipeline::uid;

use crate::clock::GraphClock;
use crate::kinds::{INSTANCE, SECURITY_GROUP};
use crate::layout::{Layout, mix};
use crate::load::MeasuredWriter;
use crate::resource::BenchResource;

const ACCOUNT: &str = "900000000001";
/// The name of all ended resources in the scope `ended`.
pub(crate) const ENDED: &str = "retired-worker";
/// Edges of the snapshot that changes.
const TARGETS: usize = 200;
/// Edges to the busy node in a fresh graph.
const FEW: usize = 100;

/// The amount of each kind of history.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HistorySizes {
    states: usize,
    snapshots: usize,
    runs: usize,
    edges: usize,
    ended: usize,
}

impl HistorySizes {
    /// In full from 200,000 nodes on, scaled down below.
    pub(crate) fn of(layout: &Layout, aged: bool) -> HistorySizes {
        let share = |full: usize, fresh: usize| match aged {
            true => (full as f64 * (layout.nodes() as f64 / 2e5).min(1.0)) as usize,
            false => fresh,
        };
        HistorySizes {
            states: share(10_000, 1),
            snapshots: share(2000, 1),
            runs: share(100_000, 1),
            edges: share(100_000, FEW),
            ended: share(20_000, 0),
        }
    }
}

/// A resource of these scopes, by its short name.
pub(crate) fn uid_of(name: &str) -> String {
    uid::aws("ec2", "eu-west-1", ACCOUNT, &format!("instance/{name}"))
}

fn resource(name: &str, state: u64) -> BenchResource {
    let mut value = pipeline::attributes::MapBuilder::new();
    // 4 kB, the size of an instance in the EC2 API.
    for field in 0..60 {
        let text = format!(
            "{:016x}{:016x}{:016x}",
            mix(field),
            mix(field + 1),
            mix(field + 2)
        );
        value.text(&format!("Field{field:02}"), &text);
    }
    value.int("Version", state as i64);
    BenchResource {
        uid: uid_of(name),
        kind: "AWS::EC2::Instance",
        source: "aws",
        provider: "aws",
        name: name.to_owned(),
        account: ACCOUNT.to_owned(),
        region: "eu-west-1",
        aliases: vec![("id", name.to_owned(), None)],
        configuration: value.finish(),
        state: mix(state).max(2),
        ..BenchResource::default()
    }
}

pub(crate) async fn write(
    writer: &mut MeasuredWriter<'_>,
    layout: &Layout,
    clock: &GraphClock,
    history: HistorySizes,
) {
    let step = |count: usize, every: Duration| {
        UnixNanos(clock.first_scan().0 + count as u64 * every.as_nanos() as u64)
    };
    for state in 0..history.states {
        let changed = resource("many-states", state as u64);
        scan(
            writer,
            "states",
            &[changed],
            step(state, Duration::from_secs(60)),
        )
        .await;
    }
    for change in 0..history.snapshots {
        let mut changed = resource("many-snapshots", change as u64);
        let targets = (change..change + TARGETS).map(|target| {
            let target = layout.any_of(INSTANCE, target as u64);
            (kind::TARGETS, layout.uid(target))
        });
        changed.edges = targets.collect();
        scan(
            writer,
            "snapshots",
            &[changed],
            step(change, Duration::from_secs(300)),
        )
        .await;
    }
    let members: Vec<BenchResource> = (0..10)
        .map(|one| resource(&format!("many-runs-{one}"), 0))
        .collect();
    scan(writer, "runs", &members, step(0, Duration::ZERO)).await;
    for run in 1..history.runs {
        // Every second run lacks the last member.
        let present = &members[..members.len() - run % 2];
        complete(writer, "runs", present, step(run, Duration::from_secs(6))).await;
    }
    let mut busy = resource("busy", 0);
    busy.edges = vec![(
        kind::SECURED_BY,
        layout.uid(layout.any_of(SECURITY_GROUP, 0)),
    )];
    scan(writer, "busy", &[busy], step(0, Duration::ZERO)).await;
    for caller in 0..history.edges {
        // 7919 is a prime, so the callers are distinct nodes of all kinds.
        let from = layout.uid(layout.nth(caller * 7919 % layout.nodes()));
        let to = uid_of("busy");
        writer
            .batches
            .observation(&from, kind::CALLS, &to, clock.telemetry());
        writer.flush_if_full().await;
    }
    let lives = || {
        let mut lives = resource("still-there", 0);
        lives.name = format!("{ENDED}-lives");
        lives
    };
    // One resource that stays, and the resources that end.
    let mut members = vec![lives()];
    for number in 0..history.ended {
        let mut ends = resource(&format!("ended-{number:05}"), 0);
        ends.name = ENDED.to_owned();
        ends.configuration = Vec::new();
        members.push(ends);
    }
    scan(writer, "ended", &members, step(0, Duration::ZERO)).await;
    scan(
        writer,
        "ended",
        &[lives()],
        step(1, Duration::from_secs(3600)),
    )
    .await;
    writer.flush().await;
}

/// A scan of a scope that reports these resources and has them as members.
async fn scan(
    writer: &mut MeasuredWriter<'_>,
    scope: &str,
    resources: &[BenchResource],
    began: UnixNanos,
) {
    for resource in resources {
        writer.batches.resource(&name_of(scope), resource, began);
        writer.flush_if_full().await;
    }
    complete(writer, scope, resources, began).await;
}

async fn complete(
    writer: &mut MeasuredWriter<'_>,
    scope: &str,
    resources: &[BenchResource],
    began: UnixNanos,
) {
    let members = resources.iter().map(|one| (uid::hash(&one.uid), one.state));
    writer
        .batches
        .completion(&name_of(scope), "aws", began, members.collect());
    writer.flush_if_full().await;
}

fn name_of(scope: &str) -> String {
    format!("{ACCOUNT}/eu-west-1/{scope}")
}
