//! Counts calls in edges, edge stats and metrics, if a downstream component accepts them.

use pipeline::component::UnixNanos;
use pipeline::{Batch, Signal, SignalSet};

use super::calls::Call;
use super::config::Config;
use super::edges::CallEdges;
use super::metrics::CallMetrics;
use super::parties::{Parties, UsedNames};
use super::rows::PendingRows;

/// The counts of all calls, and the rows to emit.
#[derive(Debug)]
pub(super) struct CallCounts {
    /// The component id, which is the `source` of the rows.
    source: String,
    /// When counting started, which is the start time of the metrics.
    started: Option<UnixNanos>,
    edges: Option<CallEdges>,
    metrics: Option<CallMetrics>,
    out: PendingRows,
}

impl CallCounts {
    pub(super) fn new(config: &Config, source: String, emitted: SignalSet) -> CallCounts {
        let with_stats = emitted.contains(Signal::EdgeStats);
        let with_edges = with_stats || emitted.contains(Signal::Edges);
        CallCounts {
            started: None,
            edges: with_edges.then(|| CallEdges::new(with_stats)),
            metrics: emitted
                .contains(Signal::Metrics)
                .then(|| CallMetrics::new(config)),
            out: PendingRows::new(source.clone(), emitted),
            source,
        }
    }

    /// Records when counting starts. Only the first call has an effect.
    pub(super) fn start(&mut self, now: UnixNanos) {
        self.started.get_or_insert(now);
    }

    /// Counts a call.
    pub(super) fn add(&mut self, call: &Call, now: UnixNanos, parties: &mut Parties) {
        if self.out.emits_nodes() {
            let time = UnixNanos(call.end.min(now.0));
            for party in [call.client, call.server] {
                if let Some(node) = parties.due_node(party.node, now) {
                    self.out.push_node(node, time);
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

    /// Whether there are metric series. All series are emitted at each interval, even if they did not change.
    pub(super) fn has_metrics(&self) -> bool {
        self.metrics
            .as_ref()
            .is_some_and(|metrics| !metrics.is_empty())
    }

    /// Whether there are edges or metric series, which [`CallCounts::retire`] may remove.
    pub(super) fn can_retire(&self) -> bool {
        self.has_metrics() || self.edges.as_ref().is_some_and(|edges| !edges.is_empty())
    }

    /// The number of pending rows.
    pub(super) fn pending_rows(&self) -> usize {
        self.out.len()
    }

    /// Takes the pending rows as batches.
    pub(super) fn take_pending_rows(&mut self) -> Vec<Batch> {
        self.out.take()
    }

    /// Takes the pending rows, and the rows of all changed edges and edge stats, as batches.
    pub(super) fn flush(&mut self, parties: &Parties) -> Vec<Batch> {
        if let Some(edges) = &mut self.edges {
            edges.flush(parties, &mut self.out);
        }
        self.out.take()
    }

    /// The current values of all metric series; `None` if there are no series.
    pub(super) fn metrics(&self, now: UnixNanos) -> Option<Batch> {
        let metrics = self.metrics.as_ref()?;
        metrics.rows(&self.source, self.started.unwrap_or(now), now)
    }

    /// Removes idle edges, edge stats and series. Rows of changed edges and edge stats become pending.
    pub(super) fn retire(&mut self, now: UnixNanos, parties: &Parties) {
        if let Some(edges) = &mut self.edges {
            edges.retire(now, parties, &mut self.out);
        }
        if let Some(metrics) = &mut self.metrics {
            metrics.retire(now);
        }
    }

    /// Marks the interned numbers of all edges and series as used.
    pub(super) fn mark_used(&self, used: &mut UsedNames) {
        if let Some(edges) = &self.edges {
            edges.mark_used(used);
        }
        if let Some(metrics) = &self.metrics {
            metrics.mark_used(used);
        }
    }
}
