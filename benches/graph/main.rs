//! Measures the graph store: reads, writes, starts and housekeeping, with and without history. README.md describes
//! how to run it and how to read the results.
//!
//! ```text
//!  layout ─▶ cloud ─▶ load, subjects ─▶ store ◀─ cases (reads) ─▶ measure ┐
//!  ids, edges  rows    batches            │   ◀─ writes, history … ───────┼─▶ report: table, JSON
//!                                         └──── start (separate process) ────┘
//! ```

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "prints the results"
)]

mod arguments;
mod cases;
mod clock;
mod cloud;
mod figure;
mod history;
mod housekeeping;
mod kinds;
mod layout;
mod load;
mod measure;
mod names;
mod pages;
mod process;
mod report;
mod resource;
mod start;
mod store;
mod subjects;
mod writes;

use std::path::Path;

use clap::Parser;
use tokio::runtime::{Builder, Handle, Runtime};

use arguments::Arguments;
use clock::GraphClock;
use figure::Figure;
use layout::Layout;
use load::MeasuredWriter;
use measure::Meter;
use report::Report;
use store::OpenStore;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments = Arguments::parse();
    let threads = Runtime::new().expect("threads can be started");
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be made");
    if let Some(file) = &arguments.start {
        println!("{}", runtime.block_on(start::started(file)));
        return;
    }
    let before = arguments.compare.as_deref().map(report::read);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let own = folder.path().join("graph.db");
    let file = arguments.file.as_deref().unwrap_or(&own);
    let report = runtime.block_on(run(&arguments, file, threads.handle()));
    println!("{}", report.table(before.as_ref()));
    println!("{}", report.json());
    // A cancelled statement may still run; a normal shutdown would wait for it.
    threads.shutdown_background();
}

async fn run(arguments: &Arguments, file: &Path, threads: &Handle) -> Report {
    let layout = Layout::new(arguments.nodes, arguments.edges());
    let clock = GraphClock::of(file);
    let mut report = Report::new(arguments);
    let is_kept = file.exists();
    if !is_kept {
        write(arguments, file, &layout, &clock, &mut report).await;
    }
    if report.wants(start::NAME) {
        report.add(start::measure(file).await);
    }
    let mut meter = Meter::open(file, threads.clone()).await;
    for case in cases::all(&layout, &clock) {
        if report.wants(&case.name) {
            report.add(meter.measure(&case).await);
        }
    }
    meter.close().await;
    if is_kept {
        return report;
    }
    let store = OpenStore::open(file).await;
    if report.wants(writes::NAME) {
        report.add(writes::measure(&store, &layout, &clock).await);
    }
    if report.wants(history::NAME) {
        report.add(history::measure(&store, &layout, &clock, file).await);
    }
    if report.wants(housekeeping::NAME) {
        let measured = housekeeping::measure(&store, &layout, &clock, (file, threads));
        report.add(measured.await);
    }
    store.close().await;
    report
}

/// Writes the graph.
async fn write(
    arguments: &Arguments,
    file: &Path,
    layout: &Layout,
    clock: &GraphClock,
    report: &mut Report,
) {
    let store = OpenStore::open(file).await;
    let mut writer = MeasuredWriter::new(&store);
    eprintln!("writing {} nodes", layout.nodes());
    load::fresh(&mut writer, layout, clock).await;
    report.add(writer.figures("load"));
    if arguments.aged {
        eprintln!("ageing");
        load::age(&mut writer, layout, clock).await;
    }
    let history = subjects::HistorySizes::of(layout, arguments.aged);
    subjects::write(&mut writer, layout, clock, history).await;
    store.close().await;
    report.add([Figure::one("file", "MiB", process::file_mib(file))]);
}
