//! Counts calls, for the signals that a later component accepts.

use pipeline::component::UnixNanos;
use pipeline::{Batch, Signal, SignalSet};

use super::calls::Call;
use super::config::Config;
use super::edges::CallEdges;
use super::metrics::Metrics;
use super::parties::{Marks, Parties};
use super::rows::PendingRows;

#[derive(Debug)]
pub(super) struct CallCounts {
    source: String,
    /// When counting started.
    started: Option<UnixNanos>,
    edges: Option<CallEdges>,
    metrics: Option<Metrics>,
    out: PendingRows,
}

impl CallCounts {
    pub(super) fn new(config: &Config, source: String, wanted: SignalSet) -> CallCounts {
        let with_stats = wanted.contains(Signal::EdgeStats);
        let with_edges = with_stats || wanted.contains(Signal::Edges);
        CallCounts {
            started: None,
            edges: with_edges.then(|| CallEdges::new(with_stats)),
            metrics: wanted
                .contains(Signal::Metrics)
                .then(|| Metrics::new(config)),
            out: PendingRows::new(source.clone(), wanted),
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
                if let Some(node) = parties.due_node(party.node, now) {
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

    /// Whether [`CallCounts::flush`] would return rows.
    pub(super) fn has_changed(&self) -> bool {
        let edges = self.edges.as_ref();
        self.out.len() > 0 || edges.is_some_and(CallEdges::has_changed)
    }

    /// Whether there are metric series. They are emitted at each interval, changed or not.
    pub(super) fn has_metrics(&self) -> bool {
        self.metrics
            .as_ref()
            .is_some_and(|metrics| !metrics.is_empty())
    }

    /// Whether there are edges or series that can be retired.
    pub(super) fn has_any(&self) -> bool {
        self.has_metrics() || self.edges.as_ref().is_some_and(|edges| !edges.is_empty())
    }

    pub(super) fn pending_rows(&self) -> usize {
        self.out.len()
    }

    /// The pending rows.
    pub(super) fn take(&mut self) -> Vec<Batch> {
        self.out.take()
    }

    /// The pending rows, and rows of all edges and minutes that changed.
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
