//! Converts a batch of any signal.

use super::{ReportBatch, edges, nodes, records, resources};
use crate::unix_nanos::UnixNanos;
use crate::{Batch, Signal};

impl<'a> ReportBatch<'a> {
    /// Converts a batch. If the signal of the batch does not change the graph, there are no reports. `now` is the clock
    /// time; it becomes the time of rows without a time.
    pub fn from_batch(batch: &'a Batch, now: UnixNanos) -> ReportBatch<'a> {
        let mut reports = ReportBatch {
            now: Some(now),
            ..ReportBatch::default()
        };
        match batch.signal() {
            Signal::Resources => resources::read(batch, now, &mut reports),
            Signal::Nodes => nodes::read(batch, now, &mut reports),
            Signal::Edges => edges::read_edges(batch, now, &mut reports),
            Signal::Aliases => edges::read_aliases(batch, now, &mut reports),
            Signal::EdgeStats => edges::read_edge_stats(batch, now, &mut reports),
            Signal::Changes
            | Signal::Drift
            | Signal::Health
            | Signal::Correlations
            | Signal::Alerts => records::read(batch, now, &mut reports),
            _ => {}
        }
        reports
    }
}
