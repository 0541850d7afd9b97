//! Edge statistics: old minutes become hours, old hours go.

use std::collections::BTreeMap;

use super::super::Store;
use super::super::rows::{
    Backend, EdgeStatsRow, NO_WORD, ReadRows, Resolution, RowsError, StatsEdge, WriteRows,
};
use super::horizon::below;
use super::{Horizon, Pace, STEP};
use crate::component::UnixNanos;
use crate::graph_store::Histogram;

const MINUTE: u64 = 60_000_000_000;
const HOUR: u64 = 60 * MINUTE;

/// Rows of the edges of which an hour is replaced at once.
const ROWS: usize = if cfg!(test) { 2 } else { 1000 };

/// What comes in the place of an hour of an edge, and how many rows that is now.
struct HourOfEdge {
    edge: StatsEdge,
    row: EdgeStatsRow,
    rows: usize,
}

impl<B: Backend> Store<B> {
    /// Replaces the oldest hour of minutes; how many rows that was, none where none is old enough.
    /// Nothing is written to such an hour any more, so it is read before the writer is taken.
    pub(super) async fn roll_up_minutes(
        &self,
        horizon: &Horizon,
    ) -> Result<Option<u64>, RowsError> {
        let end = below(horizon.edge_stats().0);
        let mut rows = self.backend.read().await?;
        let oldest = rows.oldest_edge_stats(Resolution::Minute).await?;
        let Some(oldest) = oldest.filter(|oldest| *oldest < end) else {
            return Ok(None);
        };
        let hour = oldest.0 / HOUR * HOUR;
        let mut hours: BTreeMap<StatsEdge, HourOfEdge> = BTreeMap::new();
        let mut count = 0;
        for minute in (hour..hour + HOUR).step_by(MINUTE as usize) {
            let (from, to) = (UnixNanos(minute), UnixNanos(minute + MINUTE));
            for row in rows.edge_stats(Resolution::Minute, from, to).await? {
                count += 1;
                let edge = edge_of(&row);
                match hours.get_mut(&edge) {
                    Some(sum) => {
                        sum.row.add(&row);
                        sum.rows += 1;
                    }
                    None => {
                        let row = row.as_hour(UnixNanos(hour));
                        hours.insert(edge, HourOfEdge { edge, row, rows: 1 });
                    }
                }
            }
        }
        drop(rows);
        let hours: Vec<HourOfEdge> = hours.into_values().collect();
        self.replace(Resolution::Minute, UnixNanos(hour), &hours)
            .await?;
        Ok(Some(count))
    }

    /// Removes the oldest hour; likewise.
    pub(super) async fn remove_hours(&self, horizon: &Horizon) -> Result<Option<u64>, RowsError> {
        let end = below(horizon.edge_stats_hourly().0);
        let mut rows = self.backend.read().await?;
        let oldest = rows.oldest_edge_stats(Resolution::Hour).await?;
        let Some(hour) = oldest.filter(|oldest| *oldest < end) else {
            return Ok(None);
        };
        let (from, to) = (hour, UnixNanos(hour.0 + 1));
        let rows = rows.edge_stats(Resolution::Hour, from, to).await?;
        let rows = rows.into_iter().map(|row| HourOfEdge {
            edge: edge_of(&row),
            row,
            rows: 1,
        });
        let rows: Vec<HourOfEdge> = rows.collect();
        self.replace(Resolution::Hour, hour, &rows).await?;
        Ok(Some(rows.len() as u64))
    }

    /// Removes an hour of these edges, some edges a transaction; in place of minutes comes their sum.
    async fn replace(
        &self,
        removed: Resolution,
        hour: UnixNanos,
        all: &[HourOfEdge],
    ) -> Result<(), RowsError> {
        let end = UnixNanos(hour.0 + HOUR);
        let mut left = all;
        while !left.is_empty() {
            let mut session = self.backend.write().await?;
            let pace = Pace::start();
            while !left.is_empty() && !pace.is_over() {
                let (some, rest) = left.split_at(count(left));
                left = rest;
                let edges: Vec<StatsEdge> = some.iter().map(|it| it.edge).collect();
                session
                    .remove_edge_stats(removed, &edges, hour, end)
                    .await?;
                if removed == Resolution::Minute {
                    let sums: Vec<EdgeStatsRow> = some.iter().map(|it| it.row.clone()).collect();
                    session.put_edge_stats(Resolution::Hour, &sums).await?;
                }
            }
            session.commit().await?;
            if !left.is_empty() {
                // Writers of other processes take their turn.
                tokio::time::sleep(STEP).await;
            }
        }
        Ok(())
    }
}

/// How many of the first edges have about [`ROWS`] rows together; at least one.
fn count(all: &[HourOfEdge]) -> usize {
    let mut rows = 0;
    let fitting = all.iter().take_while(|it| {
        rows += it.rows;
        rows <= ROWS
    });
    fitting.count().max(1)
}

fn edge_of(row: &EdgeStatsRow) -> StatsEdge {
    StatsEdge {
        from: row.from,
        kind: row.kind,
        to: row.to,
        connection_type: row.connection_type,
    }
}

impl EdgeStatsRow {
    /// The first row of the sum of an hour.
    fn as_hour(&self, hour: UnixNanos) -> EdgeStatsRow {
        EdgeStatsRow {
            minute: hour,
            writer: NO_WORD,
            chunk: 0,
            ..self.clone()
        }
    }

    fn add(&mut self, other: &EdgeStatsRow) {
        let histogram =
            |row: &EdgeStatsRow| Histogram::of(row.scale, row.offset, &row.counts, row.calls);
        let mut sum = histogram(self);
        sum.add(histogram(other));
        let first = sum.counts.keys().next().copied().unwrap_or_default();
        let last = sum.counts.keys().next_back().copied();
        let buckets = first..=last.unwrap_or(first - 1);
        self.scale = sum.scale;
        self.offset = first;
        self.counts = buckets
            .map(|bucket| sum.counts.get(&bucket).copied().unwrap_or_default())
            .collect();
        self.calls += other.calls;
        self.errors += other.errors;
        self.duration_sum += other.duration_sum;
        self.duration_max = self.duration_max.max(other.duration_max);
    }
}
