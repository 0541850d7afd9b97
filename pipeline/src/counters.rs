//! Counters and gauges of receivers and components.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::Signal;
use crate::sync::lock;

/// One counter for each signal.
#[derive(Debug, Default)]
pub struct PerSignal([AtomicU64; Signal::ALL.len()]);

impl PerSignal {
    pub(crate) fn add(&self, signal: Signal, items: usize) {
        self.0[signal as usize].fetch_add(items as u64, Ordering::Relaxed);
    }

    /// The count of one signal.
    pub fn get(&self, signal: Signal) -> u64 {
        self.0[signal as usize].load(Ordering::Relaxed)
    }
}

/// Counters of one receiver, for all pipelines that it sends to.
#[derive(Debug, Default)]
pub struct ReceiverCounters {
    /// Items that the pipelines accepted.
    pub accepted: PerSignal,
    /// Items that were refused because a queue was full or closed.
    pub refused: PerSignal,
    /// Refused requests, by signal and reason.
    pub refused_requests: Mutex<BTreeMap<(Signal, &'static str), u64>>,
}

impl ReceiverCounters {
    pub(crate) fn count_refused_request(&self, signal: Signal, reason: &'static str) {
        let mut requests = lock(&self.refused_requests);
        *requests.entry((signal, reason)).or_default() += 1;
    }
}

/// A counter that a component has registered. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds to the counter.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The current count.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters and gauges that components have registered, with their names and labels.
#[derive(Clone, Debug, Default)]
pub struct ComponentMetrics(Arc<Mutex<Vec<ComponentMetric>>>);

/// One counter or gauge of a component.
#[derive(Clone, Debug)]
pub(crate) struct ComponentMetric {
    /// `airdig_processor_late_rows`.
    pub(crate) name: String,
    /// `processor="sql/x"`, `pipeline="traces"`.
    pub(crate) labels: Vec<(&'static str, String)>,
    pub(crate) kind: MetricKind,
    /// The value, of a gauge too.
    pub(crate) counter: Counter,
}

/// The Prometheus type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetricKind {
    Counter,
    Gauge,
}

/// Gauges that a component sets. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gauges {
    metrics: ComponentMetrics,
    labels: Vec<(&'static str, String)>,
}

impl Gauges {
    pub(crate) fn new(metrics: ComponentMetrics, labels: Vec<(&'static str, String)>) -> Gauges {
        Gauges { metrics, labels }
    }

    /// Sets the gauge `name`, such as `airdig_store_rows`, with an additional label, such as `("table", "nodes")`, if
    /// one is given.
    pub fn set(&self, name: &str, label: Option<(&'static str, &str)>, value: u64) {
        let mut labels = self.labels.clone();
        labels.extend(label.map(|(label, value)| (label, value.to_owned())));
        let gauge = self.metrics.find_or_add_gauge(name, labels);
        gauge.0.store(value, Ordering::Relaxed);
    }
}

impl ComponentMetrics {
    /// Adds a counter, even if one with the same name and labels exists.
    pub(crate) fn add_counter(&self, name: String, labels: Vec<(&'static str, String)>) -> Counter {
        let counter = Counter::default();
        let metric = ComponentMetric {
            name,
            labels,
            kind: MetricKind::Counter,
            counter: counter.clone(),
        };
        lock(&self.0).push(metric);
        counter
    }

    fn find_or_add_gauge(&self, name: &str, labels: Vec<(&'static str, String)>) -> Counter {
        let mut all = lock(&self.0);
        let is_same = |metric: &&ComponentMetric| metric.name == name && metric.labels == labels;
        if let Some(known) = all.iter().find(is_same) {
            return known.counter.clone();
        }
        let counter = Counter::default();
        all.push(ComponentMetric {
            name: name.to_owned(),
            labels,
            kind: MetricKind::Gauge,
            counter: counter.clone(),
        });
        counter
    }

    /// A copy of all metrics.
    pub(crate) fn all(&self) -> Vec<ComponentMetric> {
        lock(&self.0).clone()
    }
}
