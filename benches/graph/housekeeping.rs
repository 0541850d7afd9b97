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
        let beside = threads.spawn(write_beside(
            kept.clone(),
            done.clone(),
            scope_batches(layout, store, day),
        ));
        let keeping = threads.spawn(removal.run(done.clone()));
        let waits = write_until(&done, &mut writer, layout, day).await;
        let cpu = keeping.await.expect("housekeeping ends");
        let own = beside.await.expect("the writer ends");
        let name = |what: &str| format!("{NAME}: {what}, day {}", day + 1);
        figures.push(Figure::one(name("CPU"), "s", cpu));
        figures.push(Figure::of_samples(
            name("a write in the process"),
            "ms",
            &own,
        ));
        figures.push(Figure::one(
            name("the slowest in the process"),
            "ms",
            slowest(&own),
        ));
        figures.push(Figure::of_samples(
            name("a write in another process"),
            "ms",
            &waits,
        ));
        figures.push(Figure::one(
            name("the slowest in another process"),
            "ms",
            slowest(&waits),
        ));
        figures.push(Figure::one(name("file"), "MiB", process::file_mib(file)));
    }
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

/// Rows of one resource in two states.
fn scope_batches(layout: &Layout, store: &OpenStore, day: u64) -> Vec<pipeline::Batch> {
    let mut writer = Writer::new(store);
    let mut scope = Scope::new(layout, "housekeeping-own", 1);
    for version in 0..2 {
        scope.observe(&mut writer, UnixNanos::now(), 0, 2 * day + version);
    }
    writer.batches.take()
}

/// Milliseconds of small writes by the store that keeps house.
async fn write_beside(
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

/// Likewise, by another connection.
async fn write_until(
    done: &AtomicBool,
    writer: &mut Writer<'_>,
    layout: &Layout,
    day: u64,
) -> Vec<f64> {
    let mut waits = Vec::new();
    let mut scope = Scope::new(layout, "housekeeping-other", 1);
    while !done.load(Ordering::Relaxed) {
        let version = day << 32 | waits.len() as u64;
        scope.observe(writer, UnixNanos::now(), 0, version);
        waits.push(1e3 * writer.flush().await);
        tokio::time::sleep(PAUSE).await;
    }
    waits
}
