//! Rows of `edges` and of `aliases`: snapshots, and observations.

use std::collections::HashMap;

use super::row::Row;
use super::{AliasItem, AliasObservation, EdgeItem, EdgeObservation, Items, ReportBatch, Snapshot};
use crate::Batch;
use crate::component::UnixNanos;
use crate::schema::edges::mode;
use crate::schema::{aliases, edges};

pub(super) fn read_edges<'a>(batch: &'a Batch, now: UnixNanos, reports: &mut ReportBatch<'a>) {
    let mut snapshots = Snapshots::default();
    for row in Row::all(batch) {
        let Some((uid, time)) = opening(row, now, reports) else {
            continue;
        };
        let edge = edge(row);
        if edge.is_some_and(|edge| !reports.fits(edge.to)) {
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
        let snapshot = snapshots.of(reports, row, (uid, time), scope, state, Items::Edges);
        if let Items::Edges(items) = snapshot {
            items.extend(edge);
        }
    }
}

pub(super) fn read_aliases<'a>(batch: &'a Batch, now: UnixNanos, reports: &mut ReportBatch<'a>) {
    let mut snapshots = Snapshots::default();
    for row in Row::all(batch) {
        let Some((uid, time)) = opening(row, now, reports) else {
            continue;
        };
        let alias = alias(row);
        if alias.is_some_and(|alias| !reports.fits(alias.value)) {
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
        let snapshot = snapshots.of(reports, row, (uid, time), scope, state, Items::Aliases);
        if let Items::Aliases(items) = snapshot {
            items.extend(alias);
        }
    }
}

/// The places of the snapshots so far: by uid, source, scope and time.
#[derive(Default)]
struct Snapshots<'a>(HashMap<(&'a str, &'a str, &'a str, UnixNanos), usize>);

impl<'a> Snapshots<'a> {
    fn of<'r, T>(
        &mut self,
        reports: &'r mut ReportBatch<'a>,
        row: Row<'a>,
        (uid, time): (&'a str, UnixNanos),
        scope: Option<&'a str>,
        state: Option<u64>,
        empty: fn(Vec<T>) -> Items<'a>,
    ) -> &'r mut Items<'a> {
        let (source, scope) = (row.source(), scope.unwrap_or_default());
        let next = reports.snapshots.len();
        let place = *self.0.entry((uid, source, scope, time)).or_insert(next);
        if place == next {
            reports.snapshots.push(Snapshot {
                uid,
                source,
                scope,
                time,
                state,
                items: empty(Vec::new()),
            });
        }
        &mut reports.snapshots[place].items
    }
}

fn opening<'a>(
    row: Row<'a>,
    now: UnixNanos,
    reports: &mut ReportBatch<'a>,
) -> Option<(&'a str, UnixNanos)> {
    let time = row.time(now);
    let Some(uid) = row.uid() else {
        reports.rejected.without_uid += 1;
        return None;
    };
    (reports.fits(uid) && reports.is_past(time, now)).then_some((uid, time))
}

/// None for the row that says that a snapshot is empty.
fn edge(row: Row<'_>) -> Option<EdgeItem<'_>> {
    Some(EdgeItem {
        kind: row.word(edges::KIND)?,
        to: row.text(edges::TO)?,
        confidence: row.float(edges::CONFIDENCE),
        properties: row.bytes(edges::PROPERTIES),
    })
}

/// Likewise.
fn alias(row: Row<'_>) -> Option<AliasItem<'_>> {
    Some(AliasItem {
        kind: row.word(aliases::KIND)?,
        value: row.text(aliases::VALUE)?,
        within: row.text(aliases::WITHIN).unwrap_or_default(),
        valid_from: row.timestamp(aliases::VALID_FROM),
        valid_to: row.timestamp(aliases::VALID_TO),
    })
}
