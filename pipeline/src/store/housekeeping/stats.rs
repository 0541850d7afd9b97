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

/// Edges of which an hour is replaced at once.
const EDGES: usize = if cfg!(test) { 2 } else { 20 };

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
        let mut hours: BTreeMap<StatsEdge, EdgeStatsRow> = BTreeMap::new();
        let mut count = 0;
        for minute in (hour..hour + HOUR).step_by(MINUTE as usize) {
            let (from, to) = (UnixNanos(minute), UnixNanos(minute + MINUTE));
            for row in rows.edge_stats(Resolution::Minute, from, to).await? {
                count += 1;
                let edge = edge_of(&row);
                match hours.get_mut(&edge) {
                    Some(sum) => sum.add(&row),
                    None => {
                        hours.insert(edge, row.as_hour(UnixNanos(hour)));
                    }
                }
            }
        }
        drop(rows);
        let hours: Vec<(StatsEdge, EdgeStatsRow)> = hours.into_iter().collect();
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
        let rows: Vec<(StatsEdge, EdgeStatsRow)> =
            rows.into_iter().map(|row| (edge_of(&row), row)).collect();
        self.replace(Resolution::Hour, hour, &rows).await?;
        Ok(Some(rows.len() as u64))
    }

    /// Removes an hour of these edges, some edges a transaction; in place of minutes comes their sum.
    async fn replace(
        &self,
        removed: Resolution,
        hour: UnixNanos,
        rows: &[(StatsEdge, EdgeStatsRow)],
    ) -> Result<(), RowsError> {
        let mut chunks = rows.chunks(EDGES).peekable();
        while chunks.peek().is_some() {
            let mut session = self.backend.write().await?;
            let pace = Pace::start();
            while let Some(chunk) = chunks.next_if(|_| !pace.is_over()) {
                let edges: Vec<StatsEdge> = chunk.iter().map(|(edge, _)| *edge).collect();
                let end = UnixNanos(hour.0 + HOUR);
                session
                    .remove_edge_stats(removed, &edges, hour, end)
                    .await?;
                if removed == Resolution::Minute {
                    let sums: Vec<EdgeStatsRow> =
                        chunk.iter().map(|(_, row)| row.clone()).collect();
                    session.put_edge_stats(Resolution::Hour, &sums).await?;
                }
            }
            session.commit().await?;
            if chunks.peek().is_some() {
                // Writers of other processes take their turn.
                tokio::time::sleep(STEP).await;
            }
        }
        Ok(())
    }
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
