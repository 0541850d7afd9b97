//! Two days of history: calls of every minute, resources that change, and small writes between them. A store that
//! removes old rows stops growing; the growth on the second day shows whether it does.

use std::path::Path;

use pipeline::component::UnixNanos;

use crate::clock::GraphClock;
use crate::figure::Figure;
use crate::kinds::SERVICE;
use crate::layout::{Layout, ResourceId};
use crate::load::MeasuredWriter;
use crate::process;
use crate::store::OpenStore;
use crate::writes::BenchScope;

pub(crate) const NAME: &str = "history";
/// Edges with calls in every minute, in full from 200,000 nodes on.
const EDGES: usize = 1000;
/// Resources, each of which changes once a day, in full from 200,000 nodes on.
const NODES: usize = 10_000;
const MINUTES: u64 = 24 * 60;
/// Minutes between scans, and between small writes.
const SCAN: u64 = 60;
const SMALL: u64 = 10;

pub(crate) async fn measure(
    store: &OpenStore,
    layout: &Layout,
    clock: &GraphClock,
    file: &Path,
) -> Vec<Figure> {
    let mut figures = Vec::new();
    let mut waits = Vec::new();
    let mut world = HistoryWorkload::new(layout, NAME);
    world.begin(&mut MeasuredWriter::new(store), clock).await;
    let mut writer = MeasuredWriter::new(store);
    for day in 0..2 {
        eprintln!("{NAME}: day {}", day + 1);
        let before = process::file_mib(file);
        world
            .write_day(&mut writer, clock.day(day), day, &mut waits)
            .await;
        let growth = process::file_mib(file) - before;
        let name = format!("{NAME}: file growth, day {}", day + 1);
        figures.push(Figure::one(name, "MiB", growth));
    }
    figures.extend(writer.figures(NAME));
    figures.push(Figure::of_samples("history: a small write", "ms", &waits).of(1));
    let slowest = waits.iter().copied().fold(0.0, f64::max);
    figures.push(Figure::one(
        "history: the slowest small write",
        "ms",
        slowest,
    ));
    figures
}

/// The calls and scopes that history is written for.
pub(crate) struct HistoryWorkload<'l> {
    calls: Vec<(String, String)>,
    changing: BenchScope<'l>,
    small: BenchScope<'l>,
}

impl<'l> HistoryWorkload<'l> {
    /// `name` is the name of the scope.
    pub(crate) fn new(layout: &'l Layout, name: &'static str) -> HistoryWorkload<'l> {
        let share = (layout.nodes() as f64 / 2e5).min(1.0);
        let share = |full: usize| (full as f64 * share) as usize;
        HistoryWorkload {
            calls: calls(layout, share(EDGES)),
            changing: BenchScope::new(layout, name, share(NODES)),
            small: BenchScope::new(layout, "history-small", 1),
        }
    }

    /// The first scan of the resources that change later.
    pub(crate) async fn begin(&mut self, writer: &mut MeasuredWriter<'_>, clock: &GraphClock) {
        let all = 0..self.changing.size();
        self.changing.scan(writer, clock.first_scan(), all, 0).await;
    }

    pub(crate) async fn write_day(
        &mut self,
        writer: &mut MeasuredWriter<'_>,
        start: UnixNanos,
        day: u64,
        waits: &mut Vec<f64>,
    ) {
        for minute in 0..MINUTES {
            let time = UnixNanos(start.0 + minute * 60_000_000_000);
            for (from, to) in &self.calls {
                writer.batches.calls(from, to, time);
                writer.flush_if_full().await;
            }
            if minute % SCAN == 0 {
                let (nodes, hour) = (self.changing.size(), (minute / SCAN) as usize);
                let changed = nodes * hour / 24..nodes * (hour + 1) / 24;
                self.changing.scan(writer, time, changed, day + 1).await;
            }
            if minute % SMALL == 0 {
                writer.flush().await;
                let version = day * MINUTES + minute;
                self.small.observe(writer, time, 0, version);
                waits.push(1e3 * writer.flush().await);
            }
        }
        writer.flush().await;
    }
}

fn calls(layout: &Layout, edges: usize) -> Vec<(String, String)> {
    let service = |number| {
        let kind = SERVICE;
        layout.uid(ResourceId { kind, number })
    };
    let ends = |edge: usize| (edge % layout.count(SERVICE), edge / 2);
    let calls = (0..edges).map(ends);
    calls
        .map(|(from, to)| (service(from), service(to)))
        .collect()
}
