//! Three days of history, each of which is removed once the next one begins, beside writers: one of the
//! same process, and one that has a connection of its own as another process has.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use exporters::sqlite::{SqliteBackend, close, open_existing};
use pipeline::component::UnixNanos;
use pipeline::reports::ReportBatch;
use pipeline::store::{Retention, Store};
use tokio::runtime::Handle;

use crate::clock::Clock;
use crate::figure::Figure;
use crate::history::World;
use crate::layout::Layout;
use crate::load::Writer;
use crate::process;
use crate::store::OpenStore;
use crate::writes::Scope;

pub(crate) const NAME: &str = "housekeeping";
const DAYS: u64 = 3;
/// From one small write to the next.
const PAUSE: Duration = Duration::from_millis(20);
/// How long the writers are measured without housekeeping.
const WITHOUT: Duration = Duration::from_secs(120);
/// Between two steps, as in the exporter.
const BETWEEN_STEPS: Duration = Duration::from_millis(75);

pub(crate) async fn measure(
    store: &OpenStore,
    layout: &Layout,
    clock: &Clock,
    (file, threads): (&Path, &Handle),
) -> Vec<Figure> {
    let mut figures = Vec::new();
    let mut world = World::new(layout, NAME);
    let mut writer = Writer::new(store);
    world.begin(&mut writer, clock).await;
    let kept = Arc::new(open_existing(file).await.expect("the file is there"));
    for day in 0..DAYS {
        eprintln!("{NAME}: day {}", day + 1);
        world
            .write_day(&mut writer, clock.day(day), day, &mut Vec::new())
            .await;
        let removal = Removal {
            store: kept.clone(),
            until: clock.day(day + 1),
        };
        let done = Arc::new(AtomicBool::new(false));
        let keeping = threads.spawn(removal.run(done.clone()));
        let beside = Beside {
            kept: &kept,
            layout,
            threads,
            day,
        };
        let waits = beside.write_until(&done, &mut writer).await;
        let cpu = keeping.await.expect("housekeeping ends");
        let day = format!("day {}", day + 1);
        figures.push(Figure::one(format!("{NAME}: CPU, {day}"), "s", cpu));
        waits.add_to(&mut figures, &day);
        let name = format!("{NAME}: file, {day}");
        figures.push(Figure::one(name, "MiB", process::file_mib(file)));
    }
    // What writers wait for each other, and for the disk.
    eprintln!("{NAME}: none");
    let done = Arc::new(AtomicBool::new(false));
    let over = done.clone();
    threads.spawn(async move {
        tokio::time::sleep(WITHOUT).await;
        over.store(true, Ordering::Relaxed);
    });
    let beside = Beside {
        kept: &kept,
        layout,
        threads,
        day: DAYS,
    };
    let waits = beside.write_until(&done, &mut writer).await;
    waits.add_to(&mut figures, "without housekeeping");
    close(&kept).await;
    figures
}

fn slowest(waits: &[f64]) -> f64 {
    waits.iter().copied().fold(0.0, f64::max)
}

/// All housekeeping that is due when the history up to a moment is not to be kept any more.
struct Removal {
    store: Arc<Store<SqliteBackend>>,
    until: UnixNanos,
}

impl Removal {
    /// CPU seconds of the process meanwhile, with those of the small writes.
    async fn run(self, done: Arc<AtomicBool>) -> f64 {
        let before = process::cpu_seconds();
        // Versions that were written in the last hour stay.
        let now = UnixNanos::now().after(Duration::from_secs(2 * 3600));
        let history = Duration::from_nanos(now.0 - self.until.0);
        let retention = Retention {
            history,
            edge_stats: history,
            edge_stats_hourly: history + Duration::from_secs(24 * 3600),
            records: history,
        };
        while !self
            .store
            .housekeep(now, &retention)
            .await
            .expect("a step succeeds")
            .is_done
        {
            tokio::time::sleep(BETWEEN_STEPS).await;
        }
        done.store(true, Ordering::Relaxed);
        process::cpu_seconds() - before
    }
}

/// Small writes, each a while after the one before.
struct Beside<'b> {
    /// Writes in the process that keeps house.
    kept: &'b Arc<Store<SqliteBackend>>,
    layout: &'b Layout,
    threads: &'b Handle,
    day: u64,
}

/// Milliseconds of small writes.
struct Waits {
    in_process: Vec<f64>,
    in_another: Vec<f64>,
}

impl Waits {
    fn add_to(&self, figures: &mut Vec<Figure>, when: &str) {
        for (process, waits) in [("the", &self.in_process), ("another", &self.in_another)] {
            let name = format!("{NAME}: a write in {process} process, {when}");
            figures.push(Figure::of_samples(name, "ms", waits));
            let name = format!("{NAME}: the slowest in {process} process, {when}");
            figures.push(Figure::one(name, "ms", slowest(waits)));
        }
    }
}

impl Beside<'_> {
    async fn write_until(&self, done: &Arc<AtomicBool>, writer: &mut Writer<'_>) -> Waits {
        let batches = self.batches(writer);
        let own = write_in_process(self.kept.clone(), done.clone(), batches);
        let own = self.threads.spawn(own);
        let mut in_another = Vec::new();
        let mut scope = Scope::new(self.layout, "housekeeping-other", 1);
        while !done.load(Ordering::Relaxed) {
            let version = self.day << 32 | in_another.len() as u64;
            scope.observe(writer, UnixNanos::now(), 0, version);
            in_another.push(1e3 * writer.flush().await);
            tokio::time::sleep(PAUSE).await;
        }
        Waits {
            in_process: own.await.expect("the writer ends"),
            in_another,
        }
    }

    /// Rows of one resource in two states.
    fn batches(&self, writer: &Writer<'_>) -> Vec<pipeline::Batch> {
        let mut writer = Writer::new(writer.store);
        let mut scope = Scope::new(self.layout, "housekeeping-own", 1);
        for version in 0..2 {
            scope.observe(&mut writer, UnixNanos::now(), 0, 2 * self.day + version);
        }
        writer.batches.take()
    }
}

async fn write_in_process(
    store: Arc<Store<SqliteBackend>>,
    done: Arc<AtomicBool>,
    batches: Vec<pipeline::Batch>,
) -> Vec<f64> {
    let mut waits = Vec::new();
    while !done.load(Ordering::Relaxed) {
        for batch in &batches {
            let report = ReportBatch::of(batch, UnixNanos::now());
            let start = Instant::now();
            store.write(&report).await.expect("the rows are written");
            waits.push(1e3 * start.elapsed().as_secs_f64());
            tokio::time::sleep(PAUSE).await;
        }
    }
    waits
}
