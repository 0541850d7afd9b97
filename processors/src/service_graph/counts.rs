//! What is counted of calls, for the signals that somebody wants.

use pipeline::component::UnixNanos;
use pipeline::{Batch, Signal, SignalSet};

use super::calls::Call;
use super::config::Config;
use super::edges::Edges;
use super::metrics::Metrics;
use super::parties::{Marks, Parties};
use super::rows::Out;

#[derive(Debug)]
pub(super) struct Counts {
    source: String,
    /// When counting began.
    started: Option<UnixNanos>,
    edges: Option<Edges>,
    metrics: Option<Metrics>,
    out: Out,
}

impl Counts {
    pub(super) fn new(config: &Config, source: String, wanted: SignalSet) -> Counts {
        let with_figures = wanted.contains(Signal::EdgeStats);
        let with_edges = with_figures || wanted.contains(Signal::Edges);
        Counts {
            started: None,
            edges: with_edges.then(|| Edges::new(with_figures)),
            metrics: wanted
                .contains(Signal::Metrics)
                .then(|| Metrics::new(config)),
            out: Out::new(source.clone(), wanted),
            source,
        }
    }

    pub(super) fn start(&mut self, now: UnixNanos) {
        self.started.get_or_insert(now);
    }

    pub(super) fn add(&mut self, call: &Call, now: UnixNanos, parties: &mut Parties) {
        if self.out.wants_nodes() {
            let time = UnixNanos(call.end.min(now.0));
            for party in [call.client, call.server] {
                if let Some(node) = parties.due(party.node, now) {
                    self.out.node(node, time);
                }
            }
        }
        if let Some(edges) = &mut self.edges {
            edges.add(call, now, parties, &mut self.out);
        }
        if let Some(metrics) = &mut self.metrics {
            metrics.add(call, now, parties);
        }
    }

    /// Whether there is something to flush.
    pub(super) fn has_changed(&self) -> bool {
        let edges = self.edges.as_ref();
        self.out.len() > 0 || edges.is_some_and(Edges::has_changed)
    }

    /// Whether there are series, which go out again and again.
    pub(super) fn has_metrics(&self) -> bool {
        self.metrics
            .as_ref()
            .is_some_and(|metrics| !metrics.is_empty())
    }

    /// Whether anything is kept that may be retired.
    pub(super) fn has_any(&self) -> bool {
        self.has_metrics() || self.edges.as_ref().is_some_and(|edges| !edges.is_empty())
    }

    pub(super) fn waiting_rows(&self) -> usize {
        self.out.len()
    }

    /// The rows that wait.
    pub(super) fn take(&mut self) -> Vec<Batch> {
        self.out.take()
    }

    /// The rows that wait, and those of all that has changed.
    pub(super) fn flush(&mut self, parties: &Parties) -> Vec<Batch> {
        if let Some(edges) = &mut self.edges {
            edges.flush(parties, &mut self.out);
        }
        self.out.take()
    }

    pub(super) fn metrics(&self, now: UnixNanos) -> Option<Batch> {
        let metrics = self.metrics.as_ref()?;
        metrics.rows(&self.source, self.started.unwrap_or(now), now)
    }

    pub(super) fn retire(&mut self, now: UnixNanos, parties: &Parties) {
        if let Some(edges) = &mut self.edges {
            edges.retire(now, parties, &mut self.out);
        }
        if let Some(metrics) = &mut self.metrics {
            metrics.retire(now);
        }
    }

    pub(super) fn mark(&self, marks: &mut Marks) {
        if let Some(edges) = &self.edges {
            edges.mark(marks);
        }
        if let Some(metrics) = &self.metrics {
            metrics.mark(marks);
        }
    }
}
