//! Rows of edge statistics.

use super::row::Row;
use super::{EdgeStats, ReportBatch};
use crate::Batch;
use crate::component::UnixNanos;
use crate::schema::edge_stats;

pub(super) fn read<'a>(batch: &'a Batch, now: UnixNanos, reports: &mut ReportBatch<'a>) {
    for row in Row::all(batch) {
        let minute = row.time(now);
        let Some(from) = row.uid() else {
            reports.rejected.without_uid += 1;
            continue;
        };
        let to = row.text(edge_stats::TO).unwrap_or_default();
        if !reports.fits(from) || !reports.fits(to) || !reports.is_past(minute, now) {
            continue;
        }
        reports.edge_stats.push(EdgeStats {
            from,
            kind: row.word(edge_stats::KIND).unwrap_or_default(),
            to,
            connection_type: row.word(edge_stats::CONNECTION_TYPE).unwrap_or_default(),
            minute,
            writer: row.text(edge_stats::WRITER).unwrap_or_default(),
            chunk: row.uint32(edge_stats::CHUNK),
            calls: row.uint64(edge_stats::CALLS).unwrap_or_default(),
            errors: row.uint64(edge_stats::ERRORS).unwrap_or_default(),
            duration_sum: row.float(edge_stats::DURATION_SUM),
            duration_max: row.float(edge_stats::DURATION_MAX),
            scale: row.int32(edge_stats::DURATION_SCALE),
            offset: row.int32(edge_stats::DURATION_OFFSET),
            counts: row.uint64s(edge_stats::DURATION_COUNTS).unwrap_or_default(),
        });
    }
}
