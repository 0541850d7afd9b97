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
                let edge = StatsEdge::of(&row);
                match hours.get_mut(&edge) {
                    Some(sum) => sum.add(&row),
                    None => {
                        hours.insert(edge, row.as_hour(UnixNanos(hour)));
                    }
                }
            }
        }
        drop(rows);
        let hours = hours.into_values().collect();
        self.replace(Resolution::Minute, UnixNanos(hour), hours)
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
        let count = rows.len() as u64;
        self.replace(Resolution::Hour, hour, rows).await?;
        Ok(Some(count))
    }

    /// Removes an hour of these edges, part by part; in place of minutes comes their sum.
    async fn replace(
        &self,
        removed: Resolution,
        hour: UnixNanos,
        rows: Vec<EdgeStatsRow>,
    ) -> Result<(), RowsError> {
        let mut parts: BTreeMap<u8, Vec<EdgeStatsRow>> = BTreeMap::new();
        for row in rows {
            parts
                .entry(StatsEdge::of(&row).part())
                .or_default()
                .push(row);
        }
        let mut parts = parts.into_values().peekable();
        while parts.peek().is_some() {
            let mut session = self.backend.write().await?;
            let pace = Pace::start();
            while let Some(rows) = parts.next_if(|_| !pace.is_over()) {
                let edges: Vec<StatsEdge> = rows.iter().map(StatsEdge::of).collect();
                let end = UnixNanos(hour.0 + HOUR);
                session
                    .remove_edge_stats(removed, &edges, hour, end)
                    .await?;
                if removed == Resolution::Minute {
                    session.put_edge_stats(Resolution::Hour, &rows).await?;
                }
            }
            session.commit().await?;
            if parts.peek().is_some() {
                // Writers of other processes take their turn.
                tokio::time::sleep(STEP).await;
            }
        }
        Ok(())
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
