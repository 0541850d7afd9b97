//! Counts calls in the metrics of the Collector's service graph connector, cumulative since the first batch.

use std::time::Duration;

use hashbrown::HashMap;
use pipeline::attributes::MapBuilder;
use pipeline::component::UnixNanos;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{metrics, otlp_context};
use pipeline::{Batch, Delivery, Signal};

use super::calls::{Call, ConnectionType};
use super::config::Config;
use super::parties::{Parties, UsedNames};

/// How long a series is kept after its last call, as in the Collector.
const SERIES_RETENTION: Duration = Duration::from_secs(15 * 60);
/// The maximum number of series. Beyond it, calls of new series count in an overflow series.
const MAX_SERIES: usize = 10_000;
/// The name of the instrumentation scope.
const SCOPE: &str = "traces_service_graph";
/// The number of `AGGREGATION_TEMPORALITY_CUMULATIVE` in OTLP.
const CUMULATIVE: i64 = 2;

/// Identifies a series, by the numbers of interned texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct SeriesKey {
    client: u32,
    server: u32,
    connection: ConnectionType,
    failed: bool,
    client_dimensions: u32,
    server_dimensions: u32,
}

/// The calls of one series.
#[derive(Debug)]
struct Series {
    /// The encoded attributes.
    attributes: Vec<u8>,
    calls: u64,
    client: DurationBuckets,
    server: DurationBuckets,
    /// When the last call was added.
    updated: UnixNanos,
}

/// A histogram of durations.
#[derive(Debug)]
struct DurationBuckets {
    /// The sum of the durations in nanoseconds.
    sum: u128,
    counts: Vec<u64>,
}

/// All series.
#[derive(Debug)]
pub(super) struct CallMetrics {
    series: HashMap<SeriesKey, Series>,
    /// The overflow series of successful and of failed calls.
    overflow: [Option<Series>; 2],
    /// The upper bounds of the buckets, inclusive, in nanoseconds.
    bounds: Vec<u64>,
    /// The same bounds in seconds.
    seconds: Vec<f64>,
    /// Whether series have the label `virtual_node`.
    extra_label: bool,
}

impl CallMetrics {
    pub(super) fn new(config: &Config) -> CallMetrics {
        let buckets = &config.latency_histogram_buckets;
        let nanos = |bound: &Duration| u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX);
        CallMetrics {
            series: HashMap::new(),
            overflow: [None, None],
            bounds: buckets.iter().map(nanos).collect(),
            seconds: buckets.iter().map(Duration::as_secs_f64).collect(),
            extra_label: config.virtual_node_extra_label,
        }
    }

    /// Counts a call in its series.
    pub(super) fn add(&mut self, call: &Call, now: UnixNanos, parties: &Parties) {
        let key = SeriesKey {
            client: call.client.label,
            server: call.server.label,
            connection: self.series_connection(call),
            failed: call.failed,
            client_dimensions: call.client_dimensions,
            server_dimensions: call.server_dimensions,
        };
        let buckets = self.bounds.len() + 1;
        let series = if let Some(series) = self.series.get_mut(&key) {
            series
        } else if self.series.len() < MAX_SERIES {
            let attributes = attributes(key, self.extra_label, parties);
            self.series
                .entry(key)
                .or_insert_with(|| Series::new(attributes, buckets))
        } else {
            self.overflow[usize::from(call.failed)]
                .get_or_insert_with(|| Series::new(overflow(call.failed), buckets))
        };
        series.calls += 1;
        series.updated = now;
        // As in the Collector, a side that sent no span counts with a duration of 0.
        let client = call.client_duration.unwrap_or_default();
        let server = call.server_duration.unwrap_or_default();
        series.client.add(client, &self.bounds);
        series.server.add(server, &self.bounds);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.series.is_empty() && self.overflow.iter().all(Option::is_none)
    }

    /// Removes the series to which no call was added for [`SERIES_RETENTION`]. Overflow series stay.
    pub(super) fn retire(&mut self, now: UnixNanos) {
        self.series
            .retain(|_, series| series.updated + SERIES_RETENTION >= now);
    }

    /// Marks the interned texts of all series as used.
    pub(super) fn mark_used(&self, used: &mut UsedNames) {
        for key in self.series.keys() {
            let texts = [
                key.client,
                key.server,
                key.client_dimensions,
                key.server_dimensions,
            ];
            for text in texts {
                used.mark_text(text);
            }
        }
    }

    /// Rows with the current values of all series; `None` if there are no series. `started` is when counting started.
    pub(super) fn rows(&self, source: &str, started: UnixNanos, now: UnixNanos) -> Option<Batch> {
        let failed = |(key, _): &(&SeriesKey, &Series)| key.failed;
        let mut out = MetricRows {
            rows: Rows::new(Signal::Metrics),
            source,
            started,
            now,
            bounds: &self.seconds,
        };
        let all = || {
            let overflow = self.overflow.iter().flatten();
            self.series.values().chain(overflow)
        };
        for series in all() {
            out.sum("traces_service_graph_request_total", series);
        }
        let failing = self.series.iter().filter(failed).map(|(_, series)| series);
        for series in failing.chain(&self.overflow[1]) {
            out.sum("traces_service_graph_request_failed_total", series);
        }
        for series in all() {
            let name = "traces_service_graph_request_server";
            out.histogram(name, series, &series.server);
        }
        for series in all() {
            let name = "traces_service_graph_request_client";
            out.histogram(name, series, &series.client);
        }
        (!out.rows.is_empty()).then(|| out.rows.finish(Delivery::untracked()))
    }

    /// The connection type in the series key of a call. Without the label `virtual_node`, virtual clients and virtual
    /// servers have the same type, since their series would have the same attributes.
    fn series_connection(&self, call: &Call) -> ConnectionType {
        match call.connection {
            ConnectionType::VirtualClient if !self.extra_label => ConnectionType::VirtualServer,
            other => other,
        }
    }
}

impl Series {
    fn new(attributes: Vec<u8>, buckets: usize) -> Series {
        let durations = || DurationBuckets {
            sum: 0,
            counts: vec![0; buckets],
        };
        Series {
            attributes,
            calls: 0,
            client: durations(),
            server: durations(),
            updated: UnixNanos(0),
        }
    }
}

impl DurationBuckets {
    fn add(&mut self, nanos: u64, bounds: &[u64]) {
        self.sum += u128::from(nanos);
        self.counts[bounds.partition_point(|&bound| bound < nanos)] += 1;
    }
}

/// Builds rows of `metrics`.
struct MetricRows<'a> {
    rows: Rows,
    source: &'a str,
    started: UnixNanos,
    now: UnixNanos,
    bounds: &'a [f64],
}

impl MetricRows<'_> {
    fn sum(&mut self, name: &str, series: &Series) {
        let calls = i64::try_from(series.calls).unwrap_or(i64::MAX);
        let cells = [
            (metrics::TYPE, Cell::Text("sum")),
            (metrics::IS_MONOTONIC, Cell::Bool(true)),
            (metrics::VALUE_INT, Cell::Int(calls)),
        ];
        self.push(name, series, &cells);
    }

    fn histogram(&mut self, name: &str, series: &Series, durations: &DurationBuckets) {
        let bounds = self.bounds;
        let cells = [
            (metrics::TYPE, Cell::Text("histogram")),
            (metrics::UNIT, Cell::Text("s")),
            (metrics::COUNT, Cell::UInt(series.calls)),
            (metrics::SUM, Cell::Float(durations.sum as f64 / 1e9)),
            (metrics::BUCKET_COUNTS, Cell::UInts(&durations.counts)),
            (metrics::EXPLICIT_BOUNDS, Cell::Floats(bounds)),
        ];
        self.push(name, series, &cells);
    }

    fn push(&mut self, name: &str, series: &Series, value_cells: &[(&str, Cell<'_>)]) {
        let mut cells = vec![
            (metrics::NAME, Cell::Text(name)),
            (metrics::AGGREGATION_TEMPORALITY, Cell::Int(CUMULATIVE)),
            (metrics::START_TIME_UNIX_NANO, Cell::UInt(self.started.0)),
            (metrics::TIME_UNIX_NANO, Cell::UInt(self.now.0)),
            (metrics::ATTRIBUTES, Cell::Bytes(&series.attributes)),
            (otlp_context::SCOPE_NAME, Cell::Text(SCOPE)),
        ];
        cells.extend_from_slice(value_cells);
        self.rows.push(Some(self.now), None, self.source, &cells);
    }
}

/// The encoded attributes of a series.
fn attributes(key: SeriesKey, extra_label: bool, parties: &Parties) -> Vec<u8> {
    let mut map = MapBuilder::new();
    map.text("client", parties.label(key.client))
        .text("server", parties.label(key.server))
        .text("connection_type", key.connection.name())
        .bool("failed", key.failed);
    if extra_label {
        map.text("virtual_node", key.connection.virtual_node());
    }
    let mut attributes = map.finish();
    // Encoded attributes can be concatenated.
    for dimensions in [key.client_dimensions, key.server_dimensions] {
        attributes.extend_from_slice(parties.texts.key(dimensions));
    }
    attributes
}

/// The attributes of the overflow series, as in the OpenTelemetry SDKs.
fn overflow(failed: bool) -> Vec<u8> {
    let mut map = MapBuilder::new();
    map.bool("otel.metric.overflow", true)
        .bool("failed", failed);
    map.finish()
}
