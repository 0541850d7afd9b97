//! Writes the cloud through batches: a first scan of every scope, telemetry, then rounds of scans.

use std::time::Instant;

use pipeline::component::UnixNanos;
use pipeline::uid;

use crate::clock::{Clock, MINUTE};
use crate::cloud::Batches;
use crate::figure::Figure;
use crate::kinds::{DATABASE, KINDS, Kind, SERVICE};
use crate::layout::{Id, Layout, mix};
use crate::process::cpu_seconds;
use crate::store::OpenStore;

/// Edges of the service map, and minutes in which they are called.
const CALLED: usize = 5000;
const MINUTES: u32 = 5;
/// Rounds of scans that age the graph, in each of which a twentieth of all resources has changed.
const ROUNDS: u64 = 3;
const CHANGED: u64 = 20;

/// Gathers rows and writes them in batches of the usual size.
pub(crate) struct Writer<'s> {
    pub(crate) store: &'s OpenStore,
    pub(crate) batches: Batches,
    rows: usize,
    seconds: f64,
    cpu: f64,
}

impl<'s> Writer<'s> {
    pub(crate) fn new(store: &'s OpenStore) -> Writer<'s> {
        Writer {
            store,
            batches: Batches::new(),
            rows: 0,
            seconds: 0.0,
            cpu: 0.0,
        }
    }

    /// Seconds that it took.
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

    /// What a row has taken in the store so far, the making of it left out.
    pub(crate) fn figures(&self, of: &str) -> [Figure; 2] {
        let each = |seconds: f64| seconds * 1e6 / self.rows.max(1) as f64;
        [
            Figure::one(format!("{of}: a row"), "µs", each(self.seconds)).of(self.rows),
            Figure::one(format!("{of}: a row, CPU"), "µs", each(self.cpu)).of(self.rows),
        ]
    }
}

/// The first scan of every scope, and what telemetry shows.
pub(crate) async fn fresh(writer: &mut Writer<'_>, layout: &Layout, clock: &Clock) {
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

/// Further rounds of scans.
pub(crate) async fn age(writer: &mut Writer<'_>, layout: &Layout, clock: &Clock) {
    for round in 1..=ROUNDS {
        scan(writer, layout, round, clock.round(round)).await;
    }
}

/// One scan of every scope: rows of what is new in this round, and completions.
async fn scan(writer: &mut Writer<'_>, layout: &Layout, round: u64, began: UnixNanos) {
    for (kind, Kind { name, .. }) in KINDS.iter().enumerate().take(SERVICE) {
        for place in layout.places() {
            let mut members = Vec::new();
            let (account, region) = (layout.account(place), layout.region(place));
            let scope = format!("{account}/{region}/{name}");
            let mut source = "";
            for id in layout.of_place(kind, place) {
                let found = layout.resource(id, version(id, round));
                members.push((uid::hash(&found.uid), found.state));
                source = found.source;
                if round == 0 || version(id, round) != version(id, round - 1) {
                    writer.batches.resource(&scope, &found, began);
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

/// How often a resource has changed up to a round.
fn version(id: Id, round: u64) -> u64 {
    let seed = mix((id.kind as u64) << 40 | id.number as u64);
    let changes = (1..=round).filter(|round| mix(seed ^ round).is_multiple_of(CHANGED));
    changes.count() as u64
}

/// Services, where they run and whom they call; returns the calls.
pub(crate) async fn telemetry(
    writer: &mut Writer<'_>,
    layout: &Layout,
    numbers: std::ops::Range<usize>,
    time: UnixNanos,
) -> Vec<(String, String)> {
    let mut calls = Vec::new();
    for number in numbers {
        let id = Id {
            kind: SERVICE,
            number,
        };
        let from = layout.uid(id);
        writer
            .batches
            .sighting(&from, "service", &layout.name(id), time);
        for (kind, to) in layout.edges(id) {
            let to_uid = match to.kind {
                // A caller knows the host alone; a scan says whose it is.
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
