//! airdig's own metrics, with the Collector's names, so that dashboards for the Collector work.
//!
//! The metrics of traces, metrics and logs are named `otelcol_…`, those of other signals `airdig_…`. As in the
//! Collector's default configuration, names have no suffix `_total`.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::outbox::Outbox;
use super::process_usage::process_usage;
use crate::channel::Gauge;
use crate::counters::{ComponentMetrics, MetricKind, PerSignal, ReceiverCounters};
use crate::sync::lock;
use crate::{Signal, SignalSet};

/// Counters of one processor in one pipeline, in rows of any signal.
#[derive(Debug, Default)]
pub struct ProcessorCounters {
    pub incoming: AtomicU64,
    pub outgoing: AtomicU64,
    /// Rows of batches that the processor rejected.
    pub refused: AtomicU64,
}

/// Counters of one exporter, in rows.
#[derive(Debug, Default)]
pub struct ExporterCounters {
    pub sent: PerSignal,
    /// Rows that the engine stopped exporting: rejected permanently, or not exported before the sender's deadline.
    pub send_failed: PerSignal,
    /// Rows that were refused because the queue was full.
    pub enqueue_failed: PerSignal,
    /// Exports in flight.
    pub in_flight: AtomicU64,
}

/// All metrics of the process.
#[derive(Debug)]
pub struct EngineMetrics {
    started: Instant,
    receivers: Vec<LabelledCounters<ReceiverCounters>>,
    /// Each with the id of its pipeline.
    processors: Vec<(String, LabelledCounters<ProcessorCounters>)>,
    exporters: Vec<(LabelledCounters<ExporterCounters>, Gauge, Outbox)>,
    /// The metrics that components have registered.
    components: ComponentMetrics,
}

/// The counters of one component.
#[derive(Debug)]
struct LabelledCounters<T> {
    /// The id of the component.
    id: String,
    /// The signals whose counters are served.
    signals: SignalSet,
    counters: Arc<T>,
}

impl EngineMetrics {
    pub(super) fn new(components: ComponentMetrics) -> EngineMetrics {
        EngineMetrics {
            started: Instant::now(),
            receivers: Vec::new(),
            processors: Vec::new(),
            exporters: Vec::new(),
            components,
        }
    }

    /// Adds a receiver. The counters of `signals` are served even while they are 0.
    pub(super) fn receiver(&mut self, id: String, signals: SignalSet) -> Arc<ReceiverCounters> {
        let counters = Arc::<ReceiverCounters>::default();
        self.receivers.push(LabelledCounters {
            id,
            signals,
            counters: counters.clone(),
        });
        counters
    }

    /// Adds a processor of a pipeline, or of a connector if `pipeline` is empty.
    pub(super) fn processor(&mut self, pipeline: &str, id: String) -> Arc<ProcessorCounters> {
        let counters = Arc::<ProcessorCounters>::default();
        let labelled = LabelledCounters {
            id,
            signals: SignalSet::NONE,
            counters: counters.clone(),
        };
        self.processors.push((pipeline.to_owned(), labelled));
        counters
    }

    /// Adds an exporter with its queue and outbox.
    pub(super) fn exporter(
        &mut self,
        id: String,
        signals: SignalSet,
        (queue, outbox): (Gauge, Outbox),
    ) -> Arc<ExporterCounters> {
        let counters = Arc::<ExporterCounters>::default();
        let labelled = LabelledCounters {
            id,
            signals,
            counters: counters.clone(),
        };
        self.exporters.push((labelled, queue, outbox));
        counters
    }

    /// Writes all metrics in Prometheus' text format 0.0.4.
    pub fn render(&self) -> String {
        let mut families = MetricFamilies::default();
        for receiver in &self.receivers {
            let labels = [("receiver", receiver.id.as_str())];
            for signal in receiver.signals.iter() {
                let counters = &receiver.counters;
                families.items("receiver_accepted", signal, &labels, &counters.accepted);
                families.items("receiver_refused", signal, &labels, &counters.refused);
            }
            let requests = lock(&receiver.counters.refused_requests);
            for ((signal, reason), count) in requests.iter() {
                let labels = [labels[0], ("signal", signal.name()), ("reason", reason)];
                families.counter("airdig_receiver_refused_requests", &labels, *count);
            }
        }
        for (pipeline, processor) in &self.processors {
            let labels = [
                ("processor", processor.id.as_str()),
                ("pipeline", pipeline.as_str()),
            ];
            let counters = &processor.counters;
            let incoming = counters.incoming.load(Ordering::Relaxed);
            let outgoing = counters.outgoing.load(Ordering::Relaxed);
            families.counter("otelcol_processor_incoming_items", &labels, incoming);
            families.counter("otelcol_processor_outgoing_items", &labels, outgoing);
            let refused = counters.refused.load(Ordering::Relaxed);
            families.counter("airdig_processor_refused_items", &labels, refused);
        }
        for metric in self.components.all() {
            let labels: Vec<(&str, &str)> = metric
                .labels
                .iter()
                .map(|(label, value)| (*label, value.as_str()))
                .collect();
            let kind = match metric.kind {
                MetricKind::Counter => "counter",
                MetricKind::Gauge => "gauge",
            };
            families.add(&metric.name, kind, &labels, metric.counter.get() as f64);
        }
        for (exporter, queue, outbox) in &self.exporters {
            let labels = [("exporter", exporter.id.as_str())];
            let counters = &exporter.counters;
            for signal in exporter.signals.iter() {
                families.items("exporter_sent", signal, &labels, &counters.sent);
                families.items(
                    "exporter_send_failed",
                    signal,
                    &labels,
                    &counters.send_failed,
                );
                families.items(
                    "exporter_enqueue_failed",
                    signal,
                    &labels,
                    &counters.enqueue_failed,
                );
            }
            let (size, capacity) = queue.fill();
            let in_flight = counters.in_flight.load(Ordering::Relaxed);
            families.gauge("otelcol_exporter_queue_size", &labels, size as f64);
            families.gauge("otelcol_exporter_queue_capacity", &labels, capacity as f64);
            families.gauge(
                "otelcol_exporter_in_flight_requests",
                &labels,
                in_flight as f64,
            );
            let bytes = outbox.bytes() as f64;
            families.gauge("airdig_exporter_outbox_bytes", &labels, bytes);
            let dropped = outbox.dropped();
            families.counter("airdig_exporter_outbox_dropped_items", &labels, dropped);
        }
        let uptime = self.started.elapsed().as_secs_f64();
        families.add("otelcol_process_uptime", "counter", &[], uptime);
        if let Some(usage) = process_usage() {
            let seconds = usage.cpu.as_secs_f64();
            families.add("otelcol_process_cpu_seconds", "counter", &[], seconds);
            families.gauge("otelcol_process_memory_rss", &[], usage.resident as f64);
        }
        families.text()
    }
}

/// The name, type and lines of each metric family. The format requires that all lines of one name are adjacent.
#[derive(Default)]
struct MetricFamilies(Vec<(String, &'static str, String)>);

impl MetricFamilies {
    /// Adds the counter of one signal: `otelcol_receiver_accepted_spans`.
    fn items(
        &mut self,
        counter: &str,
        signal: Signal,
        labels: &[(&str, &str)],
        counts: &PerSignal,
    ) {
        let prefix = if SignalSet::TELEMETRY.contains(signal) {
            "otelcol"
        } else {
            "airdig"
        };
        let name = format!("{prefix}_{counter}_{}", signal.items());
        self.counter(&name, labels, counts.get(signal));
    }

    fn counter(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        self.add(name, "counter", labels, value as f64);
    }

    fn gauge(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.add(name, "gauge", labels, value);
    }

    fn add(&mut self, name: &str, kind: &'static str, labels: &[(&str, &str)], value: f64) {
        let existing = self.0.iter().position(|(family, ..)| family == name);
        let index = existing.unwrap_or_else(|| {
            self.0.push((name.to_owned(), kind, String::new()));
            self.0.len() - 1
        });
        let lines = &mut self.0[index].2;
        lines.push_str(name);
        for (index, (label, value)) in labels.iter().enumerate() {
            let opening = if index == 0 { '{' } else { ',' };
            // The id of a component may contain any character after the '/'.
            let value = value.replace('\\', r"\\").replace('"', "\\\"");
            let value = value.replace('\n', r"\n");
            let _ = write!(lines, "{opening}{label}=\"{value}\"");
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(lines, "{close} {value}");
    }

    fn text(self) -> String {
        let mut text = String::new();
        for (name, kind, lines) in self.0 {
            let _ = writeln!(text, "# TYPE {name} {kind}");
            text.push_str(&lines);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{ComponentMetrics, EngineMetrics, Outbox};
    use crate::channel::channel;
    use crate::{Signal, SignalSet};

    #[test]
    fn counters_have_the_collectors_names() {
        let mut metrics = EngineMetrics::new(ComponentMetrics::default());
        let signals = SignalSet::of(&[Signal::Traces, Signal::Nodes]);
        let receiver = metrics.receiver("otlp/\"a".to_owned(), signals);
        receiver.accepted.add(Signal::Traces, 3);
        receiver.count_refused_request(Signal::Traces, "malformed");
        let (sender, _queue) = channel("x", signals, 100);
        let outbox = Outbox::new("exporters/sqlite".to_owned(), 100);
        let queues = (sender.gauge(), outbox);
        let exporter = metrics.exporter("sqlite".to_owned(), signals, queues);
        exporter.sent.add(Signal::Nodes, 7);
        let text = metrics.render();
        for line in [
            "# TYPE otelcol_receiver_accepted_spans counter",
            r#"otelcol_receiver_accepted_spans{receiver="otlp/\"a"} 3"#,
            r#"airdig_receiver_refused_requests{receiver="otlp/\"a",signal="traces",reason="malformed"} 1"#,
            r#"airdig_exporter_sent_nodes{exporter="sqlite"} 7"#,
            r#"otelcol_exporter_enqueue_failed_spans{exporter="sqlite"} 0"#,
            r#"otelcol_exporter_queue_capacity{exporter="sqlite"} 100"#,
        ] {
            assert!(text.lines().any(|other| other == line), "{line} in {text}");
        }
    }
}
