//! Converts rows of `edges` and `aliases` to snapshots and observations, and rows of `edge_stats` to reports.

use std::collections::HashMap;

use super::row::BatchRow;
use super::{
    AliasItem, AliasObservation, EdgeItem, EdgeObservation, EdgeStatsReport, ReportBatch,
    SnapshotItems, SnapshotReport,
};
use crate::Batch;
use crate::schema::edges::mode;
use crate::schema::{aliases, edge_stats, edges};
use crate::unix_nanos::UnixNanos;

pub(super) fn read_edges<'a>(batch: &'a Batch, now: UnixNanos, reports: &mut ReportBatch<'a>) {
    let mut snapshots = SnapshotIndexes::default();
    for row in BatchRow::all(batch) {
        let Some((uid, time)) = uid_and_time(row, now, reports) else {
            continue;
        };
        let edge = edge(row);
        if edge.is_some_and(|edge| !reports.accepts_name(edge.to)) {
            continue;
        }
        if row.word(edges::MODE) == Some(mode::OBSERVED) {
            let source = row.source();
            reports.edges.extend(edge.map(|edge| EdgeObservation {
                uid,
                source,
                time,
                edge,
            }));
            continue;
        }
        let (scope, state) = (row.text(edges::SCOPE), row.uint64(edges::STATE));
        let snapshot = snapshots.items_of(
            reports,
            row,
            (uid, time),
            scope,
            state,
            SnapshotItems::Edges,
        );
        if let SnapshotItems::Edges(items) = snapshot {
            items.extend(edge);
        }
    }
}

pub(super) fn read_aliases<'a>(batch: &'a Batch, now: UnixNanos, reports: &mut ReportBatch<'a>) {
    let mut snapshots = SnapshotIndexes::default();
    for row in BatchRow::all(batch) {
        let Some((uid, time)) = uid_and_time(row, now, reports) else {
            continue;
        };
        let alias = alias(row);
        if alias.is_some_and(|alias| !reports.accepts_name(alias.value)) {
            continue;
        }
        if row.word(aliases::MODE) == Some(mode::OBSERVED) {
            let source = row.source();
            reports.aliases.extend(alias.map(|alias| AliasObservation {
                uid,
                source,
                time,
                alias,
            }));
            continue;
        }
        let (scope, state) = (row.text(aliases::SCOPE), row.uint64(aliases::STATE));
        let snapshot = snapshots.items_of(
            reports,
            row,
            (uid, time),
            scope,
            state,
            SnapshotItems::Aliases,
        );
        if let SnapshotItems::Aliases(items) = snapshot {
            items.extend(alias);
        }
    }
}

pub(super) fn read_edge_stats<'a>(batch: &'a Batch, now: UnixNanos, reports: &mut ReportBatch<'a>) {
    for row in BatchRow::all(batch) {
        let minute = row.time(now);
        let Some(from) = row.uid() else {
            reports.rejected.without_uid += 1;
            continue;
        };
        let to = row.text(edge_stats::TO).unwrap_or_default();
        if !reports.accepts_name(from)
            || !reports.accepts_name(to)
            || !reports.accepts_time(minute, now)
        {
            continue;
        }
        reports.edge_stats.push(EdgeStatsReport {
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
            counts: row
                .uint64s(edge_stats::DURATION_COUNTS)
                .unwrap_or_default()
                .to_vec(),
        });
    }
}

/// The indexes of the snapshots in [`ReportBatch::snapshots`], by uid, source, scope and time.
#[derive(Default)]
struct SnapshotIndexes<'a>(HashMap<(&'a str, &'a str, &'a str, UnixNanos), usize>);

impl<'a> SnapshotIndexes<'a> {
    /// The items of the snapshot that a row belongs to. Adds the snapshot if it is missing.
    fn items_of<'r, T>(
        &mut self,
        reports: &'r mut ReportBatch<'a>,
        row: BatchRow<'a>,
        (uid, time): (&'a str, UnixNanos),
        scope: Option<&'a str>,
        state: Option<u64>,
        items_from: fn(Vec<T>) -> SnapshotItems<'a>,
    ) -> &'r mut SnapshotItems<'a> {
        let (source, scope) = (row.source(), scope.unwrap_or_default());
        let next = reports.snapshots.len();
        let index = *self.0.entry((uid, source, scope, time)).or_insert(next);
        if index == next {
            reports.snapshots.push(SnapshotReport {
                uid,
                source,
                scope,
                time,
                state,
                items: items_from(Vec::new()),
            });
        }
        &mut reports.snapshots[index].items
    }
}

/// The uid and the time of a row; `None` if the row is rejected.
fn uid_and_time<'a>(
    row: BatchRow<'a>,
    now: UnixNanos,
    reports: &mut ReportBatch<'a>,
) -> Option<(&'a str, UnixNanos)> {
    let time = row.time(now);
    let Some(uid) = row.uid() else {
        reports.rejected.without_uid += 1;
        return None;
    };
    (reports.accepts_name(uid) && reports.accepts_time(time, now)).then_some((uid, time))
}

/// The edge of a row; `None` for the row that reports an empty snapshot.
fn edge(row: BatchRow<'_>) -> Option<EdgeItem<'_>> {
    Some(EdgeItem {
        kind: row.word(edges::KIND)?,
        to: row.text(edges::TO)?,
        confidence: row.float(edges::CONFIDENCE),
        properties: row.bytes(edges::PROPERTIES),
    })
}

/// The alias of a row; `None` for the row that reports an empty snapshot.
fn alias(row: BatchRow<'_>) -> Option<AliasItem<'_>> {
    Some(AliasItem {
        kind: row.word(aliases::KIND)?,
        value: row.text(aliases::VALUE)?,
        within: row.text(aliases::WITHIN).unwrap_or_default(),
        valid_from: row.timestamp(aliases::VALID_FROM),
        valid_to: row.timestamp(aliases::VALID_TO),
    })
}
