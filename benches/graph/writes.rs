//! Writes into the graph that was read: scans new, unchanged and changed, telemetry, small batches.

use std::time::Duration;

use pipeline::component::UnixNanos;
use pipeline::uid;

use crate::clock::Clock;
use crate::figure::Figure;
use crate::kinds::{SERVICE, VOLUME};
use crate::layout::{Id, Layout};
use crate::load::{self, Writer};
use crate::resource::Resource;
use crate::store::OpenStore;

pub(crate) const NAME: &str = "write";
const UNCHANGED: usize = 10_000;
/// Nodes of the scan of which some changed, where the graph has twice as many.
const LARGE: usize = 100_000;
const CHANGED: usize = 100;
const SMALL: usize = 200;

pub(crate) async fn measure(store: &OpenStore, layout: &Layout, clock: &Clock) -> Vec<Figure> {
    eprintln!("{NAME}");
    let mut figures = Vec::new();
    let at =
        |second: u64| UnixNanos(clock.writes().0 + Duration::from_secs(second).as_nanos() as u64);

    let mut writer = Writer::new(store);
    let mut unchanged = Scope::new(layout, "unchanged", UNCHANGED);
    unchanged.scan(&mut writer, at(0), 0..UNCHANGED, 0).await;
    let mut times = Vec::new();
    for turn in 1..=10 {
        times.push(1e3 * unchanged.scan(&mut writer, at(turn), 0..0, 0).await);
    }
    figures.push(Figure::of_samples("write: an unchanged scan", "ms", &times).of(UNCHANGED));

    let mut writer = Writer::new(store);
    let size = LARGE.min(layout.nodes() / 2);
    let mut large = Scope::new(layout, "large", size);
    let seconds = large.scan(&mut writer, at(0), 0..size, 0).await;
    figures.push(Figure::one("write: a scan of new nodes", "s", seconds).of(size));
    figures.extend(writer.figures("write: new nodes"));
    let mut times = Vec::new();
    for turn in 1..=5 {
        let changed = turn as usize * CHANGED..(turn as usize + 1) * CHANGED;
        times.push(large.scan(&mut writer, at(turn), changed, turn).await);
    }
    figures.push(Figure::of_samples("write: a scan with 100 changes", "s", &times).of(size));

    let mut writer = Writer::new(store);
    let first = layout.count(SERVICE);
    let services = first..first + layout.nodes() / 5;
    load::telemetry(&mut writer, layout, services, clock.telemetry()).await;
    figures.extend(writer.figures("write: telemetry"));

    let mut writer = Writer::new(store);
    let mut small = Scope::new(layout, "small", SMALL);
    let mut times = Vec::new();
    for number in 0..SMALL {
        small.observe(&mut writer, at(0), number, 0);
        times.push(1e3 * writer.flush().await);
    }
    figures.push(Figure::of_samples("write: one resource", "ms", &times).of(1));
    figures
}

/// A scope of its own, with resources like the graph's.
pub(crate) struct Scope<'l> {
    layout: &'l Layout,
    name: &'static str,
    /// How often each resource has changed.
    versions: Vec<u64>,
}

impl Scope<'_> {
    pub(crate) fn new<'l>(layout: &'l Layout, name: &'static str, size: usize) -> Scope<'l> {
        Scope {
            layout,
            name,
            versions: vec![0; size],
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.versions.len()
    }

    fn path(&self) -> String {
        format!("900000000002/eu-west-1/{}", self.name)
    }

    fn resource(&self, number: usize) -> Resource {
        let id = Id {
            kind: VOLUME,
            number,
        };
        let mut found = self.layout.resource(id, self.versions[number]);
        found.uid = format!("{}-{}", found.uid, self.name);
        found.aliases = vec![("id", format!("vol-{}-{number:08x}", self.name), None)];
        found
    }

    /// One resource is observed in this version, without a scan.
    pub(crate) fn observe(
        &mut self,
        writer: &mut Writer<'_>,
        time: UnixNanos,
        number: usize,
        version: u64,
    ) {
        self.versions[number] = version;
        let found = self.resource(number);
        writer.batches.resource(&self.path(), &found, time);
    }

    /// A scan that has found these resources in this version, and all others as they were. Returns
    /// the seconds that the store took.
    pub(crate) async fn scan(
        &mut self,
        writer: &mut Writer<'_>,
        began: UnixNanos,
        new: std::ops::Range<usize>,
        version: u64,
    ) -> f64 {
        let (mut seconds, mut members) = (0.0, Vec::with_capacity(self.size()));
        for number in 0..self.size() {
            if new.contains(&number) {
                self.observe(writer, began, number, version);
            }
            let found = self.resource(number);
            members.push((uid::hash(&found.uid), found.state));
            if writer.batches.is_full() {
                seconds += writer.flush().await;
            }
        }
        writer
            .batches
            .completion(&self.path(), "aws", began, members);
        seconds + writer.flush().await
    }
}
