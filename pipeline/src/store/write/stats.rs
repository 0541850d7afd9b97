//! Statistics of edges.

use super::Transaction;
use crate::reports::ReportBatch;
use crate::store::rows::{EdgeStatsRow, Resolution, RowsError, WriteRows};

impl<R: WriteRows> Transaction<'_, R> {
    pub(super) async fn write_stats(&mut self, reports: &ReportBatch<'_>) -> Result<(), RowsError> {
        if reports.edge_stats.is_empty() {
            return Ok(());
        }
        let rows = reports.edge_stats.iter().map(|stats| EdgeStatsRow {
            minute: stats.minute,
            from: self.ids.of(stats.from),
            kind: self.words.number(stats.kind),
            to: self.ids.of(stats.to),
            connection_type: self.words.number(stats.connection_type),
            writer: self.words.number(stats.writer),
            chunk: stats.chunk,
            calls: stats.calls,
            errors: stats.errors,
            duration_sum: stats.duration_sum,
            duration_max: stats.duration_max,
            scale: stats.scale,
            offset: stats.offset,
            counts: stats.counts.clone(),
        });
        let rows: Vec<EdgeStatsRow> = rows.collect();
        self.rows.put_edge_stats(Resolution::Minute, &rows).await
    }
}
