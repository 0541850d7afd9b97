//! Writes the cloud through batches: a first scan of every scope, telemetry, then rounds of scans.

use std::time::Instant;

use pipeline::component::UnixNanos;
use pipeline::uid;

use crate::clock::{GraphClock, MINUTE};
use crate::cloud::RowBuffer;
use crate::figure::Figure;
use crate::kinds::{DATABASE, KINDS, Kind, SERVICE};
use crate::layout::{Layout, ResourceId, mix};
use crate::process::cpu_seconds;
use crate::store::OpenStore;

/// Edges of the service map, and minutes with calls.
const CALLED: usize = 5000;
const MINUTES: u32 = 5;
/// Rounds of scans of an aged graph. In each round one resource in `CHANGED` has changed.
const ROUNDS: u64 = 3;
const CHANGED: u64 = 20;

/// Buffers rows and writes them in batches of a realistic size; measures the writes.
pub(crate) struct MeasuredWriter<'s> {
    pub(crate) store: &'s OpenStore,
    pub(crate) batches: RowBuffer,
    rows: usize,
    seconds: f64,
    cpu: f64,
}

impl<'s> MeasuredWriter<'s> {
    pub(crate) fn new(store: &'s OpenStore) -> MeasuredWriter<'s> {
        MeasuredWriter {
            store,
            batches: RowBuffer::new(),
            rows: 0,
            seconds: 0.0,
            cpu: 0.0,
        }
    }

    /// Writes the buffered rows. Returns the seconds that the store took.
    pub(crate) async fn flush(&mut self) -> f64 {
        self.rows += self.batches.rows();
        let batches = self.batches.take();
        let (start, cpu) = (Instant::now(), cpu_seconds());
        for batch in &batches {
            self.store.write(batch).await;
        }
        let seconds = start.elapsed().as_secs_f64();
        self.seconds += seconds;
        self.cpu += cpu_seconds() - cpu;
        seconds
    }

    pub(crate) async fn flush_if_full(&mut self) {
        if self.batches.is_full() {
            self.flush().await;
        }
    }

    /// Mean time and CPU time per row in the store, without building the rows.
    pub(crate) fn figures(&self, of: &str) -> [Figure; 2] {
        let each = |seconds: f64| seconds * 1e6 / self.rows.max(1) as f64;
        [
            Figure::one(format!("{of}: a row"), "µs", each(self.seconds)).of(self.rows),
            Figure::one(format!("{of}: a row, CPU"), "µs", each(self.cpu)).of(self.rows),
        ]
    }
}

/// Writes the first scan of every scope, and telemetry.
pub(crate) async fn fresh(writer: &mut MeasuredWriter<'_>, layout: &Layout, clock: &GraphClock) {
    scan(writer, layout, 0, clock.first_scan()).await;
    let calls = telemetry(writer, layout, 0..layout.count(SERVICE), clock.telemetry()).await;
    for minute in 1..=MINUTES {
        let minute = UnixNanos(clock.telemetry().0 - (MINUTE * minute).as_nanos() as u64);
        for (from, to) in calls.iter().take(CALLED) {
            writer.batches.calls(from, to, minute);
            writer.flush_if_full().await;
        }
    }
    writer.flush().await;
}

/// Writes further rounds of scans.
pub(crate) async fn age(writer: &mut MeasuredWriter<'_>, layout: &Layout, clock: &GraphClock) {
    for round in 1..=ROUNDS {
        scan(writer, layout, round, clock.round(round)).await;
    }
}

/// Writes one scan of every scope: rows of the resources that changed in this round, and completions.
async fn scan(writer: &mut MeasuredWriter<'_>, layout: &Layout, round: u64, began: UnixNanos) {
    for (kind, Kind { name, .. }) in KINDS.iter().enumerate().take(SERVICE) {
        for account_region in layout.account_regions() {
            let mut members = Vec::new();
            let (account, region) = (
                layout.account(account_region),
                layout.region(account_region),
            );
            let scope = format!("{account}/{region}/{name}");
            let mut source = "";
            for id in layout.of_account_region(kind, account_region) {
                let resource = layout.resource(id, version(id, round));
                members.push((uid::hash(&resource.uid), resource.state));
                source = resource.source;
                if round == 0 || version(id, round) != version(id, round - 1) {
                    writer.batches.resource(&scope, &resource, began);
                    writer.flush_if_full().await;
                }
            }
            if !members.is_empty() {
                writer.batches.completion(&scope, source, began, members);
            }
        }
    }
    writer.flush().await;
}

/// The number of changes of a resource up to a round.
fn version(id: ResourceId, round: u64) -> u64 {
    let seed = mix((id.kind as u64) << 40 | id.number as u64);
    let changes = (1..=round).filter(|round| mix(seed ^ round).is_multiple_of(CHANGED));
    changes.count() as u64
}

/// Writes services, the pods that they run on and their calls. Returns the calls.
pub(crate) async fn telemetry(
    writer: &mut MeasuredWriter<'_>,
    layout: &Layout,
    numbers: std::ops::Range<usize>,
    time: UnixNanos,
) -> Vec<(String, String)> {
    let mut calls = Vec::new();
    for number in numbers {
        let id = ResourceId {
            kind: SERVICE,
            number,
        };
        let from = layout.uid(id);
        writer
            .batches
            .sighting(&from, "service", &layout.name(id), time);
        for (kind, to) in layout.edges(id) {
            let to_uid = match to.kind {
                // A caller knows only the host; a scan reports the resource with this alias.
                DATABASE => uid::external(&layout.host(to), Some(5432)),
                _ => layout.uid(to),
            };
            writer.batches.observation(&from, kind, &to_uid, time);
            if to.kind == SERVICE || to.kind == DATABASE {
                calls.push((from.clone(), to_uid));
            }
        }
        writer.flush_if_full().await;
    }
    writer.flush().await;
    calls
}
