//! Writes to the graph: scans of new, unchanged and changed nodes, telemetry, small batches.

use std::time::Duration;

use pipeline::component::UnixNanos;
use pipeline::uid;

use crate::clock::GraphClock;
use crate::figure::Figure;
use crate::kinds::{SERVICE, VOLUME};
use crate::layout::{Layout, ResourceId};
use crate::load::{self, MeasuredWriter};
use crate::resource::BenchResource;
use crate::store::OpenStore;

pub(crate) const NAME: &str = "write";
const UNCHANGED: usize = 10_000;
/// Nodes of the scan with changes; half of the graph if that is fewer.
const LARGE: usize = 100_000;
const CHANGED: usize = 100;
const SMALL: usize = 200;

pub(crate) async fn measure(store: &OpenStore, layout: &Layout, clock: &GraphClock) -> Vec<Figure> {
    eprintln!("{NAME}");
    let mut figures = Vec::new();
    let at =
        |second: u64| UnixNanos(clock.writes().0 + Duration::from_secs(second).as_nanos() as u64);

    let mut writer = MeasuredWriter::new(store);
    let mut unchanged = BenchScope::new(layout, "unchanged", UNCHANGED);
    unchanged.scan(&mut writer, at(0), 0..UNCHANGED, 0).await;
    let mut times = Vec::new();
    for turn in 1..=10 {
        times.push(1e3 * unchanged.scan(&mut writer, at(turn), 0..0, 0).await);
    }
    figures.push(Figure::of_samples("write: an unchanged scan", "ms", &times).of(UNCHANGED));

    let mut writer = MeasuredWriter::new(store);
    let size = LARGE.min(layout.nodes() / 2);
    let mut large = BenchScope::new(layout, "large", size);
    let seconds = large.scan(&mut writer, at(0), 0..size, 0).await;
    figures.push(Figure::one("write: a scan of new nodes", "s", seconds).of(size));
    figures.extend(writer.figures("write: new nodes"));
    let mut times = Vec::new();
    for turn in 1..=5 {
        let changed = turn as usize * CHANGED..(turn as usize + 1) * CHANGED;
        times.push(large.scan(&mut writer, at(turn), changed, turn).await);
    }
    figures.push(Figure::of_samples("write: a scan with 100 changes", "s", &times).of(size));

    let mut writer = MeasuredWriter::new(store);
    let first = layout.count(SERVICE);
    let services = first..first + layout.nodes() / 5;
    load::telemetry(&mut writer, layout, services, clock.telemetry()).await;
    figures.extend(writer.figures("write: telemetry"));

    let mut writer = MeasuredWriter::new(store);
    let mut small = BenchScope::new(layout, "small", SMALL);
    let mut times = Vec::new();
    for number in 0..SMALL {
        small.observe(&mut writer, at(0), number, 0);
        times.push(1e3 * writer.flush().await);
    }
    figures.push(Figure::of_samples("write: one resource", "ms", &times).of(1));
    figures
}

/// An additional scope, with resources like those of the graph.
pub(crate) struct BenchScope<'l> {
    layout: &'l Layout,
    name: &'static str,
    /// How often each resource has changed.
    versions: Vec<u64>,
}

impl BenchScope<'_> {
    pub(crate) fn new<'l>(layout: &'l Layout, name: &'static str, size: usize) -> BenchScope<'l> {
        BenchScope {
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

    fn resource(&self, number: usize) -> BenchResource {
        let id = ResourceId {
            kind: VOLUME,
            number,
        };
        let mut resource = self.layout.resource(id, self.versions[number]);
        resource.uid = format!("{}-{}", resource.uid, self.name);
        resource.aliases = vec![("id", format!("vol-{}-{number:08x}", self.name), None)];
        resource
    }

    /// Adds a row of one resource in this version, without a scan completion.
    pub(crate) fn observe(
        &mut self,
        writer: &mut MeasuredWriter<'_>,
        time: UnixNanos,
        number: usize,
        version: u64,
    ) {
        self.versions[number] = version;
        let resource = self.resource(number);
        writer.batches.resource(&self.path(), &resource, time);
    }

    /// Writes a scan in which the resources `new` have this version and all others are unchanged. Returns the seconds
    /// that the store took.
    pub(crate) async fn scan(
        &mut self,
        writer: &mut MeasuredWriter<'_>,
        began: UnixNanos,
        new: std::ops::Range<usize>,
        version: u64,
    ) -> f64 {
        let (mut seconds, mut members) = (0.0, Vec::with_capacity(self.size()));
        for number in 0..self.size() {
            if new.contains(&number) {
                self.observe(writer, began, number, version);
            }
            let resource = self.resource(number);
            members.push((uid::hash(&resource.uid), resource.state));
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
