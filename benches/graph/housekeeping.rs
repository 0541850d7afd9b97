//! Writes three days of history and removes each day when the next one begins, while two writers run: one in the
//! same store, and one with a separate connection, like another process.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use exporters::sqlite::{SqliteBackend, close, open_existing};
use pipeline::component::UnixNanos;
use pipeline::reports::ReportBatch;
use pipeline::store::{Retention, Store};
use tokio::runtime::Handle;

use crate::clock::GraphClock;
use crate::figure::Figure;
use crate::history::HistoryWorkload;
use crate::layout::Layout;
use crate::load::MeasuredWriter;
use crate::process;
use crate::store::OpenStore;
use crate::writes::BenchScope;

pub(crate) const NAME: &str = "housekeeping";
const DAYS: u64 = 3;
/// Pause between small writes.
const PAUSE: Duration = Duration::from_millis(20);
/// How long the writers are measured without housekeeping.
const BASELINE_TIME: Duration = Duration::from_secs(120);
/// Pause between two steps, as in the exporter.
const STEP_PAUSE: Duration = Duration::from_millis(75);

pub(crate) async fn measure(
    store: &OpenStore,
    layout: &Layout,
    clock: &GraphClock,
    (file, threads): (&Path, &Handle),
) -> Vec<Figure> {
    let mut figures = Vec::new();
    let mut world = HistoryWorkload::new(layout, NAME);
    let mut writer = MeasuredWriter::new(store);
    world.begin(&mut writer, clock).await;
    let cleaned_store = Arc::new(open_existing(file).await.expect("the file is there"));
    for day in 0..DAYS {
        eprintln!("{NAME}: day {}", day + 1);
        world
            .write_day(&mut writer, clock.day(day), day, &mut Vec::new())
            .await;
        let removal = HistoryRemoval {
            store: cleaned_store.clone(),
            until: clock.day(day + 1),
        };
        let done = Arc::new(AtomicBool::new(false));
        let removal = threads.spawn(removal.run(done.clone()));
        let writes = ConcurrentWrites {
            cleaned_store: &cleaned_store,
            layout,
            threads,
            day,
        };
        let latencies = writes.write_until(&done, &mut writer).await;
        let cpu = removal.await.expect("housekeeping ends");
        let day = format!("day {}", day + 1);
        figures.push(Figure::one(format!("{NAME}: CPU, {day}"), "s", cpu));
        latencies.add_to(&mut figures, &day);
        let name = format!("{NAME}: file, {day}");
        figures.push(Figure::one(name, "MiB", process::file_mib(file)));
    }
    // The baseline: how long writers wait for each other and for the disk.
    eprintln!("{NAME}: none");
    let done = Arc::new(AtomicBool::new(false));
    let done_after_pause = done.clone();
    threads.spawn(async move {
        tokio::time::sleep(BASELINE_TIME).await;
        done_after_pause.store(true, Ordering::Relaxed);
    });
    let writes = ConcurrentWrites {
        cleaned_store: &cleaned_store,
        layout,
        threads,
        day: DAYS,
    };
    let latencies = writes.write_until(&done, &mut writer).await;
    latencies.add_to(&mut figures, "without housekeeping");
    close(&cleaned_store).await;
    figures
}

fn slowest(latencies: &[f64]) -> f64 {
    latencies.iter().copied().fold(0.0, f64::max)
}

/// Housekeeping that removes the history before `until`.
struct HistoryRemoval {
    store: Arc<Store<SqliteBackend>>,
    until: UnixNanos,
}

impl HistoryRemoval {
    /// Returns the CPU seconds of the process during the removal, including the small writes.
    async fn run(self, done: Arc<AtomicBool>) -> f64 {
        let before = process::cpu_seconds();
        // Housekeeping keeps versions that were written in the last hour, so its clock is two hours ahead.
        let now = UnixNanos::now() + Duration::from_secs(2 * 3600);
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
            tokio::time::sleep(STEP_PAUSE).await;
        }
        done.store(true, Ordering::Relaxed);
        process::cpu_seconds() - before
    }
}

/// Small writes during housekeeping, with a pause after each.
struct ConcurrentWrites<'b> {
    /// The store that does the housekeeping.
    cleaned_store: &'b Arc<Store<SqliteBackend>>,
    layout: &'b Layout,
    threads: &'b Handle,
    day: u64,
}

/// Latencies of small writes, in milliseconds.
struct WriteLatencies {
    in_process: Vec<f64>,
    in_another: Vec<f64>,
}

impl WriteLatencies {
    fn add_to(&self, figures: &mut Vec<Figure>, when: &str) {
        for (process, latencies) in [("the", &self.in_process), ("another", &self.in_another)] {
            let name = format!("{NAME}: a write in {process} process, {when}");
            figures.push(Figure::of_samples(name, "ms", latencies));
            let name = format!("{NAME}: the slowest in {process} process, {when}");
            figures.push(Figure::one(name, "ms", slowest(latencies)));
        }
    }
}

impl ConcurrentWrites<'_> {
    async fn write_until(
        &self,
        done: &Arc<AtomicBool>,
        writer: &mut MeasuredWriter<'_>,
    ) -> WriteLatencies {
        let batches = self.batches(writer);
        let own = write_in_process(self.cleaned_store.clone(), done.clone(), batches);
        let own = self.threads.spawn(own);
        let mut in_another = Vec::new();
        let mut scope = BenchScope::new(self.layout, "housekeeping-other", 1);
        while !done.load(Ordering::Relaxed) {
            let version = self.day << 32 | in_another.len() as u64;
            scope.observe(writer, UnixNanos::now(), 0, version);
            in_another.push(1e3 * writer.flush().await);
            tokio::time::sleep(PAUSE).await;
        }
        WriteLatencies {
            in_process: own.await.expect("the writer ends"),
            in_another,
        }
    }

    /// Rows of one resource in two states.
    fn batches(&self, writer: &MeasuredWriter<'_>) -> Vec<pipeline::Batch> {
        let mut writer = MeasuredWriter::new(writer.store);
        let mut scope = BenchScope::new(self.layout, "housekeeping-own", 1);
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
    let mut latencies = Vec::new();
    while !done.load(Ordering::Relaxed) {
        for batch in &batches {
            let report = ReportBatch::from_batch(batch, UnixNanos::now());
            let start = Instant::now();
            store.write(&report).await.expect("the rows are written");
            latencies.push(1e3 * start.elapsed().as_secs_f64());
            tokio::time::sleep(PAUSE).await;
        }
    }
    latencies
}
